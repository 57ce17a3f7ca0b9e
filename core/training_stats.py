"""The figures of a run as they are shown: smoothed over the last steps."""

from __future__ import annotations

from collections import deque

import numpy as np

from core.messages import TrainingStats
from core.training.trainer import StepStats, Trainer

WINDOW = 20
MAX_BAD_STEPS = 20


class StatsWindow:
    """The last steps of a run."""

    def __init__(self) -> None:
        self._recent: deque[StepStats] = deque(maxlen=WINDOW)
        self._bad_steps = 0

    @property
    def diverged(self) -> bool:
        """Whether the loss has not been a number for too long."""
        return self._bad_steps > MAX_BAD_STEPS

    def add(self, stats: StepStats) -> None:
        finite = np.isfinite(sum(stats.losses.values()))
        self._bad_steps = 0 if finite else self._bad_steps + 1
        self._recent.append(stats)

    def event(self, trainer: Trainer) -> TrainingStats:
        """What the window and the progress bar show of ``trainer`` now."""
        recent = self._recent
        mse = float(np.mean([s.mse for s in recent])) if recent else 1.0
        names = recent[-1].losses if recent else {}
        steps_per_s = trainer.step_count / max(trainer.elapsed, 1e-9)
        return TrainingStats(
            step=trainer.step_count, progress=trainer.progress, elapsed_s=trainer.elapsed,
            eta_s=trainer.seconds_left,
            losses={n: float(np.mean([s.losses.get(n, 0.0) for s in recent])) for n in names},
            psnr=float(-10 * np.log10(max(mse, 1e-10))),
            inv_s=float(trainer.model.inv_s.detach()),
            active_levels=trainer.model.shape.active_levels,
            n_levels=trainer.config.field.n_levels,
            rays_per_s=steps_per_s * float(np.mean([s.n_rays for s in recent] or [0])),
            samples_per_s=steps_per_s * float(np.mean([s.n_kept for s in recent] or [0])),
        )
