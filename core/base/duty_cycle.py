"""Limits background work to a fraction of the time."""

from __future__ import annotations

import time

from core.base.jobs import Clock


class DutyCycle:
    """Tells when background work is due again.

    Args:
        fraction: fraction of the time that the work may take, in (0, 1].
        min_rest_s: shortest time between two pieces of work, seconds.
        clock: current time in seconds; replaced in tests.
    """

    def __init__(
        self, fraction: float, min_rest_s: float = 0.0, clock: Clock = time.perf_counter
    ) -> None:
        self._fraction, self._min_rest, self._clock = fraction, min_rest_s, clock
        self.reset()

    def reset(self) -> None:
        """Make the work due at once."""
        self._next = -float("inf")

    @property
    def is_due(self) -> bool:
        """Whether the work may be done now."""
        return self._clock() >= self._next

    def record(self, seconds: float, fraction: float | None = None) -> None:
        """Record that the work has just taken ``seconds``.

        Args:
            seconds: how long the work took.
            fraction: replaces the fraction of this duty cycle for the rest that follows.
        """
        rest = seconds * (1 / (fraction or self._fraction) - 1)
        self._next = self._clock() + max(rest, self._min_rest)
