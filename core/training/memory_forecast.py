"""How much memory a run will take, before it starts, and a smaller run where that is too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import psutil
import torch

from core.base.parallel import num_workers
from core.base.text import Text, text
from core.config.run import FieldConfig, RunConfig
from core.field.methods import METHODS
from core.field.model import SceneModel
from core.geometry.cameras import Intrinsics

BASE_BYTES = {"cpu": 0.8e9, "cuda": 0.6e9}
"""Bytes of the libraries, of the compiled kernels and of what they need to work."""
USABLE_FRACTION = 0.85
"""Of the free memory a run may take so much: the rest of the computer wants some too."""
MIN_SAMPLES = 512
BACKWARD_FACTOR = 4.0
"""What a pass with gradients holds at its peak, for each byte that it saves on its way forward."""


@dataclass(frozen=True)
class Forecast:
    """Bytes. ``photos`` lie in a file that is mapped: on disk, and in memory as far as there is
    room, never on a GPU."""

    photos: int
    tables: int
    optimizer: int
    activations: int
    base: int

    @property
    def device(self) -> int:
        """On the device that trains."""
        return self.tables + self.optimizer + self.activations + self.base

    def __str__(self) -> str:
        return (
            f"{format_bytes(self.device)}: tables and networks {format_bytes(self.tables)}, "
            f"optimiser and gradients {format_bytes(self.optimizer)}, "
            f"samples {format_bytes(self.activations)}; photos {format_bytes(self.photos)} on disk"
        )


def format_bytes(n_bytes: float) -> str:
    """For people: "38 MB", "1.2 GB"."""
    return f"{n_bytes / 1e6:.0f} MB" if n_bytes < 0.95e9 else f"{n_bytes / 1e9:.1f} GB"


def forecast(
    config: RunConfig, lenses: Sequence[Intrinsics], has_background: bool, device: torch.device
) -> Forecast:
    """For photos through ``lenses`` (full size) on ``device``."""
    train = config.train
    small = [lens.shrunk(train.max_photo_side) for lens in lenses]
    with torch.device("meta"):  # counts, and takes no memory
        model = SceneModel(config, len(lenses), has_background)
        model.unlock_all_levels()
    parameters = 4 * sum(p.numel() for p in model.parameters())
    surface, density = _floats_per_sample(model, config.field)
    samples = max(train.samples_per_step * surface, train.density_samples * density)
    if config.field.unbounded:  # as many again beyond the region
        samples += train.density_samples * density
    return Forecast(
        photos=sum(4 * lens.width * lens.height for lens in small),
        tables=parameters,
        optimizer=parameters * (2 + num_workers(device)),
        activations=int(4 * samples * BACKWARD_FACTOR),
        base=int(BASE_BYTES.get(device.type, 0)),
    )


def _floats_per_sample(model: SceneModel, field: FieldConfig) -> tuple[float, float]:
    """That a step saves for its way back, of a surface (a sample and its taps) and of a density; 0
    where there is none."""
    asked = {"fd4": 5, "fd6": 7, "analytic": 3}[field.gradients]
    if field.fd_stride > 1:
        asked = 1 + asked / field.fd_stride
    color = model.color.floats_per_sample
    density = 0.0 if model.radiance is None else model.radiance.floats_per_sample + color
    if model.sdf_field is None:
        return 0.0, density
    return asked * model.sdf_field.floats_per_sample + max(density, color), density


def budget(device: torch.device) -> float:
    """Bytes that a run may take on ``device`` now."""
    if device.type == "cuda":
        return USABLE_FRACTION * torch.cuda.mem_get_info(device)[0]
    return USABLE_FRACTION * psutil.virtual_memory().available


def fit_to_memory(
    config: RunConfig,
    lenses: Sequence[Intrinsics],
    has_background: bool,
    device: torch.device,
    max_bytes: float,
) -> tuple[RunConfig, list[Text]]:
    """Reduce ``config`` until its forecast is at most ``max_bytes``.

    Halves the batch first, which only costs time, then the tables.

    Returns:
        The reduced run, and what was reduced.
    """
    lowered, method = config, METHODS[config.method]
    while forecast(lowered, lenses, has_background, device).device > max_bytes:
        if halved := halved_batch(lowered):
            lowered = halved
        elif smaller := method.smaller(lowered.field):
            lowered = replace(lowered, field=smaller)
        else:
            break
    changes: list[Text] = []
    if lowered.train != config.train:
        changes.append(
            text(
                "{fewer} samples per step instead of {planned}",
                fewer=lowered.train.samples_per_step,
                planned=config.train.samples_per_step,
            )
        )
    if lowered.field != config.field:
        smaller, planned = method.size(lowered.field), method.size(config.field)
        changes.append(text("{smaller} instead of {planned}", smaller=smaller, planned=planned))
    return lowered, changes


def halved_batch(config: RunConfig) -> RunConfig | None:
    """With half as many samples a step; None where so few are left that half would not do."""
    train = config.train
    if train.samples_per_step < 2 * MIN_SAMPLES:
        return None
    return replace(
        config,
        train=replace(
            train,
            n_rays=train.n_rays // 2,
            samples_per_step=train.samples_per_step // 2,
            density_samples=train.density_samples // 2,
        ),
    )
