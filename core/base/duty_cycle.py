"""Work that is done beside other work, and takes no more than a fraction of the time."""

from __future__ import annotations

import time

from core.base.jobs import Clock


class DutyCycle:
    """Says when such work is due again.

    Args:
        fraction: of the time that the work may take, in (0, 1].
        min_rest_s: least time between two pieces of work, seconds.
    """

    def __init__(
        self, fraction: float, min_rest_s: float = 0.0, clock: Clock = time.perf_counter
    ) -> None:
        self._fraction, self._min_rest, self._clock = fraction, min_rest_s, clock
        self.reset()

    def reset(self) -> None:
        """The work is due at once."""
        self._next = -float("inf")

    @property
    def is_due(self) -> bool:
        return self._clock() >= self._next

    def spent(self, seconds: float, fraction: float | None = None) -> None:
        """The work has just taken ``seconds``; ``fraction``: another one for the rest after it."""
        rest = seconds * (1 / (fraction or self._fraction) - 1)
        self._next = self._clock() + max(rest, self._min_rest)
