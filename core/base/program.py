"""This program: its folder, the command that starts it, its version."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder that this program is imported from: a checkout, or ``site-packages/gradina``."""

_PYPROJECT = ROOT / "pyproject.toml"  # a checkout has it, an installed wheel does not

COMMAND: tuple[str, ...] = ("python", "main.py") if _PYPROJECT.is_file() else ("gradina",)
"""The words that start this program in a shell."""


def version() -> str:
    """Return the version of the checkout, else of the installed distribution."""
    if _PYPROJECT.is_file():
        return tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]["version"]
    return metadata.version("gradina")
