"""Metrics of the similarity of two images."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# scikit-image has no complete types

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

from core.base.shapes import check_shapes


def psnr(image: np.ndarray, target: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB of two images in [0, 1] of equal shape."""
    _check_same_shape(image, target)
    error = float(np.mean((np.asarray(image, np.float64) - np.asarray(target, np.float64)) ** 2))
    return float("inf") if error == 0 else -10.0 * float(np.log10(error))


def ssim(image: np.ndarray, target: np.ndarray, where: np.ndarray | None = None) -> float:
    """Return the mean structural similarity (Wang et al. 2004, Gaussian window of σ 1.5).

    Args:
        image: [H, W, 3] in [0, 1].
        target: [H, W, 3] in [0, 1].
        where: [H, W] bool, the pixels to average over; None: all but the border of the window.
    """
    check_shapes(image=(image, "H W 3"), target=(target, "H W 3"))
    if where is not None:
        check_shapes(image=(image, "H W 3"), where=(where, "H W"))
    result = structural_similarity(
        np.asarray(image, np.float64),
        np.asarray(target, np.float64),
        data_range=1.0,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    similarity = np.asarray(result[1])
    if where is not None:
        return float(similarity[where].mean())
    edge = 5  # radius of the window, pixels
    return float(similarity[edge:-edge, edge:-edge].mean())


def _check_same_shape(image: np.ndarray, target: np.ndarray) -> None:
    if image.shape != target.shape:
        raise ValueError(f"image: wanted the target's shape {target.shape}, got {image.shape}")
