"""Larger text and widgets on dense screens.

Panels state sizes for a screen of 96 dots an inch; `rescale` multiplies them.
"""

from __future__ import annotations

from app.platform.gui import dpg

_SIZES = ("width", "height", "wrap", "indent", "min_size")
_scale = 1.0


def scale() -> float:
    """Return the scale factor of text and widgets."""
    return _scale


def px(pixels: float) -> int:
    """Convert pixels as stated to pixels of this screen."""
    return round(pixels * _scale)


def set_scale(at: float) -> None:
    """Set the scale factor, before anything is built."""
    global _scale
    _scale = at


def rescale(*windows: str | int) -> None:
    """Scale all sizes in ``windows``; once, when they are built."""
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
