"""Hypothesis strategies for the shapes that laws of `core` quantify over."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from core.geometry.rigid import similarity


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Finite floats in [low, high], none of them denormal."""
    return st.floats(low, high, allow_subnormal=False)


def log_floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Floats in [low, high], as many in each octave."""
    return floats(np.log(low), np.log(high)).map(lambda x: float(np.exp(x)))


def arrays(
    shape: int | tuple[int, ...], low: float = -3.0, high: float = 3.0
) -> st.SearchStrategy[np.ndarray]:
    """float64 arrays of ``shape`` with elements in [low, high]."""
    return hnp.arrays(np.float64, shape, elements=floats(low, high))


def points(
    least: int = 1, most: int = 12, low: float = -3.0, high: float = 3.0
) -> st.SearchStrategy[np.ndarray]:
    """[N, 3] points, ``least`` to ``most`` of them."""
    return st.integers(least, most).flatmap(lambda n: arrays((n, 3), low, high))


def unit_vectors() -> st.SearchStrategy[np.ndarray]:
    """[3] vectors of length 1."""
    return (
        arrays(3, -1, 1)
        .filter(lambda v: np.linalg.norm(v) > 0.1)
        .map(lambda v: v / np.linalg.norm(v))
    )


def rotations() -> st.SearchStrategy[np.ndarray]:
    """[3, 3] rotations, half turns and the identity among them."""
    angles = st.one_of(st.sampled_from([0.0, np.pi / 2, np.pi]), floats(-np.pi, np.pi))
    return st.builds(
        lambda axis, angle: Rotation.from_rotvec(axis * angle).as_matrix(), unit_vectors(), angles
    )


def similarities(low: float = 0.01, high: float = 100.0) -> st.SearchStrategy[np.ndarray]:
    """[4, 4] similarities whose scale lies in [low, high]."""
    return st.builds(similarity, log_floats(low, high), rotations(), arrays(3))


def rigids() -> st.SearchStrategy[np.ndarray]:
    """[4, 4] rigid transforms."""
    return similarities(1.0, 1.0)


def seeds() -> st.SearchStrategy[torch.Generator]:
    """A seeded generator: for large arrays, whose single numbers are not worth shrinking."""
    return st.integers(0, 2**32 - 1).map(lambda seed: torch.Generator().manual_seed(seed))
