"""Which of many photos look alike, by one vector for each photo: VLAD (Jégou et al. 2010).

Part of the solving process (`process`). Comparing all pairs of more than a few hundred photos
takes too long; those worth a comparison are the ones with the nearest vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.cluster.vq import kmeans2

from core.capture.poses.database import open_database

_SIMILAR = 30
"""Photos named for each."""
_WORDS = 64
_LEARNT_FROM = 20_000
"""Details, of all photos together, from which the words are learnt."""
_DETAILS = 1000
"""The largest of a photo that make its vector."""


def similar_photos(database: Path, names: list[str], seed: int) -> np.ndarray:
    """int [N, at most 30]: for each of the photos ``names`` the positions of those that look most
    like it, best first."""
    details = _details(database, names)
    every = np.concatenate(details)
    rng = np.random.default_rng(seed)
    chosen = every[rng.permutation(len(every))[:_LEARNT_FROM]]
    words, _ = kmeans2(chosen, min(_WORDS, len(chosen)), iter=12, minit="++", rng=rng)
    vectors = np.stack([_vlad(d, words) for d in details])
    near = np.empty((len(names), min(_SIMILAR, len(names) - 1)), int)
    for i, vector in enumerate(vectors):
        likeness = vectors @ vector
        likeness[i] = -np.inf
        near[i] = np.argsort(-likeness, kind="stable")[: near.shape[1]]
    return near


def _vlad(details: np.ndarray, words: np.ndarray) -> np.ndarray:
    """float32 [words · 128], unit: how the ``details`` float32 [N, 128] of a photo lie about the
    ``words``, each word counting alike."""
    # of unit vectors the nearest is that of the largest product, but for the words' own lengths
    nearest = np.argmax(details @ words.T - 0.5 * np.square(words).sum(1), axis=1)
    sums = np.zeros_like(words)
    np.add.at(sums, nearest, details - words[nearest])
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    vector = sums.ravel()
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _details(database: Path, names: list[str]) -> list[np.ndarray]:
    """float32 [at most 1000, 128] unit descriptors of the largest details of each photo."""
    found: list[np.ndarray] = []
    with open_database(database) as content:
        ids = {image.name: image.image_id for image in content.read_all_images()}
        for name in names:
            keypoints = content.read_keypoints(ids[name])
            data = content.read_descriptors(ids[name]).data
            largest = np.argsort(-detail_sizes(keypoints), kind="stable")[:_DETAILS]
            unit = data[largest].astype(np.float32)
            found.append(unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-6))
    return found


def detail_sizes(keypoints: np.ndarray) -> np.ndarray:
    """[N] areas of ``keypoints`` [N, 6]: x, y and the 2x2 affine shape."""
    return np.abs(keypoints[:, 2] * keypoints[:, 5] - keypoints[:, 3] * keypoints[:, 4])
