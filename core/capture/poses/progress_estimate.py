"""How far the solving process is, by time: every phase's rest is estimated from what was measured.

Part of the solving process (`process`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from core.base.text import NO_TEXT, Text, text

_TYPICAL = {"copy": 0.03, "features": 0.42, "overview": 0.0042, "matches": 0.08, "mapping": 0.33}
"""Seconds of two cores per item, until some of the phase are measured."""
_GROWS = {"mapping": 2.0}
"""Power of the items done with which a phase's time grows, where later ones take longer."""
_TELLING = 0.2
"""Share of a phase from which on its own speed alone counts."""
_DOUBT = 2.0
"""Seconds of typical speed that every measurement is mixed with."""

ProgressCallback = Callable[[float, Text, Any], None]


class ProgressEstimator:
    """Turns progress within phases into the share of all the time that is spent, and times the
    phases. ``tell`` takes that share, in [0, 1] and never less than before, words, and what was
    found so far."""

    def __init__(self, tell: ProgressCallback, now: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._now = tell, now
        self._began = now()
        self._ahead: dict[str, float] = {}  # items that a phase has yet to begin
        self._usual = 0.0  # seconds that all finished phases take typically
        self._told = 0.0
        self.attempt = NO_TEXT
        """what is tried now; empty for the first attempt"""
        self.seconds: dict[str, float] = {}

    @property
    def total(self) -> float:
        """Seconds that all finished phases took."""
        return sum(self.seconds.values())

    def expect(self, **items: float) -> None:
        """So many items a phase has yet to do: photos or pairs or, where these take longer the more
        details they have or the more they are, as `pair_work` and `mapping_work` count them."""
        self._ahead |= items

    def update(self, phase: str, done: int, total: int, detail: Text, found: Any = None) -> None:
        """``done`` of the phase's ``total`` items are."""
        share = min(done / max(total, 1), 1.0) ** _GROWS.get(phase, 1.0)
        spent = self._now() - self._began
        usual = self._ahead.get(phase, 0.0) * _TYPICAL[phase]
        trust = min(share / _TELLING, 1.0)
        here = (1 - trust) * usual * self._pace(0.0, 0.0)
        if share > 0:
            here += trust * spent / share
        later = sum(n * _TYPICAL[p] for p, n in self._ahead.items() if p != phase)
        left = (1 - share) * here + later * self._pace(spent, share * usual)
        elapsed = self.total + spent
        self._told = max(self._told, min(elapsed / max(elapsed + left, 1e-9), 1.0))
        if self.attempt:
            detail = text("again, {attempt}: {detail}", attempt=self.attempt, detail=detail)
        self._tell(self._told, detail, found)

    def _pace(self, spent: float, usual: float) -> float:
        """How much slower than typical this machine has been, with ``spent`` seconds of a phase of
        which ``usual`` are typical."""
        return (self.total + spent + _DOUBT) / (self._usual + usual + _DOUBT)

    def finish(self, phase: str) -> None:
        now = self._now()
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + now - self._began, 2)
        self._usual += self._ahead.pop(phase, 0.0) * _TYPICAL[phase]
        self._began = now


def pair_work(pairs: int, details: float) -> float:
    """Items that ``pairs`` of photos of so many ``details`` make."""
    return pairs * (0.25 + 0.75 * (details / 6000) ** 2)


def mapping_work(photos: int, details: float) -> float:
    """Items that placing ``photos`` of so many ``details`` makes."""
    return photos * photos / 40 * details / 4000


def batches(items: list[Any], size: int) -> Iterable[list[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))
