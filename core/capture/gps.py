"""The scale of a solved scene by the GPS positions of its photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.base.errors import UserError
from core.base.interrupts import preserve_handlers
from core.capture.exif import read_metadata
from core.capture.scene import Photo
from core.geometry.rigid import transform_points

_LATITUDE, _LONGITUDE, _ALTITUDE = 2, 4, 6
_EARTH_M = 6_371_008.8
_MIN_FIXES = 6
_ACCURACY_M = 5.0
"""Of a phone under an open sky."""
_MIN_SPREAD_M = 4 * _ACCURACY_M
"""Distance of the farthest fix from the median."""
_MIN_INLIER_RATIO = 0.7


def metres_per_input(photos: Sequence[Photo]) -> float | None:
    """Return the metres in one unit of the frame of ``photos``, by GPS.

    It is the scale of the robust similarity between cameras and fixes (RANSAC, Umeyama 1991); None
    where too few photos have fixes, these lie too close together, or do not fit.
    """
    fixes = [gps_fix(p.path) for p in photos]
    known = [i for i, fix in enumerate(fixes) if fix is not None]
    if len(known) < _MIN_FIXES:
        return None
    positions = local_metres(np.array([fixes[i] for i in known], np.float64))
    centers = np.array([photos[i].world_from_camera[:3, 3] for i in known])
    spread = float(np.linalg.norm(positions - np.median(positions, axis=0), axis=1).max())
    if spread < _MIN_SPREAD_M:
        return None
    with preserve_handlers():
        import pycolmap  # only here, as it takes a while to import

    options = pycolmap.RANSACOptions()
    options.max_error = max(_ACCURACY_M, 0.1 * spread)
    options.random_seed = 0
    found: Any = pycolmap.estimate_sim3d_robust(centers, positions, options)
    if found is None:
        return None
    similar = found["tgt_from_src"]
    moved = transform_points(np.vstack([similar.matrix(), [0, 0, 0, 1]]), centers)
    fits = np.linalg.norm(moved - positions, axis=1) < options.max_error
    return float(similar.scale) if fits.mean() > _MIN_INLIER_RATIO else None


def local_metres(fixes: np.ndarray) -> np.ndarray:
    """Return positions east, north and up of the median fix, on the tangent plane of a sphere.

    Args:
        fixes: latitudes and longitudes in degrees and heights in metres [N, 3].

    Returns:
        [N, 3] metres, accurate for some kilometres.
    """
    latitude, longitude = np.radians(fixes[:, :2]).T
    middle = np.median(latitude)
    east = (longitude - np.median(longitude) + np.pi) % (2 * np.pi) - np.pi
    return np.stack(
        [
            _EARTH_M * np.cos(middle) * east,
            _EARTH_M * (latitude - middle),
            fixes[:, 2] - np.median(fixes[:, 2]),
        ],
        1,
    )


def gps_fix(path: Path) -> tuple[float, float, float] | None:
    """Return latitude and longitude in degrees and height in metres by EXIF, if it has them."""
    try:
        tags = read_metadata(path).gps
        latitude = _degrees(tags[_LATITUDE], tags[_LATITUDE - 1] in ("S", b"S"))
        longitude = _degrees(tags[_LONGITUDE], tags[_LONGITUDE - 1] in ("W", b"W"))
        below_sea = tags.get(_ALTITUDE - 1) in (1, b"\x01")
        height = float(tags.get(_ALTITUDE, 0.0)) * (-1 if below_sea else 1)
    except (UserError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    fix = (latitude, longitude, height)
    return fix if np.isfinite(fix).all() and (latitude or longitude) else None


def _degrees(angle: Sequence[float], negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in angle)
    return (degrees + minutes / 60 + seconds / 3600) * (-1 if negative else 1)
