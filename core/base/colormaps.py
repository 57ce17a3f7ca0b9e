"""Colours that mean something, the same in pictures that the worker draws and in the window's
legends: sRGB in [0, 1]."""

from __future__ import annotations

import numpy as np

INSIDE, OUTSIDE, ZERO = (0.86, 0.50, 0.18), (0.22, 0.46, 0.72), (1.0, 0.98, 0.88)
"""Of a slice: within the surface, outside it, and its line itself."""
NO_DETAIL = (0.45, 0.45, 0.47)
"""Where no level turns the normal."""
DEPTH_REACH = 0.7
"""Scene units before and behind the middle of the scene within which depths are told apart."""
WORST = 0.25
"""Mean difference of the channels, of 1, at which the scale of errors ends."""

Gradient = tuple[tuple[float, float, float], tuple[float, float, float]]
"""At the upper edge and at the lower one."""
BACKDROP: Gradient = (0.17, 0.175, 0.187), (0.09, 0.093, 0.099)
"""Behind what is shown."""

_HEAT = np.array(
    [
        (0.02, 0.02, 0.08),
        (0.30, 0.07, 0.42),
        (0.69, 0.19, 0.36),
        (0.95, 0.45, 0.15),
        (1.0, 0.76, 0.22),
        (1.0, 0.98, 0.80),
    ]
)
_LEVELS = np.array(
    [
        (0.27, 0.33, 0.80),
        (0.20, 0.66, 0.87),
        (0.25, 0.76, 0.55),
        (0.70, 0.82, 0.27),
        (0.97, 0.72, 0.23),
        (0.90, 0.36, 0.20),
        (0.72, 0.16, 0.42),
    ]
)
_DEPTHS = np.array(
    [
        (0.99, 0.90, 0.56),
        (0.56, 0.79, 0.45),
        (0.17, 0.60, 0.56),
        (0.20, 0.39, 0.60),
        (0.26, 0.21, 0.47),
        (0.13, 0.09, 0.24),
    ]
)


def normal_colors(normals: np.ndarray) -> np.ndarray:
    """[..., 3] of unit normals [..., 3]: red, green and blue grow along X, Y and Z."""
    return 0.5 + 0.5 * normals


def depth_colors(share: np.ndarray) -> np.ndarray:
    """[..., 3] of depths [...] in [0, 1]: light is near."""
    return _along(_DEPTHS, share)


def heat(error: np.ndarray) -> np.ndarray:
    """[..., 3] of errors [...]: black at none, nearly white at `WORST` and beyond."""
    return _along(_HEAT, np.asarray(error) / WORST)


def level_colors(n_levels: int) -> np.ndarray:
    """[n_levels, 3] from blue, the coarsest, to purple, the finest."""
    return _along(_LEVELS, np.linspace(0, 1, n_levels))


def _along(stops: np.ndarray, where: np.ndarray) -> np.ndarray:
    """[..., 3] on the way through ``stops`` [S, 3], ``where`` in [0, 1]."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(where, at, channel) for channel in stops.T], -1)
