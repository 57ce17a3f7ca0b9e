"""Colours and colour maps of the preview modes, shared by the renderer and the window's legends.

All colours are sRGB in [0, 1].
"""

from __future__ import annotations

import numpy as np

INSIDE_COLOR, OUTSIDE_COLOR = (0.86, 0.50, 0.18), (0.22, 0.46, 0.72)
"""Colours of a slice inside and outside of the surface."""
ZERO_LEVEL_COLOR = (1.0, 0.98, 0.88)
"""Colour of the surface's line in a slice."""
NO_LEVEL_COLOR = (0.45, 0.45, 0.47)
"""Colour of the level map where no hash level changes the normal."""
DEPTH_RANGE = 0.7
"""Depths are coloured from this far before the scene's centre to this far behind, scene units."""
MAX_ERROR = 0.25
"""Mean absolute difference of the channels, in [0, 1], at which the error scale ends."""

Gradient = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Colours at the upper and the lower edge."""
BACKDROP: Gradient = (0.17, 0.175, 0.187), (0.09, 0.093, 0.099)
"""The default backdrop of a view."""

_ERRORS = np.array(
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
    """Return colours [..., 3] of unit ``normals`` [..., 3]: red, green, blue grow along X, Y, Z."""
    return 0.5 + 0.5 * normals


def depth_colors(depth: np.ndarray) -> np.ndarray:
    """Return colours [..., 3] of ``depth`` [...] in [0, 1]: light is near."""
    return _interpolate(_DEPTHS, depth)


def error_colors(error: np.ndarray) -> np.ndarray:
    """Return colours [..., 3] of ``error`` [...]: black at 0, nearly white from `MAX_ERROR` on."""
    return _interpolate(_ERRORS, np.asarray(error) / MAX_ERROR)


def level_colors(n_levels: int) -> np.ndarray:
    """Return colours [n_levels, 3] of hash levels: blue is the coarsest, purple the finest."""
    return _interpolate(_LEVELS, np.linspace(0, 1, n_levels))


def _interpolate(stops: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return colours [..., 3] at ``x`` [...] in [0, 1] of the evenly spaced ``stops`` [S, 3]."""
    at = np.linspace(0, 1, len(stops))
    channels: list[np.ndarray] = [np.interp(x, at, channel) for channel in stops.T]
    return np.stack(channels, -1)
