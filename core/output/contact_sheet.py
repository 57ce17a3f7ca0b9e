"""Contact sheets: images side by side under captions, for people to judge a result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP_PX, TEXT_PX = 8, 16
"""pixels between images, and height of the captions"""
BACKGROUND_COLOR, TEXT_COLOR = (255, 255, 255), (40, 40, 40)
"""sRGB levels"""


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    names: Sequence[str] = (),
    max_side: int = 400,
) -> np.ndarray:
    """Compose a sheet of one column per title and one row per photo.

    Args:
        rows: images [H, W, 3], float in [0, 1] or uint8.
        titles: above the columns.
        names: below each row; none where empty.
        max_side: images are scaled to this longer side, pixels.

    Returns:
        [H, W, 3] uint8.
    """
    cells = [[_fit(_as_image(image), max_side) for image in row] for row in rows]
    widths = [max(row[i].width for row in cells) for i in range(len(titles))]
    heights = [max(image.height for image in row) for row in cells]
    line = TEXT_PX + GAP_PX
    below = line if names else 0
    size = (
        sum(widths) + GAP_PX * (len(widths) + 1),
        line + GAP_PX + sum(heights) + (GAP_PX + below) * len(heights),
    )
    sheet = Image.new("RGB", size, BACKGROUND_COLOR)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_PX)
    lefts = [GAP_PX + sum(widths[:i]) + GAP_PX * i for i in range(len(widths))]
    for left, width, title in zip(lefts, widths, titles):
        draw.text((left + width / 2, GAP_PX), title, TEXT_COLOR, font, anchor="mt")
    top = line + GAP_PX
    for number, (row, height) in enumerate(zip(cells, heights)):
        for left, width, image in zip(lefts, widths, row):
            sheet.paste(image, (left + (width - image.width) // 2, top))
        if names:
            draw.text(
                (GAP_PX, top + height + GAP_PX // 2), names[number], TEXT_COLOR, font, anchor="lt"
            )
        top += height + GAP_PX + below
    return np.asarray(sheet)


def _as_image(image: np.ndarray) -> Image.Image:
    """8-bit image of the first three channels."""
    if image.dtype != np.uint8:
        image = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(image[..., :3]))


def _fit(image: Image.Image, max_side: int) -> Image.Image:
    """Scale an image to the longer side ``max_side``."""
    scale = max_side / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
