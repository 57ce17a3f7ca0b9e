"""Photos as the refinement compares them: grey, without lens distortion, at one size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import map_coordinates

from core.capture.photos import read_rgba
from core.capture.scene import Photo
from core.geometry.cameras import Intrinsics, project

MARGIN = 16
"""pixels about the mesh in a photo that are read too, for it moves"""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
OPAQUE = 250
"""of 255, the opacity from which on a pixel shows the subject"""


@dataclass(frozen=True)
class PinholePhoto:
    """A photo seen through a pinhole lens."""

    lens: Intrinsics
    """without distortion"""
    world_from_camera: np.ndarray
    """[4, 4] rigid, OpenCV axes, in the frame of the mesh"""
    grey: np.ndarray
    """[H, W] float32 in [0, 1]"""
    known: np.ndarray
    """[H, W] bool: the photo shows the subject there, or has no mask"""

    def cropped(self, wanted: np.ndarray) -> PinholePhoto:
        """The box about the ``wanted`` pixels [H, W] and a margin; of none, the first pixels."""
        rows, columns = np.flatnonzero(wanted.any(1)), np.flatnonzero(wanted.any(0))
        top, bottom = _with_margin(rows, self.lens.height)
        left, right = _with_margin(columns, self.lens.width)
        lens = replace(
            self.lens,
            width=right - left,
            height=bottom - top,
            cx=self.lens.cx - left,
            cy=self.lens.cy - top,
        )
        box = slice(top, bottom), slice(left, right)
        return PinholePhoto(
            lens,
            self.world_from_camera,
            np.ascontiguousarray(self.grey[box]),
            np.ascontiguousarray(self.known[box]),
        )


def _with_margin(indices: np.ndarray, n: int) -> tuple[int, int]:
    """From the first to the last of ``indices``, and `MARGIN` more where there are so many."""
    if not len(indices):
        return 0, min(MARGIN, n)
    return max(0, int(indices[0]) - MARGIN), min(n, int(indices[-1]) + 1 + MARGIN)


def read_pinhole_photo(photo: Photo, max_side: int) -> PinholePhoto:
    """Read ``photo``, undistort it and shrink its longer side to ``max_side`` pixels.

    Raises:
        UserError: the file cannot be read.
    """
    lens = photo.intrinsics.shrunk(max_side)
    rgba = read_rgba(photo, lens)
    grey = rgba[..., :3].astype(np.float32) @ LUMA / 255
    known = rgba[..., 3] >= OPAQUE
    pinhole = replace(lens, model="pinhole", distortion=())
    if lens.distortion and any(lens.distortion):
        v, u = np.mgrid[: lens.height, : lens.width] + 0.5
        plane = np.stack([(u - lens.cx) / lens.fx, (v - lens.cy) / lens.fy, np.ones_like(u)], -1)
        pixels = project(lens, plane.reshape(-1, 3)).reshape(*u.shape, 2)
        inside = np.all((pixels > 0.5) & (pixels < [lens.width - 0.5, lens.height - 0.5]), axis=-1)
        at = np.where(inside[..., None], pixels - 0.5, 0).transpose(2, 0, 1)[::-1]
        grey = map_coordinates(grey, at, order=1)
        known = inside & (map_coordinates(known.astype(np.float32), at, order=1) > 0.999)
    return PinholePhoto(pinhole, photo.world_from_camera, np.ascontiguousarray(grey), known)
