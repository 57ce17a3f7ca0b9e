"""Whether two pictures are the same but for rounding and smoothing of edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter

PICTURES = Path(__file__).parent / "pictures"
SIGMA = 1.0
"""Of the blur before, pixels: an edge that is a fraction of a pixel off counts as little."""
MEAN = 1.0
"""Mean difference of the channels, of 255."""
VISIBLE = 16
"""A difference that is seen, of 255."""
PATCH, MOST = 16, 0.2
"""Side of a square in pixels, and the fraction of any such square that may be seen to differ."""


def difference(found: np.ndarray, stored: np.ndarray) -> str:
    """Why two pictures uint8 [H, W, 3] are not the same; "" where they are."""
    if found.shape != stored.shape:
        return f"the size is {found.shape}, stored is {stored.shape}"
    blurred = [gaussian_filter(i.astype(float), (SIGMA, SIGMA, 0)) for i in (found, stored)]
    off = np.abs(blurred[0] - blurred[1])
    mean = off.mean()
    worst = uniform_filter((off.max(-1) > VISIBLE).astype(float), PATCH).max()
    if mean <= MEAN and worst <= MOST:
        return ""
    return f"mean difference {mean:.2f} of {MEAN}, {worst:.0%} of a patch of {MOST:.0%} differ"


class Golden:
    """Compares pictures with those stored, or stores them.

    Args:
        renew: store them.
        failed: folder for those that are not the same.
    """

    def __init__(self, renew: bool, failed: Path) -> None:
        self._renew, self._failed = renew, failed

    def check(self, name: str, found: np.ndarray) -> None:
        """``found`` uint8 [H, W, 3] is the stored picture ``name``."""
        path = PICTURES / f"{name}.png"
        if self._renew:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(found).save(path, optimize=True)
        assert path.is_file(), f"{path} is missing; --renew-golden stores it"
        why = difference(found, load(name))
        if why:
            seen = self._failed / f"{path.stem}.png"
            Image.fromarray(found).save(seen)
            raise AssertionError(f"{path.name}: {why}; what was drawn: {seen}")


def load(name: str) -> np.ndarray:
    """The stored picture, uint8 [H, W, 3]."""
    with Image.open(PICTURES / f"{name}.png") as image:
        return np.asarray(image.convert("RGB"))
