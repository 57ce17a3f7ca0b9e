"""The region of interest from silhouettes: a coarse visual hull (Laurentini 1994)."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# scipy has no types

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.geometry.cameras import Intrinsics, project
from core.geometry.rigid import invert, transform_points
from core.geometry.scene_ball import Ball

_CELLS = 56  # along each side of the carved box
_MIN_AGREEMENT = 0.93  # of the views that see a cell, for it to be kept: a few masks may be wrong
_MIN_SEEN_FRACTION = 0.3  # of all views, for a cell to count at all
_SPECK_FRACTION = 0.01  # of the volume; smaller separate parts are errors of masks
_START_RADII = 1.6  # half the first box, in radii of the ball that the search starts from


@dataclass(frozen=True)
class Silhouette:
    """The mask of the subject in one photo."""

    lens: Intrinsics
    """at the scale of the mask"""
    world_from_camera: np.ndarray
    """[4, 4] pose"""
    mask: np.ndarray
    """[H, W] bool, True on the subject"""


def visual_hull(
    views: list[Silhouette], start: Ball, within: bool = False
) -> tuple[np.ndarray, float]:
    """Carve the visual hull (Laurentini 1994) on a coarse grid.

    Args:
        views: the silhouettes.
        start: ball around which to search.
        within: whether to search only in that ball.

    Returns:
        The centres [K, 3] of the cells of the hull, and half the diagonal of a cell.
    """
    center, radius = start
    reach = (1.0 if within else _START_RADII) * radius
    lower, upper = center - reach, center + reach
    kept, size = np.zeros((0, 3)), np.zeros(3)
    for _ in range(2):  # the second time within the bounds found by the first
        kept, size = carve(views, lower, upper)
        if within:
            kept = kept[np.linalg.norm(kept - center, axis=1) < radius]
        if not len(kept):
            break
        lower, upper = kept.min(0) - 1.5 * size, kept.max(0) + 1.5 * size
    return kept, float(np.linalg.norm(size)) / 2


def carve(
    views: list[Silhouette], lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return centres [K, 3] of the cells of a box that are in the hull, and a cell's size [3].

    A cell agrees with a view whose silhouette it touches; specks are removed.
    """
    size = (upper - lower) / _CELLS
    middle = (lower + upper) / 2
    index = np.indices((_CELLS,) * 3).reshape(3, -1).T
    centers = lower + (index + 0.5) * size
    seen = np.zeros(len(centers), np.int32)
    missed = np.zeros(len(centers), np.int32)
    for view in views:
        # Most cells are out after a few views; the others are not projected for them again.
        open_cells = np.flatnonzero(missed <= (1 - _MIN_AGREEMENT) * len(views))
        camera_from_world = invert(view.world_from_camera)
        distance = np.linalg.norm(transform_points(camera_from_world, middle[None]))
        reach = int(np.ceil(0.5 * size.max() * view.lens.fx / max(distance, 1e-9)))
        window = 2 * min(reach, max(view.mask.shape)) + 1
        touched = np.asarray(ndimage.maximum_filter(view.mask, window), bool)
        uv = project(view.lens, transform_points(camera_from_world, centers[open_cells]))
        height, width = view.mask.shape
        with np.errstate(invalid="ignore"):  # NaN behind the camera compares as outside
            visible = (uv >= 0).all(1) & (uv[:, 0] < width) & (uv[:, 1] < height)
        column, row = uv[visible].astype(np.int64).T
        seen[open_cells] += visible
        missed[open_cells[visible]] += ~touched[row, column]
    kept = (missed <= (1 - _MIN_AGREEMENT) * seen) & (
        seen >= max(2, _MIN_SEEN_FRACTION * len(views))
    )
    return centers[_without_specks(kept.reshape((_CELLS,) * 3)).ravel()], size


def _without_specks(cells: np.ndarray) -> np.ndarray:
    """Remove small connected components of ``cells`` [X, Y, Z] bool."""
    labels = np.zeros(cells.shape, np.int32)
    ndimage.label(cells, np.ones((3, 3, 3)), output=labels)
    volumes = np.bincount(labels.ravel())
    volumes[0] = 0
    return (volumes >= max(1.0, _SPECK_FRACTION * volumes.sum()))[labels]
