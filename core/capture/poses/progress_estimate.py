"""Progress of the solving process by time: what remains is estimated from what was measured.

Part of the solving process (`process`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from core.base.text import NO_TEXT, Text, text

T = TypeVar("T")

_SECONDS_PER_ITEM = {
    "copy": 0.03,
    "features": 0.42,
    "overview": 0.0042,
    "matches": 0.08,
    "mapping": 0.33,
}
"""On two cores, until some items of the phase are measured."""
_TIME_EXPONENTS = {"mapping": 2.0}
"""A phase's time grows with this power of the items done, where later ones take longer."""
_MEASURED_FRACTION = 0.2
"""Fraction of a phase from which on only its own speed counts."""
_PRIOR_SECONDS = 2.0
"""Seconds of typical speed that are mixed with every measurement."""

ProgressCallback = Callable[[float, Text, Any], None]
"""Called with the fraction done, a detail for people, and what was found so far."""


class ProgressEstimator:
    """Turns progress within phases into the fraction of all time that is spent.

    Args:
        on_progress: receives that fraction, in [0, 1] and never less than before.
        now: a clock, in seconds.
    """

    def __init__(
        self, on_progress: ProgressCallback, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_progress, self._now = on_progress, now
        self._phase_start = now()
        self._expected_items: dict[str, float] = {}
        self._typical_seconds = 0.0
        """that all finished phases take"""
        self._fraction = 0.0
        self.attempt = NO_TEXT
        """what is tried now; empty for the first attempt"""
        self.seconds: dict[str, float] = {}
        """that each finished phase took"""

    @property
    def total(self) -> float:
        """Seconds that all finished phases took."""
        return sum(self.seconds.values())

    def expect(self, **items: float) -> None:
        """Set the number of items of phases yet to begin.

        These are photos or pairs or, where their time depends on their number or on that of
        features, as `matching_items` and `mapping_items` count them.
        """
        self._expected_items |= items

    def update(self, phase: str, done: int, total: int, detail: Text, found: Any = None) -> None:
        """Report that ``done`` of the phase's ``total`` items are done."""
        fraction = min(done / max(total, 1), 1.0) ** _TIME_EXPONENTS.get(phase, 1.0)
        spent = self._now() - self._phase_start
        typical = self._expected_items.get(phase, 0.0) * _SECONDS_PER_ITEM[phase]
        trust = min(fraction / _MEASURED_FRACTION, 1.0)
        this_phase = (1 - trust) * typical * self._slowdown(0.0, 0.0)
        if fraction > 0:
            this_phase += trust * spent / fraction
        later = sum(n * _SECONDS_PER_ITEM[p] for p, n in self._expected_items.items() if p != phase)
        left = (1 - fraction) * this_phase + later * self._slowdown(spent, fraction * typical)
        elapsed = self.total + spent
        self._fraction = max(self._fraction, min(elapsed / max(elapsed + left, 1e-9), 1.0))
        if self.attempt:
            detail = text("again, {attempt}: {detail}", attempt=self.attempt, detail=detail)
        self._on_progress(self._fraction, detail, found)

    def _slowdown(self, spent: float, typical: float) -> float:
        """Return how much slower than typical this machine has been so far.

        This includes ``spent`` seconds of a phase that typically take ``typical``.
        """
        return (self.total + spent + _PRIOR_SECONDS) / (
            self._typical_seconds + typical + _PRIOR_SECONDS
        )

    def finish(self, phase: str) -> None:
        """End a phase; the next one begins."""
        now = self._now()
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + now - self._phase_start, 2)
        self._typical_seconds += self._expected_items.pop(phase, 0.0) * _SECONDS_PER_ITEM[phase]
        self._phase_start = now


def matching_items(pairs: int, features: float) -> float:
    """Return the items that matching makes of ``pairs`` of photos with so many ``features``."""
    return pairs * (0.25 + 0.75 * (features / 6000) ** 2)


def mapping_items(photos: int, features: float) -> float:
    """Return the items that mapping makes of ``photos`` with so many ``features``."""
    return photos * photos / 40 * features / 4000


def batches(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Return ``items`` in batches of at most ``size``."""
    return (items[i : i + size] for i in range(0, len(items), size))
