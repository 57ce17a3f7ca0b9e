"""Slices of training, what is told of them, and what is done when memory or numbers run out."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from core import protocol as m
from core.base.duty_cycle import DutyCycle
from core.base.errors import UserError
from core.base.jobs import Clock
from core.base.text import text
from core.session.stats import StatsWindow
from core.training.trainer import Trainer

STATS_EVERY_S = 0.25
DRAG_DUTY_CYCLE = 1 / 3
"""Fraction of the time that training may take while the camera moves."""


class TrainingLoop:
    """One run. ``emit`` gets its figures a few times a second."""

    def __init__(self, emit: Callable[[m.Event], None], clock: Clock = time.monotonic) -> None:
        self._emit, self._clock = emit, clock
        self._stats = StatsWindow()
        self._told = 0.0
        self._duty = DutyCycle(DRAG_DUTY_CYCLE, clock=clock)

    @property
    def resting(self) -> bool:
        """Whether, while the camera moves, it is not yet time for the next slice."""
        return not self._duty.is_due

    def slice(self, trainer: Trainer) -> bool:
        """Train one slice.

        Returns:
            Whether statistics were due, and emitted.

        Raises:
            UserError: the run cannot go on as it is.
        """
        began = self._clock()
        try:
            stats = trainer.work()
        except torch.OutOfMemoryError:
            self._out_of_memory(trainer)
            return False
        if stats is not None:
            self._stats.add(stats)
        now = self._clock()
        self._duty.record(now - began)
        if self._stats.diverged:
            raise UserError(
                text("Training diverged (loss is NaN)"),
                text("Discard the training, and check that the poses are right."),
            )
        due = trainer.finished or now - self._told > STATS_EVERY_S
        if due:
            self.tell(trainer)
        return due

    def figures(self, trainer: Trainer) -> m.TrainingStats:
        """Of the run so far."""
        return self._stats.event(trainer)

    def tell(self, trainer: Trainer) -> None:
        """Emit the statistics of the run so far."""
        self._told = self._clock()
        self._emit(self.figures(trainer))

    def _out_of_memory(self, trainer: Trainer) -> None:
        """Go on with half the batch while there is half of one."""
        torch.cuda.empty_cache()
        if not trainer.halve_batch():
            raise UserError(
                text("The GPU's memory is full"),
                text("Reset and choose a smaller preset, or close other programs."),
            )
        n = trainer.config.train.samples_per_step
        self._emit(m.Notice(text("The GPU's memory was full: on with {n} samples a step.", n=n)))
