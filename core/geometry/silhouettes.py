"""The region of interest from silhouettes: a coarse visual hull (Laurentini 1994)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.geometry.cameras import Intrinsics, project
from core.geometry.rigid import invert, transform_points
from core.geometry.scene_ball import Ball

_CELLS = 56  # along each side of the carved box
_AGREEMENT = 0.93  # of the views that see a cell, for it to be kept: a few masks may be wrong
_SEEN_BY = 0.3  # of all views, for a cell to count at all
_SMALL_PART = 0.01  # of the volume; smaller separate parts are faults of masks
_START_REACH = 1.6  # half the first box, in radii of the ball that the search starts from


@dataclass(frozen=True)
class Silhouette:
    """``mask`` bool [H, W], True on the subject; ``lens`` at the mask's scale."""

    lens: Intrinsics
    world_from_camera: np.ndarray  # [4, 4]
    mask: np.ndarray


def visual_hull(
    views: list[Silhouette], start: Ball, within: bool = False
) -> tuple[np.ndarray, float]:
    """Points [K, 3] at the middles of the cells that all silhouettes allow, none where there is
    nothing, and how far a cell reaches from there. Searched for around ``start``, or ``within`` it
    alone."""
    center, radius = start
    reach = (1.0 if within else _START_REACH) * radius
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
    """Centres [K, 3] of the cells of the box that the silhouettes allow, and a cell's size [3].

    A cell is allowed by a view whose silhouette it touches; specks are dropped."""
    size = (upper - lower) / _CELLS
    middle = (lower + upper) / 2
    index = np.indices((_CELLS,) * 3).reshape(3, -1).T
    centers = lower + (index + 0.5) * size
    seen = np.zeros(len(centers), np.int32)
    missed = np.zeros(len(centers), np.int32)
    for view in views:
        # Most cells are out after a few views; the others are not projected for them again.
        open_cells = np.flatnonzero(missed <= (1 - _AGREEMENT) * len(views))
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
    kept = (missed <= (1 - _AGREEMENT) * seen) & (seen >= max(2, _SEEN_BY * len(views)))
    return centers[_without_specks(kept.reshape((_CELLS,) * 3)).ravel()], size


def _without_specks(cells: np.ndarray) -> np.ndarray:
    labels = np.zeros(cells.shape, np.int32)
    ndimage.label(cells, np.ones((3, 3, 3)), output=labels)
    volumes = np.bincount(labels.ravel())
    volumes[0] = 0
    return (volumes >= max(1.0, _SMALL_PART * volumes.sum()))[labels]
