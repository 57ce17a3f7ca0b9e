"""How much work poses are worth, by name.

Known to those who ask for poses as well as to the solving process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.config.opening import PoseQuality

_PEAK, _FAINT_PEAK = 0.02 / 3, 0.002  # pycolmap's own, and one that shows more details


@dataclass(frozen=True)
class Quality:
    """``side``: pixels along the longer side of the copies on which poses are solved;
    ``features``: details of a photo at most; ``partners``: photos with which each is compared
    thoroughly, at most; ``enlarged``: details are looked for in photos of double size too, which
    finds most of them; ``shaped``: each detail is described at its own shape and at several sizes,
    which takes five times as long."""

    side: int
    features: int
    partners: int
    enlarged: bool = True
    shaped: bool = False

    def sift(self, faint: bool = False) -> dict[str, Any]:
        """pycolmap's SiftExtractionOptions; if ``faint`` those that find twice as much."""
        return {
            "max_num_features": self.features * (2 if faint else 1),
            "peak_threshold": _FAINT_PEAK if faint else _PEAK,
            "first_octave": -1 if self.enlarged or faint else 0,
            "domain_size_pooling": self.shaped,
            "estimate_affine_shape": self.shaped,
        }


QUALITIES: dict[PoseQuality, Quality] = {
    "fast": Quality(side=800, features=4000, partners=10, enlarged=False),
    "normal": Quality(side=1000, features=6000, partners=16),
    "best": Quality(side=1400, features=8000, partners=20, shaped=True),
}
