"""Explains the colours of the picture, in its lower left corner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.platform.gui import dpg
from app.platform.scaling import px
from app.text.catalog import tr
from app.viewport.orbit_camera import SCENE_AXES
from core.base.colormaps import (
    INSIDE_COLOR,
    MAX_ERROR,
    OUTSIDE_COLOR,
    ZERO_LEVEL_COLOR,
    depth_colors,
    error_colors,
    level_colors,
    normal_colors,
)
from core.geometry.view import PreviewMode

LINE, SWATCH, BAR, LEVEL = 22, 14, 190, 22
"""Height of a line, of a patch of colour, width of a scale, least width of a level; pixels
before scaling."""
LEFT, BELOW, PAD = 12, 12, 7
STEPS = 30
"""Patches of a scale."""
TEXT_SIZE = 16
PLATE, INK = (12, 14, 18, 175), (232, 234, 238, 255)


@dataclass(frozen=True)
class Legend:
    """What the legend explains."""

    mode: PreviewMode = "color"
    """The display mode."""
    n_levels: int = 1
    """Of the hash grid."""
    contour_spacing: str = ""
    """Between contours, with its unit."""
    has_photo: bool = False
    """Whether the camera looks through a photo."""
    depth_range: tuple[str, str] = ("", "")
    """Nearest and farthest depth, with their unit."""
    axes: tuple[float, ...] = SCENE_AXES
    """As in `OrbitCamera`."""


def draw_legend(parent: str, legend: Legend, size: tuple[int, int]) -> None:
    """Draw ``legend`` into the layer ``parent`` of a viewport of ``size`` pixels."""
    bottom = size[1] - px(BELOW)
    match legend.mode:
        case "slice":
            rows = [
                (color, tr(f"legend.{side}"))
                for color, side in (
                    (INSIDE_COLOR, "inside"),
                    (ZERO_LEVEL_COLOR, "surface"),
                    (OUTSIDE_COLOR, "outside"),
                )
            ]
            _draw_swatches(
                parent, rows, bottom, tr("legend.contours", spacing=legend.contour_spacing)
            )
        case "normals":
            ways = np.reshape(legend.axes, (3, 3)).T
            rows = [(tuple(normal_colors(way)), name) for way, name in zip(ways, "XYZ")]
            _draw_swatches(parent, rows, bottom, tr("legend.normals"))
        case "depth":
            near, far = legend.depth_range
            _draw_scale(parent, bottom, tr("legend.depth"), depth_colors, ((0.0, near), (1.0, far)))
        case "level":
            _draw_levels(parent, legend.n_levels, bottom)
        case "error" if legend.has_photo:
            half, all_of = (f"{100 * fraction * MAX_ERROR:.0f}%" for fraction in (0.5, 1))
            marks = ((0.0, "0"), (0.5, half), (1.0, f"{all_of}+"))
            _draw_scale(
                parent, bottom, tr("legend.error"), lambda x: error_colors(MAX_ERROR * x), marks
            )
        case "error":
            draw_label(parent, (px(LEFT), bottom - px(LINE)), tr("legend.no_photo"))
        case _:
            pass


def text_width(text: str) -> int:
    """Return the width of ``text``, pixels."""
    return round((dpg.get_text_size(text) or (0, 0))[0])


def draw_label(parent: str, at: tuple[float, float], text: str, *, right: bool = False) -> None:
    """Draw ``text`` on a dark plate; ``at`` is its upper left corner, or upper ``right``."""
    if not text:
        return
    width = text_width(text)
    x, y = (at[0] - width if right else at[0]), at[1]
    dpg.draw_rectangle(
        (x - px(PAD), y - px(3)),
        (x + width + px(PAD), y + px(TEXT_SIZE + 5)),
        parent=parent,
        color=PLATE,
        fill=PLATE,
        rounding=px(5),
    )
    _draw_text(parent, (x, y), text)


def _draw_text(parent: str, at: tuple[float, float], text: str) -> None:
    dpg.draw_text(at, text, parent=parent, size=px(TEXT_SIZE), color=INK)


def _draw_plate(parent: str, width: float, n_lines: int, bottom: float) -> tuple[float, float]:
    """Draw a plate for ``n_lines``; returns the upper left corner of its content."""
    left, top = px(LEFT), bottom - px(LINE) * n_lines
    dpg.draw_rectangle(
        (left - px(PAD), top - px(PAD)),
        (left + width + px(PAD), bottom),
        parent=parent,
        color=PLATE,
        fill=PLATE,
        rounding=px(6),
    )
    return left, top


def _draw_swatches(
    parent: str, rows: list[tuple[tuple[float, float, float], str]], bottom: float, title: str
) -> None:
    beside = px(SWATCH + 8)
    width = max(text_width(title), *(beside + text_width(text) for _, text in rows))
    left, top = _draw_plate(parent, width, len(rows) + 1, bottom)
    _draw_text(parent, (left, top), title)
    for i, (color, text) in enumerate(rows):
        y = top + px(LINE) * (i + 1)
        _draw_patch(parent, (left, y + px(2)), (px(SWATCH), px(SWATCH)), np.array(color))
        _draw_text(parent, (left + beside, y), text)


def _draw_levels(parent: str, n_levels: int, bottom: float) -> None:
    title = tr("legend.level")
    width = max(text_width(title), px(LEVEL) * n_levels)
    left, top = _draw_plate(parent, width, 3, bottom)
    _draw_text(parent, (left, top), title)
    step = width / n_levels
    for i, color in enumerate(level_colors(n_levels)):
        _draw_patch(parent, (left + i * step, top + px(LINE)), (step - 2, px(SWATCH)), color)
        middle = left + (i + 0.5) * step
        number = str(i + 1)
        _draw_text(parent, (middle - text_width(number) / 2, top + px(LINE + SWATCH + 3)), number)


def _draw_scale(
    parent: str,
    bottom: float,
    title: str,
    colors: Callable[[np.ndarray], np.ndarray],
    marks: tuple[tuple[float, str], ...],
) -> None:
    """Draw a colour scale.

    Args:
        parent: Layer to draw into.
        bottom: Lower edge, pixels.
        title: Above the scale.
        colors: Maps [N] values in [0, 1] to [N, 3] colours.
        marks: Places in [0, 1] with their labels.
    """
    width = max(text_width(title), px(BAR) + text_width(marks[-1][1]) // 2)
    left, top = _draw_plate(parent, width, 3, bottom)
    _draw_text(parent, (left, top), title)
    step = px(BAR) / STEPS
    for i, color in enumerate(colors((np.arange(STEPS) + 0.5) / STEPS)):
        _draw_patch(parent, (left + i * step, top + px(LINE)), (step + 1, px(SWATCH)), color)
    for fraction, text in marks:
        x = (
            left
            + fraction * (px(BAR) - 0.5 * text_width(text))
            - (0.25 * text_width(text) if 0 < fraction < 1 else 0)
        )
        _draw_text(parent, (x, top + px(LINE + SWATCH + 3)), text)


def _draw_patch(
    parent: str, at: tuple[float, float], size: tuple[float, float], color: np.ndarray
) -> None:
    shade = [*(255 * color).round().astype(int).tolist(), 255]
    far = (at[0] + size[0], at[1] + size[1])
    dpg.draw_rectangle(at, far, parent=parent, color=shade, fill=shade)
