"""Text and widgets larger on dense screens.

Panels state sizes for a screen of 96 dots an inch; `rescale` makes them what they are to be.
"""

from __future__ import annotations

from app.platform.gui import dpg

_SIZES = ("width", "height", "wrap", "indent", "min_size")
_scale = 1.0


def scale() -> float:
    """By how much everything is larger than panels state it."""
    return _scale


def px(pixels: float) -> int:
    """``pixels`` as stated, on this screen."""
    return round(pixels * _scale)


def set_scale(at: float) -> None:
    """Before anything is built: all that is built later is to be scaled by ``at``."""
    global _scale
    _scale = at


def rescale(*windows: str | int) -> None:
    """Make all sizes in ``windows`` what they are on this screen; once, when they are built."""
    if _scale == 1.0:
        return
    for window in windows:
        for item in _descendants(window):
            _rescale(item)


def _descendants(item: str | int) -> list[int | str]:
    items: list[int | str] = []
    for children in dpg.get_item_children(item).values():
        for child in children:
            items += [child, *_descendants(child)]
    return items


def _rescale(item: int | str) -> None:
    settings = dpg.get_item_configuration(item)
    larger = {}
    for name in _SIZES:
        value = settings.get(name)
        if isinstance(value, (int, float)) and value not in (0, -1):
            larger[name] = round(value * _scale)
    if larger:
        dpg.configure_item(item, **larger)
