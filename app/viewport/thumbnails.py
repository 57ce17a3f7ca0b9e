"""Thumbnails of the photos, as they arrive."""

from __future__ import annotations

import io

import numpy as np

from core.protocol import Opened, Thumbnails

SIDE_PX = 96
"""Longer side of a thumbnail."""
MISSING_GREY = 70
"""Grey value of thumbnails that have not arrived."""


class ThumbnailStore:
    """All thumbnails in one array, which is a new one whenever some have arrived."""

    def __init__(self) -> None:
        self.images = np.zeros((0, 1, 1, 3), np.uint8)
        """uint8 [N, h, w, 3] in the order of the cameras."""

    def reset(self, opened: Opened | None) -> None:
        """Forget all, and prepare for another scene."""
        aspect = opened.aspect if opened else 1.0
        width = SIDE_PX if aspect >= 1 else max(8, round(SIDE_PX * aspect))
        height = SIDE_PX if aspect <= 1 else max(8, round(SIDE_PX / aspect))
        n = len(opened.names) if opened else 0
        self.images = np.full((n, height, width, 3), MISSING_GREY, np.uint8)

    def add(self, message: Thumbnails) -> None:
        """Decode the thumbnails of a message."""
        from PIL import Image  # a window that has nothing open shows itself sooner without

        n, height, width = self.images.shape[:3]
        pictures = self.images.copy()
        for i, data in enumerate(message.images, message.first):
            if data and i < n:
                with Image.open(io.BytesIO(data)) as image:
                    pictures[i] = np.asarray(image.convert("RGB").resize((width, height)))
        self.images = pictures
