"""Camera poses: orbits of the scene's centre, and smooth paths through keyframes."""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# scipy has no types

from __future__ import annotations

import math

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

from core.base.shapes import check_shapes

_LENGTH_PER_RADIAN = 1.0
"""Path length of a rotation by one radian, scene units, so that a rotation alone takes time."""


def smooth_path(keys: np.ndarray, n: int, closed: bool = False) -> np.ndarray:
    """Interpolate keyframes by a cubic spline, at even speed.

    Args:
        keys: [K, 4, 4] poses, in any frame.
        n: number of poses to return.
        closed: whether the path returns to the first key, just before which it ends.

    Returns:
        Poses [n, 4, 4].
    """
    check_shapes(keys=(keys, "K 4 4"))
    if len(keys) == 1:
        return np.repeat(keys, n, axis=0)
    if closed:
        keys = np.concatenate([keys, keys[:1]])
    positions, rotations = keys[:, :3, 3], Rotation.from_matrix(keys[:, :3, :3])
    lengths = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    lengths = lengths + _LENGTH_PER_RADIAN * (rotations[:-1].inv() * rotations[1:]).magnitude()
    at = np.concatenate([[0.0], np.cumsum(np.maximum(lengths, 1e-6))])
    times = np.linspace(0.0, at[-1], n, endpoint=not closed)
    poses = np.tile(np.eye(4), (n, 1, 1))
    ends = "periodic" if closed else "natural" if len(keys) > 2 else "clamped"
    poses[:, :3, 3] = CubicSpline(at, positions, bc_type=ends)(times)
    poses[:, :3, :3] = RotationSpline(at, rotations)(times).as_matrix()
    return poses


def looking_at_center(azimuth: float, elevation: float, distance: float) -> np.ndarray:
    """Return scene_from_camera [4, 4] of a camera that looks at the origin, +Z up.

    Args:
        azimuth: angle about Z from +X, radians.
        elevation: angle above the horizon, radians.
        distance: from the origin, scene units.
    """
    outward = np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )
    right = np.array([-math.sin(azimuth), math.cos(azimuth), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(-outward, right), -outward], 1)
    pose[:3, 3] = distance * outward
    return pose
