"""Small pictures of the photos, as they arrive."""

from __future__ import annotations

import io

import numpy as np

from core.protocol import Opened
from core.protocol import Thumbnails as Arrived

SIDE = 96
MISSING = 70
"""The grey of a picture that is not there."""


class Thumbnails:
    """``pictures`` uint8 [N, h, w, 3] of the photos in the order of the cameras, all of one size;
    a new array whenever some have arrived."""

    def __init__(self) -> None:
        self.pictures = np.zeros((0, 1, 1, 3), np.uint8)

    def open(self, opened: Opened | None) -> None:
        """Another scene: none of its pictures is there yet."""
        aspect = opened.aspect if opened else 1.0
        width = SIDE if aspect >= 1 else max(8, round(SIDE * aspect))
        height = SIDE if aspect <= 1 else max(8, round(SIDE / aspect))
        n = len(opened.names) if opened else 0
        self.pictures = np.full((n, height, width, 3), MISSING, np.uint8)

    def take(self, arrived: Arrived) -> None:
        """Some have arrived."""
        from PIL import Image  # a window that has nothing open shows itself sooner without

        n, height, width = self.pictures.shape[:3]
        pictures = self.pictures.copy()
        for i, data in enumerate(arrived.pictures, arrived.first):
            if data and i < n:
                with Image.open(io.BytesIO(data)) as image:
                    pictures[i] = np.asarray(image.convert("RGB").resize((width, height)))
        self.pictures = pictures
