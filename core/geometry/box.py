"""The region of interest as an oriented box.

A box is the [4, 4] affine map ``frame_from_cube`` that carries the cube [-1, 1]³ onto it: its
linear part is a rotation, whose columns are the box's axes, times the half lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np

from core.geometry.rigid import transform_points

Setting = Literal["object", "on_plane", "on_wall", "facade", "room"]
"""What cameras were pointed at: something they stand around, by itself, on a table or a floor, or
standing out of a wall; one side of something; or what surrounds them."""


@dataclass(frozen=True, eq=False)
class Box:
    """See the module; in whatever frame ``frame_from_cube`` says."""

    frame_from_cube: np.ndarray

    @staticmethod
    def of(center: np.ndarray, half: np.ndarray, axes: np.ndarray | None = None) -> Box:
        """The box about ``center`` [3] with half lengths ``half`` [3] along the columns of the
        rotation ``axes`` [3, 3] (default: those of the frame)."""
        cube = np.eye(4)
        cube[:3, :3] = (np.eye(3) if axes is None else axes) * np.asarray(half, np.float64)
        cube[:3, 3] = center
        return Box(cube)

    @staticmethod
    def around(points: np.ndarray, axes: np.ndarray | None = None, margin: float = 1.0) -> Box:
        """The smallest box with these ``axes`` about ``points`` [P, 3], ``margin`` times as
        large."""
        turn = np.eye(3) if axes is None else axes
        local = points @ turn
        low, high = local.min(0), local.max(0)
        return Box.of(turn @ ((low + high) / 2), margin * (high - low) / 2, turn)

    @property
    def center(self) -> np.ndarray:
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
        """Of the ball about the centre on which all corners lie."""
        return float(np.linalg.norm(self.half))

    @property
    def cube_from_frame(self) -> np.ndarray:
        """[4, 4] the inverse map."""
        return np.linalg.inv(self.frame_from_cube)

    def corners(self) -> np.ndarray:
        """[8, 3]; corner number k lies at the upper end of axis i where bit i of k is set."""
        bits = np.arange(8)[:, None] >> np.arange(3) & 1
        return transform_points(self.frame_from_cube, 2.0 * bits - 1)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Which of ``points`` [P, 3] lie in the box, bool [P]."""
        local = transform_points(self.cube_from_frame, np.asarray(points, np.float64))
        return np.asarray((np.abs(local) <= 1 + 1e-9).all(1))

    def facing(self, rotation: np.ndarray) -> Box:
        """The same box, its axes renamed so that each is, after ``rotation`` [3, 3], nearest to the
        axis of that number."""
        seen = rotation @ self.axes
        order = list(max(permutations(range(3)), key=lambda p: np.abs(seen[range(3), p]).sum()))
        along = seen[range(3), order]
        signs = np.where(along < 0, -1.0, 1.0)
        if np.linalg.det(self.axes[:, order] * signs) < 0:
            signs[np.argmin(np.abs(along))] *= -1
        return Box.of(self.center, self.half[order], self.axes[:, order] * signs)

    def carried(self, similarity: np.ndarray) -> Box:
        """This box in another frame, ``similarity`` [4, 4] away."""
        return Box(similarity @ self.frame_from_cube)


WHOLE = Box(np.eye(4))
"""In the scene's frame: all of the unit ball."""
