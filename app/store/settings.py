"""What a person chose about the window, and how they left it; kept between runs."""

from __future__ import annotations

from typing import Literal

import msgspec

from app.store.json_file import read_json, write_json
from core.base.paths import settings_file

ThemeName = Literal["dark", "light"]
SCALES = (0.0, 1.0, 1.25, 1.5, 2.0)


class Settings(msgspec.Struct, frozen=True):
    """``scale`` of all text and widgets, 0 for that of the screen; ``language``: see
    `app.text.catalog.languages`; ``window``: width and height;
    ``panel``: width of the side panel before scaling; ``folded``: tags of the sections that are."""

    theme: ThemeName = "dark"
    scale: float = 0.0
    language: str = "en"
    window: tuple[int, int] | None = None
    panel: int = 376
    folded: tuple[str, ...] = ("scene", "video")


def load_settings() -> Settings:
    return read_json(settings_file(), Settings) or Settings()


def save_settings(settings: Settings) -> None:
    write_json(settings_file(), settings)
