"""Image retrieval by one vector for each photo: VLAD (Jégou et al. 2010).

Part of the solving process (`process`). Matching all pairs of more than a few hundred photos
takes too long; the pairs worth matching are those with the nearest vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.cluster.vq import (  # pyright: ignore[reportMissingTypeStubs]
    kmeans2,  # pyright: ignore[reportUnknownVariableType]
)

from core.capture.poses.database import open_database

_MAX_SIMILAR = 30
"""Photos returned for each."""
_VOCABULARY_SIZE = 64
_TRAINING_DESCRIPTORS = 20_000
"""Of all photos together, from which the visual words are clustered."""
_DESCRIPTORS_PER_PHOTO = 1000
"""Those of the largest features make a photo's vector."""


def similar_photos(database: Path, names: list[str], seed: int) -> np.ndarray:
    """Return the most similar photos of each photo.

    Args:
        database: holds the features.
        names: of the N photos.
        seed: of the clustering.

    Returns:
        int [N, at most 30], positions in ``names``, the most similar first.
    """
    descriptors = _largest_descriptors(database, names)
    pooled = np.concatenate(descriptors)
    rng = np.random.default_rng(seed)
    sample = pooled[rng.permutation(len(pooled))[:_TRAINING_DESCRIPTORS]]
    words, _ = kmeans2(sample, min(_VOCABULARY_SIZE, len(sample)), iter=12, minit="++", rng=rng)
    vectors = np.stack([_vlad(d, words) for d in descriptors])
    nearest = np.empty((len(names), min(_MAX_SIMILAR, len(names) - 1)), int)
    for i, vector in enumerate(vectors):
        similarity = vectors @ vector
        similarity[i] = -np.inf
        nearest[i] = np.argsort(-similarity, kind="stable")[: nearest.shape[1]]
    return nearest


def _vlad(descriptors: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return the unit vector, float32 [W · 128], of the ``descriptors`` [N, 128] of a photo.

    It holds their sums of residuals to the visual ``words`` [W, 128], each normalised.
    """
    # Of unit vectors the nearest has the largest product, but for the lengths of the words.
    nearest = np.argmax(descriptors @ words.T - 0.5 * np.square(words).sum(1), axis=1)
    sums = np.zeros_like(words)
    np.add.at(sums, nearest, descriptors - words[nearest])
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    vector = sums.ravel()
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _largest_descriptors(database: Path, names: list[str]) -> list[np.ndarray]:
    """Return the unit descriptors, float32 [at most 1000, 128], of each photo."""
    found: list[np.ndarray] = []
    with open_database(database) as content:
        ids = {image.name: image.image_id for image in content.read_all_images()}
        for name in names:
            keypoints = content.read_keypoints(ids[name])
            data = content.read_descriptors(ids[name]).data
            largest = np.argsort(-keypoint_areas(keypoints), kind="stable")[:_DESCRIPTORS_PER_PHOTO]
            unit = data[largest].astype(np.float32)
            found.append(unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-6))
    return found


def keypoint_areas(keypoints: np.ndarray) -> np.ndarray:
    """Return the areas [N] of ``keypoints`` [N, 6]: x, y and the 2x2 affine shape."""
    return np.abs(keypoints[:, 2] * keypoints[:, 5] - keypoints[:, 3] * keypoints[:, 4])
