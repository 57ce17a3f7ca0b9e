"""Blend weights of the photos at each vertex, and levelling of their exposures.

The weights are smooth over the surface, so that no seams arise that would have to be levelled.

Throughout, ``quality`` [N, V] is that of N photos at V vertices, 0 where unseen, and ``colors``
[N, V, 3] are sRGB levels.
"""
# scipy has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

MAX_BLENDED_PHOTOS = 4
"""that colour a vertex"""
WEIGHT_POWER = 2.0
"""the higher, the more the best photo dominates"""
OUTLIER_LEVELS = 24.0
"""sRGB levels from the photos' common colour at which a photo has half its weight"""
UNIT_GAIN_PRIOR = 0.02
"""weight that holds a gain to 1, as a fraction of the vertices that the photo sees"""
MIN_LEVEL, MAX_LEVEL = 12, 243
"""sRGB levels of the pixels from which exposures are estimated"""
REWEIGHTING_ROUNDS = 4
"""of iteratively reweighted least squares"""


def level_exposure(quality: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Compute gains that bring all photos to one exposure and white balance.

    Least squares over the logarithms at shared vertices, outliers (gloss) counting less; the mean
    over all photos stays as it is.

    Returns:
        [N, 3] factors of the sRGB levels.
    """
    n = len(quality)
    gains = np.ones((n, 3))
    for channel in range(3):
        values = colors[..., channel].astype(np.float32)
        usable = (quality > 0) & (values > MIN_LEVEL) & (values < MAX_LEVEL)
        logs = np.log(np.maximum(values, 1))
        shift = np.zeros(n, np.float32)
        weights = usable.astype(np.float32)
        for _ in range(REWEIGHTING_ROUNDS):
            total = weights.sum(0)
            weights[:, total <= 0] = 0
            fractions = weights / np.maximum(total, 1e-9)
            # The common colour of a vertex is the mean of its observations; eliminated, it
            # leaves one equation a photo.
            system = np.diag(weights.sum(1)) - weights @ fractions.T
            system += np.diag(UNIT_GAIN_PRIOR * usable.sum(1) + 1e-6)
            mean = (fractions * logs).sum(0)
            shift = np.linalg.solve(system, (weights * (mean - logs)).sum(1)).astype(np.float32)
            known = (fractions * (logs + shift[:, None])).sum(0)
            residual = np.abs(logs + shift[:, None] - known)
            weights = usable / (1 + (residual / 0.1) ** 2).astype(np.float32)
        counts = usable.sum(1)
        shift -= (shift * counts).sum() / max(counts.sum(), 1)
        gains[:, channel] = np.exp(shift)
    return gains


def sharpness(quality: np.ndarray, detail: np.ndarray) -> np.ndarray:
    """Compare how much detail the photos show at the vertices that they share.

    Args:
        quality: [N, V].
        detail: [N, V] contrast per unit of length.

    Returns:
        [N] median ratio to the mean of all photos; blurred ones have less.
    """
    seen = quality > 0
    mean = (detail * seen).sum(0) / np.maximum(seen.sum(0), 1)
    ratio = np.where(seen & (mean > 0), detail / np.maximum(mean, 1e-9), np.nan)
    with np.errstate(all="ignore"):
        medians = np.array([np.nanmedian(r) if np.isfinite(r).any() else 1.0 for r in ratio])
    return np.clip(medians / max(np.median(medians), 1e-9), 0.05, 2.0)


def common_color(quality: np.ndarray, colors: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Average the levelled colours of each vertex, outliers counting less.

    Returns:
        [V, 3] float32 sRGB levels; NaN where no photo sees the vertex.
    """

    def average(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(0)
        mean = np.zeros((quality.shape[1], 3), np.float32)
        for w, c, g in zip(weights, colors, gains):
            mean += w[:, None] * c * g.astype(np.float32)
        mean /= np.where(total > 0, total, np.nan)[:, None]
        return mean

    mean = average(quality)
    for _ in range(REWEIGHTING_ROUNDS - 1):
        mean = average(quality * agreement(colors, gains, mean))
    return mean


def agreement(colors: np.ndarray, gains: np.ndarray, common: np.ndarray) -> np.ndarray:
    """[N, V] in (0, 1]: how well each photo's colours agree with the common ones [V, 3]."""
    out = np.zeros(colors.shape[:2], np.float32)
    for i, (c, g) in enumerate(zip(colors, gains)):
        distance = np.abs(c * g.astype(np.float32) - common).max(1)
        out[i] = np.nan_to_num(1 / (1 + (distance / OUTLIER_LEVELS) ** 2))
    return out


def blend_weights(quality: np.ndarray, faces: np.ndarray) -> csr_array:
    """Compute how much each photo colours each vertex.

    A vertex has the best few photos; a photo's weight fades to nothing before another takes its
    place, and varies smoothly over the surface.

    Returns:
        [N, V] sparse, in [0, 1].
    """
    n, v = quality.shape
    k = min(MAX_BLENDED_PHOTOS, n)
    best = np.argpartition(-quality, k - 1, axis=0)[:k]  # [k, V]
    value = np.take_along_axis(quality, best, 0)
    rest = quality.copy()
    np.put_along_axis(rest, best, 0, 0)
    lead = np.maximum(value - rest.max(0), 0) ** WEIGHT_POWER
    lead /= np.maximum(lead.sum(0), 1e-30)
    matrix = csr_array((lead.ravel(), (best.ravel(), np.tile(np.arange(v), k))), shape=(n, v))
    return csr_array(matrix @ _smoothing(faces, v))


def _smoothing(faces: np.ndarray, v: int) -> csr_array:
    """[V, V] columns that average a vertex and its neighbours, itself with half the weight."""
    a, b, c = faces.T
    rows, columns = np.concatenate([a, b, c, b, c, a]), np.concatenate([b, c, a, a, b, c])
    beside = coo_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(v, v)).tocsr()
    beside.data[:] = 1
    degree = np.maximum(np.asarray(beside.sum(0)).ravel(), 1)
    mean = beside.multiply(0.5 / degree[None, :]).tocsr()
    own = coo_array((np.full(v, 0.5, np.float32), (np.arange(v),) * 2), shape=(v, v))
    return csr_array(mean + own.tocsr())
