"""Finer faces: edges that are too long are halved."""

from __future__ import annotations

import numpy as np


def split_edges(
    vertices: np.ndarray, faces: np.ndarray, longest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Halve, once, the edges longer than the smaller ``longest`` of their two ends.

    A face becomes two, three or four, so that no gap opens beside it.

    Args:
        vertices: [V, 3].
        faces: [F, 3].
        longest: [V], in the unit of the vertices; infinite where nothing is to be split.

    Returns:
        Vertices [V + W, 3], the first V as they were, and faces [G, 3] int32.
    """
    corners = np.stack([faces, np.roll(faces, -1, axis=1)], -1)  # [F, 3, 2]: edge i leaves corner i
    ends, at = np.unique(np.sort(corners.reshape(-1, 2), axis=1), axis=0, return_inverse=True)
    length = np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1)
    long = length > np.minimum(longest[ends[:, 0]], longest[ends[:, 1]])
    if not long.any():
        return vertices, faces
    number = np.where(long, len(vertices) + np.cumsum(long) - 1, -1)
    middle = number[at.reshape(-1, 3)]  # [F, 3], -1 where an edge stays
    length = length[at.reshape(-1, 3)]
    halves = (vertices[ends[long, 0]] + vertices[ends[long, 1]]) / 2
    count = (middle >= 0).sum(1)
    made = [faces[count == 0]]
    for n in (1, 2, 3):
        some, points = faces[count == n], middle[count == n]
        # turned so that the edges that are halved come first, for one of them the first
        kept = points < 0
        first = {
            1: np.argmin(kept, 1),
            2: (np.argmax(kept, 1) + 1) % 3,
            3: np.zeros(len(some), int),
        }[n]
        order = (first[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(some, order, 1).T
        p, q, r = np.take_along_axis(points, order, 1).T
        if n == 1:
            made += [np.stack([a, p, c], 1), np.stack([p, b, c], 1)]
        elif n == 2:
            made += [np.stack([p, b, q], 1), np.stack([a, p, q], 1), np.stack([a, q, c], 1)]
        else:
            made += [np.stack(corner, 1) for corner in ((a, p, r), (p, b, q), (r, q, c), (p, q, r))]
    return np.concatenate([vertices, halves]), np.concatenate(made).astype(np.int32)
