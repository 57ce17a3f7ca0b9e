"""The figures of a run as they are shown: smoothed over the last steps."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import psutil
import torch

from core.config.run import RunConfig
from core.protocol import Phase, TrainingStats
from core.training.memory_forecast import forecast
from core.training.step import StepStats
from core.training.trainer import Trainer

WINDOW = 20
MAX_BAD_STEPS = 20


class StatsWindow:
    """The last steps of a run."""

    def __init__(self) -> None:
        self._recent: deque[StepStats] = deque(maxlen=WINDOW)
        self._bad_steps = 0
        self._peak = 0
        self._forecast: tuple[RunConfig, int] | None = None

    @property
    def diverged(self) -> bool:
        """Whether the loss has not been a number for too long."""
        return self._bad_steps > MAX_BAD_STEPS

    def add(self, stats: StepStats) -> None:
        """Count a step."""
        finite = np.isfinite(sum(stats.losses.values()))
        self._bad_steps = 0 if finite else self._bad_steps + 1
        self._recent.append(stats)

    def event(self, trainer: Trainer) -> TrainingStats:
        """What the window and the progress bar show of ``trainer`` now."""
        recent = self._recent
        memory = _memory(trainer.device)
        self._peak = max(self._peak, memory)
        mse = float(np.mean([s.mse for s in recent])) if recent else 1.0
        names = recent[-1].losses if recent else {}
        steps_per_s = trainer.step_count / max(trainer.elapsed, 1e-9)
        return TrainingStats(
            step=trainer.step_count,
            progress=trainer.progress,
            elapsed_s=trainer.elapsed,
            eta_s=trainer.seconds_left,
            losses={n: float(np.mean([s.losses.get(n, 0.0) for s in recent])) for n in names},
            psnr=float(-10 * np.log10(max(mse, 1e-10))),
            inv_s=float(trainer.model.inv_s.detach()) if trainer.model.sdf_field else math.nan,
            active_levels=trainer.model.shape.active_levels,
            n_levels=trainer.model.shape.n_levels,
            rays_per_s=steps_per_s * float(np.mean([s.n_rays for s in recent] or [0])),
            samples_per_s=steps_per_s * float(np.mean([s.n_kept for s in recent] or [0])),
            phase=_phase(trainer),
            memory=memory,
            memory_peak=self._peak,
            memory_forecast=self._forecast_of(trainer),
        )

    def _forecast_of(self, trainer: Trainer) -> int:
        if self._forecast is None or self._forecast[0] != trainer.config:
            lenses = [photo.intrinsics for photo in trainer.scene.photos]
            told = forecast(trainer.config, lenses, not trainer.scene.has_masks, trainer.device)
            self._forecast = trainer.config, told.device
        return self._forecast[1]


def _phase(trainer: Trainer) -> Phase:
    if trainer.model.has_sdf:
        return "surface"
    if not trainer.model.is_density_stage:
        return "radiance"
    at_end = trainer.progress >= trainer.config.train.density_until
    return "converting" if at_end else "density"


def _memory(device: torch.device) -> int:
    """Bytes that this process holds on ``device`` now."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return psutil.Process().memory_info().rss
