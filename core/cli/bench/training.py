"""A run on the embedded sample: steps, conversion to an SDF, preview, meshing, memory."""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from dataclasses import replace
from functools import partial

import torch

from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.pixels import PixelStore, load_pixels
from core.capture.scene import Scene
from core.cli.bench.timing import seconds, timed
from core.config.mesh import MeshOptions
from core.config.run import RunConfig, RunOptions
from core.geometry.view import View
from core.meshing.from_model import mesh_of_model
from core.output.views import orbit, render_views
from core.sample import FOLDER
from core.training.presets import for_scene, run_config
from core.training.ray_source import RaySource
from core.training.step import StepStats
from core.training.trainer import Trainer

STEPS = 120
"""Length of the run. The second half of each stage is measured."""
PARTS = ("occupancy", "march", "judging", "gradients", "update")
"""The slices of a step. Most steps lack the first."""


def bench_training(device: torch.device) -> dict[str, dict[str, float]]:
    """Return figures by group and name."""
    config = for_scene(run_config(RunOptions(steps=STEPS), device.type), True)
    scene = run_task(open_capture(FOLDER))
    with run_task(load_pixels(scene, config.train.max_photo_side)) as store:
        trainer = Trainer(store, config, device)
        warm_up = round(config.train.density_until * STEPS)
        result = {"step_of_warm_up": _steps(trainer, warm_up)}
        began = trainer.elapsed
        while not trainer.model.has_sdf:
            trainer.work()
        result["converting"] = {"seconds": trainer.elapsed - began}
        result["step_of_surface"] = _steps(trainer, STEPS - warm_up - 1)
        result["preview"] = _preview(trainer)
        result["meshing"] = _meshing(trainer)
        result["rays_ms"] = _rays_scaling(trainer)
    result["drawing_4096_rays_ms"] = _photos_scaling(scene, config, device)
    result["peak_memory"] = _peak_memory(device)
    return result


def _steps(trainer: Trainer, n: int) -> dict[str, float]:
    """Take ``n`` steps and measure the second half: milliseconds of each part, and rates.

    Samples that reach the field with gradients and those that were culled before have rates of
    their own.
    """
    for _ in range(n // 2):
        trainer.step()
    parts: dict[str, list[float]] = defaultdict(list)
    measured: list[StepStats] = []
    began = time.perf_counter()
    for _ in range(n - n // 2):
        slices: list[float] = []
        stats = None
        while stats is None:
            before = time.perf_counter()
            stats = trainer.work()
            slices.append(time.perf_counter() - before)
        for name, taken in zip(PARTS[-len(slices) :], slices):
            parts[name].append(taken * 1e3)
        measured.append(stats)
    total = time.perf_counter() - began
    result = {f"{name}_ms": statistics.median(parts[name]) for name in PARTS if parts[name]}
    return result | {
        "step_ms": total / len(measured) * 1e3,
        "samples_per_s": sum(s.n_kept for s in measured) / total,
        "culled_samples_per_s": sum(s.n_marched for s in measured) / total,
        "rays_per_s": sum(s.n_rays for s in measured) / total,
    }


def _rays_scaling(trainer: Trainer) -> dict[str, float]:
    """Measure a step of different numbers of rays, milliseconds."""
    times: dict[str, float] = {}
    for n_rays in (512, 1024, 2048, 4096):

        def step(n_rays: int = n_rays) -> None:
            trainer.n_rays = n_rays
            trainer.step()

        times[f"{n_rays}_rays"] = seconds(step, trainer.device) * 1e3
    return times


def _photos_scaling(scene: Scene, config: RunConfig, device: torch.device) -> dict[str, float]:
    """Measure the sampling of rays from the photos of the sample, repeated, milliseconds."""
    times: dict[str, float] = {}
    for repeats in (1, 4, 16):
        many = replace(scene, photos=scene.photos * repeats)
        with run_task(load_pixels(many, config.train.max_photo_side)) as store:
            times[f"{len(store.scene.photos)}_photos"] = _ray_sampling(store, device) * 1e3
    return times


def _ray_sampling(store: PixelStore, device: torch.device) -> float:
    rays = RaySource(store, device, 0)
    return seconds(lambda: rays.sample(4096, 0.7), device)


def _preview(trainer: Trainer) -> dict[str, float]:
    result: dict[str, float] = {}
    for width, height in ((160, 120), (320, 240), (640, 480), (960, 540)):
        view = orbit(8, width, height)[1:2]
        call = partial(_render_all, trainer, view)
        taken = seconds(call, trainer.device, 3)
        result[f"{width}x{height}_per_s"] = 1 / taken
    return result


def _render_all(trainer: Trainer, views: list[View]) -> None:
    for _ in render_views(trainer, views):
        pass


def _meshing(trainer: Trainer) -> dict[str, float]:
    result: dict[str, float] = {}
    for resolution in (64, 128, 256):
        options = MeshOptions(resolution=resolution)
        task = mesh_of_model(trainer.model, trainer.scene, options)
        taken = timed(partial(run_task, task), trainer.device)
        result[f"{resolution}_s"] = taken
        result[f"{resolution}_mvoxels_per_s"] = resolution**3 / taken / 1e6
    return result


def _peak_memory(device: torch.device) -> dict[str, float]:
    """Return the peaks of this process and of the GPU so far, GB."""
    memory: dict[str, float] = {}
    if sys.platform != "win32":
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        memory["process_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    if device.type == "cuda":
        memory["gpu_gb"] = torch.cuda.max_memory_allocated(device) / 1e9
    return memory
