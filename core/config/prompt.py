"""A sentence in a file: what a scene is made of that nobody has photographed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.base.errors import UserError
from core.base.outputs import write_output
from core.base.paths import prompts_folder
from core.base.text import text

FILE = "sentence.json"
REMEDY = text("Give the folder of a CLIP network that you have")


@dataclass(frozen=True)
class Prompt:
    """What a scene is to look like, in words: ``text``; ``weights``: the folder of the network that
    tells how well a picture matches it."""

    text: str
    weights: str


def find_prompt(path: Path) -> Path | None:
    """The file of the sentence at ``path``, a folder or that file, if there is one."""
    file = path / FILE if path.is_dir() else path
    return file if file.name == FILE and file.is_file() else None


def read_prompt(file: Path) -> Prompt:
    """What `write_prompt` left in ``file``. Raises UserError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Prompt)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(
            text("{file} holds no prompt ({error})", file=file, error=error),
            text('It needs "text" and "weights", the folder of a CLIP network'),
        ) from error


def write_prompt(words: str, weights: str | Path, folder: Path | None = None) -> Path:
    """Leave the prompt ``words`` in ``folder`` (None: one among the user's data); returns the file.
    Raises UserError where there is nothing to judge it by, or it cannot be written."""
    words = " ".join(words.split())
    if not words:
        raise UserError(
            text("The prompt is empty"), text("Say what is to be seen, such as: a ceramic vase")
        )
    if not str(weights).strip():
        raise UserError(text("No network is named"), REMEDY)
    place = Path(weights).expanduser().resolve()
    place = place.parent if place.is_file() else place
    if not place.is_dir():
        raise UserError(text("{place} does not exist", place=place), REMEDY)
    if folder is None:
        folder = prompts_folder() / hashlib.sha256(words.encode()).hexdigest()[:8]
    file = folder.resolve() / FILE
    data = msgspec.json.format(msgspec.json.encode(Prompt(words, str(place))), indent=1)
    write_output(file, data)
    return file
