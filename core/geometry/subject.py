"""The subject of a capture as an upright box, from where cameras look and where points are dense.

Everything is in a frame whose +Z is up. `reach` is the radius of what a typical photo shows around
what the cameras look at; lengths below are in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from core.geometry.box import Box, Setting
from core.geometry.cameras import Intrinsics
from core.geometry.planes import Plane, dominant_plane
from core.geometry.rigid import transform_points
from core.geometry.scene_ball import (
    Ball,
    centrality,
    enclosing_ball,
    focus_point,
    framed_radius,
    weighted_quantile,
)

_MOST_POINTS = 20_000
_TRUST_IN_POINTS = 0.05
_BEYOND_FRAME = 1.2  # points farther from the middle than this are background
_UP = np.array([0.0, 0.0, 1.0])

_GROUND_TOLERANCE = 0.03  # a bed is not flat
_GROUND_TILT = 20.0  # degrees
_GROUND_SHARE, _LEVEL_SHARE = 0.12, 0.3
_LEVEL_TOLERANCE = 0.01  # only what is as flat as a table tells where up is
_MOST_BELOW = 0.25  # of all points

_ONE_SIDED = 0.75  # length of the mean viewing direction
_WALL_TOLERANCE, _WALL_SHARE = 0.03, 0.3
_MOST_BEHIND = 0.15  # of the weight
_FACING = 0.8  # cosine between a wall's normal and the mean viewing direction

_FEW = 20  # points
_CELL = 1 / 8
_THIN = 0.1  # of the typical density and less is not part of the cloud
_STRAYS = 0.002  # of the points at either end of each axis
_STRAYS_OF_RELIEF, _STRAYS_OF_ROOM = 0.01, 0.02
_STANDS_OUT_OF_WALL = 0.25  # of what is looked at, for it to be the subject and not the wall
_MARGIN, _NEIGHBOURS = 0.14, 10  # of the radius of its ball
_WALL_DEPTH = 0.06  # before and behind it, and on its sides
_BELOW, _BEHIND = 0.08, 0.12  # of its height: so much of what it stands on or hangs at is kept
_YAWS = np.radians(np.arange(0, 90, 3))


@dataclass(frozen=True)
class Aim:
    """What cameras look at: its middle [3], the `reach`, how central each point is [P] in [0, 1],
    and whether the cameras look away from each other instead."""

    middle: np.ndarray
    reach: float
    weights: np.ndarray
    outward: bool

    def carried(self, rigid: np.ndarray) -> Aim:
        """The same in another frame, ``rigid`` [4, 4] away."""
        return replace(self, middle=transform_points(rigid, self.middle[None])[0])


@dataclass(frozen=True)
class Subject:
    """``ball``: about all of the subject; corners of the box that hardly hold any of it may lie
    outside. ``ground``: the height of what the subject stands on or hangs over, where that was
    found."""

    box: Box
    ball: Ball
    setting: Setting
    ground: float | None = None


def thinned(points: np.ndarray) -> np.ndarray:
    """At most 20,000 of ``points`` [P, 3], float64."""
    return points[:: -(-len(points) // _MOST_POINTS)].astype(np.float64)


def aim(points: np.ndarray, world_from_camera: np.ndarray, lenses: Sequence[Intrinsics]) -> Aim:
    """From points [P, 3], poses [N, 4, 4] and a lens for each. People keep their subject in the
    middle of most photos, so points count by how central they are on average."""
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
    """The table or floor that tells more exactly than the cameras do where ``up`` [3] is."""
    return _ground(points, at, origins, up, _LEVEL_TOLERANCE, _LEVEL_SHARE)


def _ground(
    points: np.ndarray,
    at: Aim,
    origins: np.ndarray,
    up: np.ndarray,
    tolerance: float,
    share: float,
) -> Plane | None:
    """The plane that most of what is looked at stands on: below the cameras and the middle of it,
    and with hardly anything below itself."""
    plane = dominant_plane(points, at.weights, tolerance * at.reach, up, _GROUND_TILT)
    if plane is None or plane.share < share:
        return None
    below = np.mean(plane.height(points) < -0.1 * at.reach)
    above = np.median(plane.height(origins)) > 0 and plane.height(at.middle) > -0.05 * at.reach
    return plane if above and below < _MOST_BELOW else None


def propose(points: np.ndarray, at: Aim, world_from_camera: np.ndarray) -> Subject:
    """From points [P, 3] and upright poses [N, 4, 4]."""
    origins = world_from_camera[:, :3, 3]
    ground = _ground(points, at, origins, _UP, _GROUND_TOLERANCE, _GROUND_SHARE)
    level = None if ground is None else _level_under(ground, at.middle)
    if at.outward:
        box = upright_box(points, _STRAYS_OF_ROOM, _WALL_DEPTH * at.reach)
        whole = box.center, box.radius
        return Subject(box, whole, "room", level)
    near = np.linalg.norm(points - at.middle, axis=1) < _BEYOND_FRAME * at.reach
    near |= near.sum() < _FEW
    wall = _wall(points, at, world_from_camera[:, :3, 2])
    if wall is not None:
        axes = _along(wall)
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
    points: np.ndarray, near: np.ndarray, plane: Plane, at: Aim, least: float
) -> np.ndarray | None:
    """The coherent cloud of those of ``points`` [P, 3], ``near`` [P], that are above ``plane`` by
    more than that is uneven; None where it holds less than a share of ``least`` of what is looked
    at, or next to nothing."""
    height = plane.height(points)
    below = height[near & (height < 0)]
    uneven = -3 * np.median(below) if len(below) else 0.0  # above as below
    above = near & (height > max(uneven, 0.5 * _GROUND_TOLERANCE * at.reach))
    if above.sum() < _FEW or at.weights[above].sum() < least * at.weights[near].sum():
        return None
    return _densest(points, at, above)


def _around(cloud: np.ndarray, axes: np.ndarray | None = None) -> Subject:
    """``cloud`` [P, 3] in a box with ``axes``, and a margin around it as wide as the cloud is thin:
    where it ends, a handle without any texture may go on."""
    neighbours, _ = KDTree(cloud).query(cloud, min(_NEIGHBOURS, len(cloud)))
    core = cloud[upright_box(cloud, _STRAYS, 0.0, axes).contains(cloud)]
    _, radius = enclosing_ball(core)
    margin = _MARGIN * radius + float(np.median(neighbours[:, -1]))
    box = upright_box(core, 0.0, margin, axes)
    return Subject(box, _ball_of(box), "object")


def _ball_of(box: Box) -> Ball:
    """Through the middles of the shortest edges of ``box``: of a carton, whose corners may be too
    plain for points, it cuts off only what is margin."""
    return box.center, float(np.linalg.norm(np.sort(box.half)[1:]))


def _level_under(plane: Plane, point: np.ndarray) -> float:
    """The height of ``plane`` straight below ``point`` [3]."""
    return float(point[2] - plane.height(point) / plane.normal[2])


def _wall(points: np.ndarray, at: Aim, forward: np.ndarray) -> Plane | None:
    """The plane that all cameras face, its normal towards them, where they stand on one side of
    something roughly flat."""
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
    if plane is None or plane.share < _WALL_SHARE:
        return None
    behind = at.weights[plane.height(points) < -0.1 * at.reach].sum() / at.weights.sum()
    return plane if behind < _MOST_BEHIND else None


def _along(wall: Plane) -> np.ndarray:
    """[3, 3] box axes: the second one out of ``wall``, level, the third up; those of the frame for
    a wall that lies."""
    if abs(wall.normal[2]) > 0.7:
        return np.eye(3)
    out = wall.normal * [1, 1, 0] / np.linalg.norm(wall.normal[:2])
    return np.stack([np.cross(out, _UP), out, _UP], 1)


def _relief(points: np.ndarray, weights: np.ndarray, axes: np.ndarray, margin: float) -> Box:
    """As wide and high as what is looked at, as deep as ``points`` [P, 3] go."""
    local = points @ axes
    low, high = (
        np.array([weighted_quantile(local[:, k], weights, q) for k in range(3)])
        for q in (_STRAYS_OF_RELIEF, 1 - _STRAYS_OF_RELIEF)
    )
    return Box.of(axes @ ((low + high) / 2), (high - low) / 2 + margin, axes)


def _densest(points: np.ndarray, at: Aim, among: np.ndarray) -> np.ndarray:
    """Those ``among`` [P] the ``points`` [P, 3] that lie in the coherent cloud that is looked at
    most; all of them where none holds most of their weight."""
    points, weights = points[among], at.weights[among] ** 2
    cells = np.floor(points / (_CELL * at.reach)).astype(np.int64)
    cells -= cells.min(0)
    counts = np.zeros(cells.max(0) + 1, np.int32)
    np.add.at(counts, tuple(cells.T), 1)
    labels = np.zeros(counts.shape, np.int32)
    typical = np.median(counts[tuple(cells.T)])
    ndimage.label(counts >= max(2, _THIN * typical), np.ones((3, 3, 3)), output=labels)
    part = labels[tuple(cells.T)]
    looked_at = np.bincount(part, weights)
    looked_at[0] = 0
    best = int(looked_at.argmax())
    return points[part == best] if looked_at[best] > 0.5 * weights.sum() else points


def upright_box(
    points: np.ndarray, strays: float = 0.0, margin: float = 0.0, axes: np.ndarray | None = None
) -> Box:
    """The box around ``points`` [P, 3], with ``axes`` or else turned about Z so that its base is
    small, and ``margin`` wider on every side; a share of ``strays`` at either end of each axis does
    not count."""

    def bounds(turn: np.ndarray) -> np.ndarray:
        return np.quantile(points @ turn, [strays, 1 - strays], axis=0)

    if axes is None:
        axes = min(map(_turned, _YAWS), key=lambda turn: np.ptp(bounds(turn), axis=0)[:2].prod())
    low, high = bounds(axes)
    return Box.of(axes @ ((low + high) / 2), (high - low) / 2 + margin, axes)


def _with_base(box: Box, points: np.ndarray, axis: int, kept: float) -> Box:
    """``box`` that begins, along ``axis``, the share ``kept`` of its length before the plane it
    stands on, which ``points`` show within its walls."""
    local = (points - box.center) @ box.axes
    walls = [k for k in range(3) if k != axis]
    under = local[(np.abs(local) < box.half)[:, walls].all(1), axis]
    top = box.half[axis]
    bottom = min(float(np.quantile(under, 0.02)), top)
    bottom -= kept * (top - bottom)
    center, half = np.zeros(3), box.half.copy()
    center[axis], half[axis] = (top + bottom) / 2, (top - bottom) / 2
    return Box.of(box.center + box.axes @ center, half, box.axes)


def _turned(yaw: float) -> np.ndarray:
    cosine, sine = np.cos(yaw), np.sin(yaw)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
