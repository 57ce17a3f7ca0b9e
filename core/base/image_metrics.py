"""How close an image comes to another."""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity


def psnr(image: np.ndarray, target: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two images in [0, 1] of equal shape."""
    _check_same_shape(image, target)
    error = float(np.mean((np.asarray(image, np.float64) - np.asarray(target, np.float64)) ** 2))
    return float("inf") if error == 0 else -10.0 * float(np.log10(error))


def ssim(image: np.ndarray, target: np.ndarray, where: np.ndarray | None = None) -> float:
    """Structural similarity of two images [H, W, 3] in [0, 1]: Gaussian window of σ 1.5, as
    published by Wang et al. 2004; of the pixels ``where`` [H, W] is true alone, if given."""
    _check_same_shape(image, target)
    found = structural_similarity(
        np.asarray(image, np.float64),
        np.asarray(target, np.float64),
        data_range=1.0,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    similarity = np.asarray(found[1])
    if where is not None:
        return float(similarity[where].mean())
    edge = 5  # the window's reach
    return float(similarity[edge:-edge, edge:-edge].mean())


def _check_same_shape(image: np.ndarray, target: np.ndarray) -> None:
    if image.shape != target.shape:
        raise ValueError(f"image: wanted the target's shape {target.shape}, got {image.shape}")
