"""A capture made wild: copies of its training photos under other light, with things in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from core.capture.scene import Photo, Scene

OCCLUDED = 3
"""One photo in so many has something in the way."""


def repainted(scene: Scene, folder: Path, seed: int = 0) -> Scene:
    """``scene`` with its training photos replaced by copies in ``folder``, repainted."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    return replace(
        scene,
        photos=tuple(
            _copy(photo, folder, random, occluded=i % OCCLUDED == 0)
            for i, photo in enumerate(scene.photos)
        ),
    )


def _copy(photo: Photo, folder: Path, random: np.random.Generator, *, occluded: bool) -> Photo:
    pixels = iio.imread(photo.path)
    colors = pixels[..., :3].astype(np.float32) / 255 * exposure_ramp(pixels.shape, random)
    if occluded:
        colors = _with_passer_by(colors, random)
    out = pixels.copy()
    out[..., :3] = np.round(colors.clip(0, 1) * 255)
    path = folder / f"{Path(photo.name).stem}.png"
    iio.imwrite(path, out)
    return replace(photo, path=path)


def exposure_ramp(shape: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """[H, W, 3] factors: another exposure and white balance, brighter to one side."""
    along = np.linspace(-1, 1, shape[1])[None, :, None] * random.uniform(-0.15, 0.15)
    tint = random.uniform(0.9, 1.1, 3)
    return (random.uniform(0.6, 1.2) * tint * (1 + along)).repeat(shape[0], 0)


def _with_passer_by(colors: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """An upright ellipse, a quarter of the width and half of the height, striped."""
    height, width = colors.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    cx, cy = random.uniform(0.3, 0.7) * width, random.uniform(0.4, 0.7) * height
    inside = ((x - cx) / (0.13 * width)) ** 2 + ((y - cy) / (0.25 * height)) ** 2 < 1
    stripes = (y // (0.05 * height)).astype(int) % 2
    coats = random.uniform(0, 1, (2, 3))
    return np.where(inside[..., None], coats[stripes], colors)
