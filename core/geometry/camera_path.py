"""Poses of cameras: a look at the middle, and a smooth way through a few places."""

from __future__ import annotations

import math

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

_TURN = 1.0
"""Scene units that a turn by one radian counts as, so that a camera that only turns takes time."""


def smooth_path(keys: np.ndarray, n: int, closed: bool = False) -> np.ndarray:
    """``n`` poses [n, 4, 4] along a curve through the poses ``keys`` [K, 4, 4], in whatever frame
    they are, the camera moving and turning smoothly and evenly from key to key. ``closed``: it
    comes back to the first key, just before which it ends."""
    if len(keys) == 1:
        return np.repeat(keys, n, axis=0)
    if closed:
        keys = np.concatenate([keys, keys[:1]])
    places, turns = keys[:, :3, 3], Rotation.from_matrix(keys[:, :3, :3])
    way = np.linalg.norm(np.diff(places, axis=0), axis=1)
    way = way + _TURN * (turns[:-1].inv() * turns[1:]).magnitude()
    at = np.concatenate([[0.0], np.cumsum(np.maximum(way, 1e-6))])
    when = np.linspace(0.0, at[-1], n, endpoint=not closed)
    poses = np.tile(np.eye(4), (n, 1, 1))
    ends = "periodic" if closed else "natural" if len(keys) > 2 else "clamped"
    poses[:, :3, 3] = CubicSpline(at, places, bc_type=ends)(when)
    poses[:, :3, :3] = RotationSpline(at, turns)(when).as_matrix()
    return poses


def looking_at_center(azimuth: float, elevation: float, distance: float) -> np.ndarray:
    """[4, 4] scene_from_camera of a camera that looks at the origin, +Z up."""
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
