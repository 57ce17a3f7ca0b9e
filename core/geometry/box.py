"""The region of interest as an oriented box.

A box is the [4, 4] affine map ``frame_from_cube`` from the cube [-1, 1]³ to it: its linear part is
a rotation, whose columns are the box's axes, times the half lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np

from core.base.shapes import check_shapes
from core.geometry.rigid import transform_points

Setting = Literal["object", "on_plane", "on_wall", "facade", "room"]
"""What the photos show: an object, alone, on a table or floor, or on a wall; a facade; or a room
around the cameras."""


@dataclass(frozen=True, eq=False)
class Box:
    """An oriented box in some frame."""

    frame_from_cube: np.ndarray
    """[4, 4] affine map from the cube [-1, 1]³"""

    @staticmethod
    def of(center: np.ndarray, half: np.ndarray, axes: np.ndarray | None = None) -> Box:
        """Return a box by its size.

        Args:
            center: [3].
            half: [3] half lengths along the axes.
            axes: [3, 3] rotation, whose columns are the axes; None: the axes of the frame.
        """
        cube = np.eye(4)
        cube[:3, :3] = (np.eye(3) if axes is None else axes) * np.asarray(half, np.float64)
        cube[:3, 3] = center
        return Box(cube)

    @staticmethod
    def bounding(points: np.ndarray, axes: np.ndarray | None = None, margin: float = 1.0) -> Box:
        """Return the smallest box with these ``axes`` around ``points``.

        Args:
            points: [P, 3].
            axes: [3, 3] rotation, as in `of`.
            margin: factor on the lengths.
        """
        check_shapes(points=(points, "P 3"))
        turn = np.eye(3) if axes is None else axes
        local = points @ turn
        low, high = local.min(0), local.max(0)
        return Box.of(turn @ ((low + high) / 2), margin * (high - low) / 2, turn)

    @property
    def center(self) -> np.ndarray:
        """[3] centre."""
        return self.frame_from_cube[:3, 3]

    @property
    def half(self) -> np.ndarray:
        """[3] half lengths."""
        return np.linalg.norm(self.frame_from_cube[:3, :3], axis=0)

    @property
    def axes(self) -> np.ndarray:
        """[3, 3] rotation; its columns are the box's axes."""
        return self.frame_from_cube[:3, :3] / self.half

    @property
    def radius(self) -> float:
        """Radius of the sphere through all corners."""
        return float(np.linalg.norm(self.half))

    @property
    def cube_from_frame(self) -> np.ndarray:
        """[4, 4] inverse of `frame_from_cube`."""
        return np.linalg.inv(self.frame_from_cube)

    def corners(self) -> np.ndarray:
        """Return the corners [8, 3]; bit i of their number tells the end of axis i."""
        bits = np.arange(8)[:, None] >> np.arange(3) & 1
        return transform_points(self.frame_from_cube, 2.0 * bits - 1)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Return which of ``points`` [P, 3] are in the box, bool [P]."""
        check_shapes(points=(points, "P 3"))
        local = transform_points(self.cube_from_frame, np.asarray(points, np.float64))
        return np.asarray((np.abs(local) <= 1 + 1e-9).all(1))

    def with_nearest_axes(self, rotation: np.ndarray) -> Box:
        """Return the same box, its axes permuted and flipped.

        Each is then, after ``rotation`` [3, 3], nearest to the frame axis of its number.
        """
        seen = rotation @ self.axes
        order = list(max(permutations(range(3)), key=lambda p: np.abs(seen[range(3), p]).sum()))
        along = seen[range(3), order]
        signs = np.where(along < 0, -1.0, 1.0)
        if np.linalg.det(self.axes[:, order] * signs) < 0:
            signs[np.argmin(np.abs(along))] *= -1
        return Box.of(self.center, self.half[order], self.axes[:, order] * signs)

    def transformed(self, similarity: np.ndarray) -> Box:
        """Return this box transformed by ``similarity`` [4, 4]."""
        check_shapes(similarity=(similarity, "4 4"))
        return Box(similarity @ self.frame_from_cube)


WHOLE_SCENE = Box(np.eye(4))
"""The box [-1, 1]³ in the scene frame, which contains the unit ball."""
