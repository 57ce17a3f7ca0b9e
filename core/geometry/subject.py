"""The subject of a capture as an upright box, from the cameras' view and the density of points.

The frame has +Z up. `reach` is the radius of what a typical photo shows around the centre of view;
it is the unit of the lengths below.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# scipy has no types

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from core.base.shapes import check_shapes
from core.geometry.box import Box, Setting
from core.geometry.cameras import Intrinsics
from core.geometry.planes import Plane, dominant_plane
from core.geometry.rigid import rotation_about_z, transform_points
from core.geometry.scene_ball import (
    Ball,
    centrality,
    enclosing_ball,
    focus_point,
    framed_radius,
    weighted_quantile,
)

_MAX_POINTS = 20_000
_TRUST_IN_POINTS = 0.05
_BEYOND_FRAME = 1.2  # points farther from the middle than this are background
_UP = np.array([0.0, 0.0, 1.0])

_GROUND_TOLERANCE = 0.03  # a bed is not flat
_GROUND_TILT = 20.0  # degrees
_GROUND_FRACTION, _LEVEL_FRACTION = 0.12, 0.3
_LEVEL_TOLERANCE = 0.01  # only what is as flat as a table tells where up is
_MAX_BELOW = 0.25  # of all points

_ONE_SIDED = 0.75  # length of the mean viewing direction
_WALL_TOLERANCE, _WALL_FRACTION = 0.03, 0.3
_MAX_BEHIND = 0.15  # of the weight
_FACING = 0.8  # cosine between a wall's normal and the mean viewing direction

_MIN_POINTS = 20
_CELL = 1 / 8
_SPARSE = 0.1  # of the typical density and less is not part of the cloud
_OUTLIERS = 0.002  # of the points at either end of each axis
_RELIEF_OUTLIERS, _ROOM_OUTLIERS = 0.01, 0.02
_STANDS_OUT_OF_WALL = 0.25  # of what is looked at, for it to be the subject and not the wall
_MARGIN, _NEIGHBOURS = 0.14, 10  # of the radius of its ball
_WALL_DEPTH = 0.06  # before and behind it, and on its sides
_BELOW, _BEHIND = 0.08, 0.12  # of its height: so much of what it stands on or hangs at is kept
_YAWS = np.radians(np.arange(0, 90, 3))


@dataclass(frozen=True)
class Aim:
    """What the cameras look at."""

    middle: np.ndarray
    """[3] centre of view"""
    reach: float
    """radius of what a typical photo shows around it"""
    weights: np.ndarray
    """[P] how central each point is in the photos, in [0, 1]"""
    outward: bool
    """whether the cameras look away from each other, as in a room"""

    def transformed(self, rigid: np.ndarray) -> Aim:
        """Return this transformed by ``rigid`` [4, 4]."""
        return replace(self, middle=transform_points(rigid, self.middle[None])[0])


@dataclass(frozen=True)
class Subject:
    """The subject of a capture."""

    box: Box
    ball: Ball
    """around the subject; nearly empty corners of the box may be outside"""
    setting: Setting
    ground: float | None = None
    """height of the ground below the subject, if it was found"""


def subsample_points(points: np.ndarray) -> np.ndarray:
    """Return at most 20,000 of ``points`` [P, 3], float64."""
    check_shapes(points=(points, "P 3"))
    return points[:: -(-len(points) // _MAX_POINTS)].astype(np.float64)


def find_aim(
    points: np.ndarray, world_from_camera: np.ndarray, lenses: Sequence[Intrinsics]
) -> Aim:
    """Find what the cameras look at.

    People keep their subject in the middle of most photos, so points are weighted by how central
    they are on average.

    Args:
        points: [P, 3].
        world_from_camera: [N, 4, 4] poses.
        lenses: N intrinsics.
    """
    check_shapes(points=(points, "P 3"), world_from_camera=(world_from_camera, "N 4 4"))
    origins, forward = world_from_camera[:, :3, 3], world_from_camera[:, :3, 2]
    focus = focus_point(origins, forward)
    depth = np.einsum("nk,nk->n", forward, focus - origins)
    spread = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    if np.median(depth) < 0.1 * np.median(spread):
        middle = np.median(points, axis=0)
        return Aim(middle, float(np.median(spread)), np.ones(len(points)), True)
    weights = centrality(points, world_from_camera, lenses)
    median = np.array([weighted_quantile(points[:, k], weights**2, 0.5) for k in range(3)])
    middle = focus_point(origins, forward, median, _TRUST_IN_POINTS)
    return Aim(middle, framed_radius(middle, origins, lenses), weights + 1e-9, False)


def level_plane(points: np.ndarray, at: Aim, origins: np.ndarray, up: np.ndarray) -> Plane | None:
    """Find a table or floor, which gives a better estimate of ``up`` [3] than the cameras."""
    return _ground(points, at, origins, up, _LEVEL_TOLERANCE, _LEVEL_FRACTION)


def _ground(
    points: np.ndarray,
    at: Aim,
    origins: np.ndarray,
    up: np.ndarray,
    tolerance: float,
    min_fraction: float,
) -> Plane | None:
    """Find the ground: below the cameras and the centre of view, with few points below it."""
    plane = dominant_plane(points, at.weights, tolerance * at.reach, up, _GROUND_TILT)
    if plane is None or plane.inlier_fraction < min_fraction:
        return None
    below = np.mean(plane.height(points) < -0.1 * at.reach)
    above = np.median(plane.height(origins)) > 0 and plane.height(at.middle) > -0.05 * at.reach
    return plane if above and below < _MAX_BELOW else None


def propose_subject(points: np.ndarray, at: Aim, world_from_camera: np.ndarray) -> Subject:
    """Propose the subject, from ``points`` [P, 3] and upright poses [N, 4, 4]."""
    check_shapes(points=(points, "P 3"), world_from_camera=(world_from_camera, "N 4 4"))
    origins = world_from_camera[:, :3, 3]
    ground = _ground(points, at, origins, _UP, _GROUND_TOLERANCE, _GROUND_FRACTION)
    level = None if ground is None else _level_under(ground, at.middle)
    if at.outward:
        box = upright_box(points, _ROOM_OUTLIERS, _WALL_DEPTH * at.reach)
        whole = box.center, box.radius
        return Subject(box, whole, "room", level)
    near = np.linalg.norm(points - at.middle, axis=1) < _BEYOND_FRAME * at.reach
    near |= near.sum() < _MIN_POINTS
    wall = _wall(points, at, world_from_camera[:, :3, 2])
    if wall is not None:
        axes = _wall_axes(wall)
        cloud = _standing_out(points, near, wall, at, _STANDS_OUT_OF_WALL)
        if cloud is None:
            box = _relief(points[near], at.weights[near], axes, _WALL_DEPTH * at.reach)
            whole = box.center, box.radius
            return Subject(box, whole, "facade", level)
        found = _around(cloud, axes)
        out = int(np.argmax(wall.normal @ axes))
        box = _with_base(found.box, points, out, _BEHIND)
        return replace(found, box=box, ball=_ball_of(box), setting="on_wall", ground=level)
    if ground is not None:
        cloud = _standing_out(points, near, ground, at, 0.0)
        if cloud is not None:
            found = _around(cloud)
            box = _with_base(found.box, points, 2, _BELOW)
            return replace(found, box=box, ball=_ball_of(box), setting="on_plane", ground=level)
    return replace(_around(_densest(points, at, near)), ground=level)


def _standing_out(
    points: np.ndarray, near: np.ndarray, plane: Plane, at: Aim, min_fraction: float
) -> np.ndarray | None:
    """Return the connected cloud of ``points`` [P, 3], of those ``near`` [P], above ``plane``.

    Points within the unevenness of the plane are left out. None where the cloud has less than
    ``min_fraction`` of the weight, or too few points.
    """
    height = plane.height(points)
    below = height[near & (height < 0)]
    uneven = -3 * np.median(below) if len(below) else 0.0  # above as below
    above = near & (height > max(uneven, 0.5 * _GROUND_TOLERANCE * at.reach))
    if above.sum() < _MIN_POINTS or at.weights[above].sum() < min_fraction * at.weights[near].sum():
        return None
    return _densest(points, at, above)


def _around(cloud: np.ndarray, axes: np.ndarray | None = None) -> Subject:
    """Return the subject around ``cloud`` [P, 3].

    The margin grows with the spacing of the points: beyond a sparse end a handle without texture
    may continue.
    """
    neighbours, _ = KDTree(cloud).query(cloud, min(_NEIGHBOURS, len(cloud)))
    core = cloud[upright_box(cloud, _OUTLIERS, 0.0, axes).contains(cloud)]
    _, radius = enclosing_ball(core)
    margin = _MARGIN * radius + float(np.median(neighbours[:, -1]))
    box = upright_box(core, 0.0, margin, axes)
    return Subject(box, _ball_of(box), "object")


def _ball_of(box: Box) -> Ball:
    """Return the ball through the middles of the shortest edges of ``box``.

    It cuts off only margin even of a carton, whose corners may be too plain for points.
    """
    return box.center, float(np.linalg.norm(np.sort(box.half)[1:]))


def _level_under(plane: Plane, point: np.ndarray) -> float:
    """Return the height of ``plane`` straight below ``point`` [3]."""
    return float(point[2] - plane.height(point) / plane.normal[2])


def _wall(points: np.ndarray, at: Aim, forward: np.ndarray) -> Plane | None:
    """Find the wall that all cameras face, its normal towards them."""
    mean = forward.mean(0)
    if np.linalg.norm(mean) < _ONE_SIDED:
        return None
    toward = -mean / np.linalg.norm(mean)
    plane = dominant_plane(
        points,
        at.weights,
        _WALL_TOLERANCE * at.reach,
        toward,
        float(np.degrees(np.arccos(_FACING))),
    )
    if plane is None or plane.inlier_fraction < _WALL_FRACTION:
        return None
    behind = at.weights[plane.height(points) < -0.1 * at.reach].sum() / at.weights.sum()
    return plane if behind < _MAX_BEHIND else None


def _wall_axes(wall: Plane) -> np.ndarray:
    """Return box axes [3, 3]: the second is the level normal of ``wall``, the third up.

    A wall that is nearly horizontal gets the axes of the frame.
    """
    if abs(wall.normal[2]) > 0.7:
        return np.eye(3)
    out = wall.normal * [1, 1, 0] / np.linalg.norm(wall.normal[:2])
    return np.stack([np.cross(out, _UP), out, _UP], 1)


def _relief(points: np.ndarray, weights: np.ndarray, axes: np.ndarray, margin: float) -> Box:
    """Return the box of a relief: as wide and high as what cameras see, as deep as the points."""
    local = points @ axes
    low, high = (
        np.array([weighted_quantile(local[:, k], weights, q) for k in range(3)])
        for q in (_RELIEF_OUTLIERS, 1 - _RELIEF_OUTLIERS)
    )
    return Box.of(axes @ ((low + high) / 2), (high - low) / 2 + margin, axes)


def _densest(points: np.ndarray, at: Aim, among: np.ndarray) -> np.ndarray:
    """Return those ``among`` [P] the ``points`` [P, 3] in the connected cloud of most weight.

    Returns all of them where no cloud has most of their weight.
    """
    points, weights = points[among], at.weights[among] ** 2
    cells = np.floor(points / (_CELL * at.reach)).astype(np.int64)
    cells -= cells.min(0)
    counts = np.zeros(cells.max(0) + 1, np.int32)
    np.add.at(counts, tuple(cells.T), 1)
    labels = np.zeros(counts.shape, np.int32)
    typical = np.median(counts[tuple(cells.T)])
    ndimage.label(counts >= max(2, _SPARSE * typical), np.ones((3, 3, 3)), output=labels)
    part = labels[tuple(cells.T)]
    looked_at = np.bincount(part, weights)
    looked_at[0] = 0
    best = int(looked_at.argmax())
    return points[part == best] if looked_at[best] > 0.5 * weights.sum() else points


def upright_box(
    points: np.ndarray, outliers: float = 0.0, margin: float = 0.0, axes: np.ndarray | None = None
) -> Box:
    """Return a box around ``points``.

    Args:
        points: [P, 3].
        outliers: fraction of the points that is ignored at either end of each axis.
        margin: added on every side.
        axes: [3, 3]; None: rotated about Z so that the base is smallest.
    """
    check_shapes(points=(points, "P 3"))

    def bounds(rotation: np.ndarray) -> np.ndarray:
        return np.quantile(points @ rotation, [outliers, 1 - outliers], axis=0)

    if axes is None:
        axes = min(
            map(rotation_about_z, _YAWS), key=lambda turn: np.ptp(bounds(turn), axis=0)[:2].prod()
        )
    low, high = bounds(axes)
    return Box.of(axes @ ((low + high) / 2), (high - low) / 2 + margin, axes)


def _with_base(box: Box, points: np.ndarray, axis: int, kept: float) -> Box:
    """Extend ``box`` along ``axis`` to below the plane it stands on.

    The plane is where ``points`` [P, 3] within the box's walls end; ``kept`` is the fraction of the
    height that is added below it.
    """
    local = (points - box.center) @ box.axes
    walls = [k for k in range(3) if k != axis]
    under = local[(np.abs(local) < box.half)[:, walls].all(1), axis]
    top = box.half[axis]
    bottom = min(float(np.quantile(under, 0.02)), top)
    bottom -= kept * (top - bottom)
    center, half = np.zeros(3), box.half.copy()
    center[axis], half[axis] = (top + bottom) / 2, (top - bottom) / 2
    return Box.of(box.center + box.axes @ center, half, box.axes)
