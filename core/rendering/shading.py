"""How a matt surface is lit, of arrays and of tensors alike."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

CLAY = (0.78, 0.76, 0.73)
AMBIENT = 0.25
OVER_THE_SHOULDER = np.array([-0.4, -0.6, -0.7]) / np.sqrt(1.01)
"""Towards the light, unit, camera frame (OpenCV axes): from the left, above and behind."""

Array = TypeVar("Array", np.ndarray, Tensor)


def lambert(normals: Array, light: Array, ambient: float = AMBIENT) -> Array:
    """[N, 1] share of its colour that a surface with unit ``normals`` [N, 3] shows, the unit vector
    ``light`` [3] pointing to the light: Lambert's cosine, and ``ambient`` everywhere.
    Differentiable."""
    return ambient + (1 - ambient) * (normals @ light).clip(min=0)[:, None]
