"""Settings of the window, kept between runs."""

from __future__ import annotations

from typing import Literal

import msgspec

from app.store.json_file import read_json, write_json
from core.base.paths import settings_file

ThemeName = Literal["dark", "light"]
SCALES = (0.0, 1.0, 1.25, 1.5, 2.0)
"""Choices of the scale; 0 follows the screen."""


class Settings(msgspec.Struct, frozen=True):
    """What was chosen about the window, and how it was left."""

    theme: ThemeName = "dark"
    """Name of the palette."""
    scale: float = 0.0
    """Of text and widgets; 0 follows the screen."""
    language: str = "en"
    """One of `app.text.catalog.languages`."""
    window: tuple[int, int] | None = None
    """Width and height, pixels."""
    panel: int = 376
    """Width of the side panel, pixels before scaling."""
    folded: tuple[str, ...] = ("scene", "video")
    """Tags of folded sections."""


def load_settings() -> Settings:
    """Return the saved settings, or those of a first start."""
    return read_json(settings_file(), Settings) or Settings()


def save_settings(settings: Settings) -> None:
    """Write ``settings``."""
    write_json(settings_file(), settings)
