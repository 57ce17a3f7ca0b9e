"""The qualities of pose solving, by name.

Known to callers as well as to the solving process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.config.opening import PoseQuality

_PEAK_THRESHOLD, _FAINT_PEAK_THRESHOLD = 0.02 / 3, 0.002
"""pycolmap's own, and one that finds fainter features."""


@dataclass(frozen=True)
class Quality:
    """How much work poses are worth."""

    side: int
    """longer side of the working copies, pixels"""
    features: int
    """of a photo, at most"""
    partners: int
    """photos that each is matched with, at most"""
    enlarged: bool = True
    """find features in photos of double size too, where most of them are"""
    affine: bool = False
    """describe features by their affine shape and pooled over sizes; five times as slow"""

    def sift(self, faint: bool = False) -> dict[str, Any]:
        """Return pycolmap's SiftExtractionOptions; if ``faint`` those that find twice as many."""
        return {
            "max_num_features": self.features * (2 if faint else 1),
            "peak_threshold": _FAINT_PEAK_THRESHOLD if faint else _PEAK_THRESHOLD,
            "first_octave": -1 if self.enlarged or faint else 0,
            "domain_size_pooling": self.affine,
            "estimate_affine_shape": self.affine,
        }


QUALITIES: dict[PoseQuality, Quality] = {
    "fast": Quality(side=800, features=4000, partners=10, enlarged=False),
    "normal": Quality(side=1000, features=6000, partners=16),
    "best": Quality(side=1400, features=8000, partners=20, affine=True),
}
