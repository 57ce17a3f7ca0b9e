"""Where the features of each level of a multi-resolution hash grid lie in one flat table.

Source: Müller et al. 2022, "Instant Neural Graphics Primitives", section 3: levels grow
geometrically from the base to the finest resolution (eq. 2 and 3); a level whose vertices all fit
into the table is stored densely, a finer one is hashed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HASH_PRIMES = (1, 2654435761, 805459861)


@dataclass(frozen=True)
class GridLayout:
    """``resolutions[l]`` cells along [0, 1]; level l occupies rows ``offsets[l]`` to
    ``offsets[l + 1]`` of the table [rows, n_features]; ``dense[l]`` tells whether it is hashed."""

    resolutions: np.ndarray  # [L] int64
    offsets: np.ndarray  # [L + 1] int64
    dense: np.ndarray  # [L] bool
    n_features: int

    @property
    def n_levels(self) -> int:
        return len(self.resolutions)

    @property
    def n_rows(self) -> int:
        return int(self.offsets[-1])

    @property
    def width(self) -> int:
        """Numbers per encoded point."""
        return self.n_levels * self.n_features

    @staticmethod
    def create(
        n_levels: int, n_features: int, log2_hashmap_size: int, base: int, finest: int
    ) -> GridLayout:
        growth = (finest / base) ** (1 / max(n_levels - 1, 1))
        resolutions = np.round(base * growth ** np.arange(n_levels)).astype(np.int64)
        vertices = (resolutions + 1) ** 3
        limit = 2**log2_hashmap_size
        dense = vertices <= limit
        sizes = np.where(dense, vertices, limit)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return GridLayout(resolutions, offsets, dense, n_features)

    def coarsest(self, n_levels: int | None) -> GridLayout:
        """The same grid with its ``n_levels`` coarsest levels only (None: all)."""
        first = self.resolutions[:n_levels]
        n = len(first)
        return GridLayout(first, self.offsets[: n + 1], self.dense[:n], self.n_features)
