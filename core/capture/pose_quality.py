"""How much work poses are worth, by name.

Known to those who ask for poses as well as to the solving process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QualityName = Literal["fast", "normal", "best"]


@dataclass(frozen=True)
class Quality:
    """``side``: pixels along the longer side of the copies on which poses are solved;
    ``features``: details of a photo at most; ``partners``: photos with which each is compared
    thoroughly, at most: more add time but little accuracy."""

    side: int
    features: int
    partners: int


QUALITIES: dict[QualityName, Quality] = {
    "fast": Quality(side=800, features=3000, partners=10),
    "normal": Quality(side=1000, features=6000, partners=16),
    "best": Quality(side=1600, features=10000, partners=30),
}
