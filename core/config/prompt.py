"""The prompt file: a text prompt that a scene is made from, instead of photos."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.base.errors import UserError
from core.base.outputs import write_output
from core.base.paths import prompts_folder
from core.base.text import text

PROMPT_FILE = "prompt.json"
WEIGHTS_REMEDY = text("Give the folder of a CLIP network that you have")


@dataclass(frozen=True)
class Prompt:
    """A text prompt and the network that compares images with it."""

    text: str
    """what the scene is to look like"""
    weights: str
    """folder of the weights of a CLIP network"""


def find_prompt(path: Path) -> Path | None:
    """Return the prompt file at ``path``, a folder or that file itself, if there is one."""
    file = path / PROMPT_FILE if path.is_dir() else path
    return file if file.name == PROMPT_FILE and file.is_file() else None


def read_prompt(file: Path) -> Prompt:
    """Read a ``file`` that `write_prompt` wrote.

    Raises:
        UserError: where the file cannot be read or holds no prompt.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Prompt)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(
            text("{file} holds no prompt ({reason})", file=file, reason=error),
            text('It needs "text" and "weights", the folder of a CLIP network'),
        ) from error


def write_prompt(prompt: str, weights: str | Path, folder: Path | None = None) -> Path:
    """Write a prompt file.

    Args:
        prompt: what the scene is to look like.
        weights: folder of a CLIP network, or a file in it.
        folder: where to write the file; None: a folder of its own among the user's data.

    Returns:
        The file.

    Raises:
        UserError: where the prompt is empty, there is no network, or the file cannot be written.
    """
    prompt = " ".join(prompt.split())
    if not prompt:
        raise UserError(
            text("The prompt is empty"), text("Describe the scene, such as: a ceramic vase")
        )
    if not str(weights).strip():
        raise UserError(text("No CLIP network was given"), WEIGHTS_REMEDY)
    weights_folder = Path(weights).expanduser().resolve()
    weights_folder = weights_folder.parent if weights_folder.is_file() else weights_folder
    if not weights_folder.is_dir():
        raise UserError(text("{folder} does not exist", folder=weights_folder), WEIGHTS_REMEDY)
    if folder is None:
        folder = prompts_folder() / hashlib.sha256(prompt.encode()).hexdigest()[:8]
    file = folder.resolve() / PROMPT_FILE
    data = msgspec.json.format(msgspec.json.encode(Prompt(prompt, str(weights_folder))), indent=1)
    write_output(file, data)
    return file
