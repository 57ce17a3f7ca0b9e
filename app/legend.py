"""What colours of the picture mean, drawn in its lower left corner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.gui import dpg
from app.text import say
from core.messages import PreviewMode
from core.palette import INSIDE, OUTSIDE, WORST, ZERO, heat, level_colors

LINE, SWATCH, BAR = 20, 14, 180
LEFT, BELOW = 14, 14
TEXT_SIZE = 15
LETTER = 7.6
"""Pixels of a letter, about."""
PLATE, INK = (12, 14, 18, 175), (232, 234, 238, 255)


@dataclass(frozen=True)
class Legend:
    """``n_levels``: of the hash grid; ``apart``: words that say how far apart contours are;
    ``through``: whether a photo is looked through."""

    mode: PreviewMode = "color"
    n_levels: int = 1
    apart: str = ""
    through: bool = False


def draw_legend(parent: str, legend: Legend, size: tuple[int, int]) -> None:
    """Draw it into the layer ``parent`` of a viewport of ``size``."""
    bottom = size[1] - BELOW
    match legend.mode:
        case "slice":
            rows = [(color, say(f"legend.{side}")) for color, side in (
                (INSIDE, "inside"), (ZERO, "surface"), (OUTSIDE, "outside"))]
            _swatches(parent, rows, bottom, say("legend.lines", apart=legend.apart))
        case "level":
            _levels(parent, legend.n_levels, bottom)
        case "error" if legend.through:
            _errors(parent, bottom)
        case "error":
            draw_words(parent, (LEFT, bottom - 24), say("legend.no_photo"))


def draw_words(parent: str, at: tuple[float, float], words: str, *, right: bool = False) -> None:
    """``words`` on a dark plate, ``at`` their upper left corner, or upper ``right``."""
    if not words:
        return
    width = LETTER * len(words)
    x, y = (at[0] - width if right else at[0]), at[1]
    dpg.draw_rectangle(
        (x - 7, y - 4), (x + width + 7, y + TEXT_SIZE + 6), parent=parent, color=PLATE, fill=PLATE,
        rounding=5,
    )
    dpg.draw_text((x, y), words, parent=parent, size=TEXT_SIZE, color=INK)


def _plate(parent: str, width: float, height: float, bottom: float) -> float:
    """Its top."""
    top = bottom - height
    dpg.draw_rectangle(
        (LEFT - 4, top - 6), (LEFT + width + 8, bottom + 4), parent=parent, color=PLATE, fill=PLATE,
        rounding=6,
    )
    return top


def _swatches(
    parent: str, rows: list[tuple[tuple[float, float, float], str]], bottom: float, title: str
) -> None:
    width = LETTER * max(len(title), 12) + 8
    top = _plate(parent, width, LINE * (len(rows) + 1), bottom)
    dpg.draw_text((LEFT + 4, top), title, parent=parent, size=TEXT_SIZE, color=INK)
    for i, (color, words) in enumerate(rows):
        y = top + LINE * (i + 1)
        _patch(parent, (LEFT + 4, y + 2), (SWATCH, SWATCH), np.array(color))
        place = (LEFT + 12 + SWATCH, y)
        dpg.draw_text(place, words, parent=parent, size=TEXT_SIZE, color=INK)


def _levels(parent: str, n_levels: int, bottom: float) -> None:
    width = max(BAR, 20 * n_levels)
    top = _plate(parent, width, 3 * LINE, bottom)
    title = say("legend.level")
    dpg.draw_text((LEFT + 4, top), title, parent=parent, size=TEXT_SIZE, color=INK)
    step = width / n_levels
    for i, color in enumerate(level_colors(n_levels)):
        _patch(parent, (LEFT + 2 + i * step, top + LINE + 2), (step - 2, SWATCH), color)
        label = (LEFT + 2 + i * step + step / 2 - 4 * len(str(i + 1)), top + 2 * LINE)
        dpg.draw_text(label, str(i + 1), parent=parent, size=TEXT_SIZE - 2, color=INK)


def _errors(parent: str, bottom: float) -> None:
    top = _plate(parent, BAR + 60, 3 * LINE, bottom)
    title = say("legend.error")
    dpg.draw_text((LEFT + 4, top), title, parent=parent, size=TEXT_SIZE, color=INK)
    steps = 30
    for i in range(steps):
        color = heat(np.array(WORST * (i + 0.5) / steps))
        left = LEFT + 4 + BAR * i / steps
        _patch(parent, (left, top + LINE + 2), (BAR / steps + 1, SWATCH), color)
    for share, words in ((0.0, "0"), (0.5, f"{50 * WORST:.0f} %"), (1.0, f"{100 * WORST:.0f} %+")):
        place = (LEFT + 4 + share * BAR - 4, top + 2 * LINE)
        dpg.draw_text(place, words, parent=parent, size=TEXT_SIZE - 2, color=INK)


def _patch(
    parent: str, at: tuple[float, float], size: tuple[float, float], color: np.ndarray
) -> None:
    shade = [*(255 * color).round().astype(int).tolist(), 255]
    far = (at[0] + size[0], at[1] + size[1])
    dpg.draw_rectangle(at, far, parent=parent, color=shade, fill=shade)
