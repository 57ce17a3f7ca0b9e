"""How fast this machine is: kernels, a training step, the preview, meshing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from core.capture.open import open_capture
from core.capture.pixels import load_pixels
from core.config import MeshOptions
from core.device import choose_device
from core.kernels import GridLayout, for_device
from core.lanes import count, lane_map
from core.meshing.from_model import mesh_of_model
from core.presets import default_preset, for_scene, run_config
from core.sample import FOLDER
from core.tasks import run
from core.training.trainer import Trainer
from core.views import orbit, render_views

POINTS = 1 << 17
WARM_STEPS, STEPS = 60, 40


def bench(device_name: str = "auto") -> dict[str, Any]:
    """Figures by name; rates are medians of a few repetitions on this machine as it is now."""
    device = choose_device(device_name)
    lane_map(lambda piece: piece, [0, 1])  # torch to one thread a lane, as in training
    result: dict[str, Any] = {"device": str(device), "lanes": count(device)}
    result["encode"] = _encode(device)
    config = for_scene(run_config(default_preset(device.type), steps=1000), True)
    scene = run(open_capture(FOLDER))
    with run(load_pixels(scene, config.train.max_photo_side)) as store:
        trainer = Trainer(store, config, device)
        for _ in range(WARM_STEPS):
            trainer.step()
        result["training"] = _training(trainer)
        result["preview"] = _preview(trainer)
        result["meshing"] = _meshing(trainer)
    return result


def _median_seconds(call: Callable[[], object], repeats: int = 5) -> float:
    call()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _encode(device: torch.device) -> dict[str, float]:
    """Million points a second through 12 levels of 2^17 rows, 64 coherent points a ray."""
    layout = GridLayout.create(12, 2, 17, 16, 512)
    table = torch.randn(layout.n_rows, 2, device=device)
    weights = torch.ones(layout.n_levels, device=device)
    rays = POINTS // 64
    start, along = torch.rand(2, rays, 1, 3, device=device)
    steps = torch.linspace(0, 1, 64, device=device)[None, :, None]
    x = (0.1 + 0.8 * start + 0.1 * (along - 0.5) * steps).view(-1, 3)
    grad = torch.randn(len(x), layout.width, device=device)
    kernels = for_device(device)
    parts = torch.arange(len(x), device=device).chunk(count(device))

    def forward() -> None:
        lane_map(lambda p: kernels.encode(x[p], table, layout, weights), parts)

    def backward() -> None:
        lane_map(lambda p: kernels.encode_backward(x[p], grad[p], table, layout, weights), parts)

    return {
        "forward_mpoints_per_s": len(x) / _median_seconds(forward) / 1e6,
        "backward_mpoints_per_s": len(x) / _median_seconds(backward) / 1e6,
    }


def _training(trainer: Trainer) -> dict[str, float]:
    times, kept, marched, rays = [], 0, 0, 0
    for _ in range(STEPS):
        began = time.perf_counter()
        stats = trainer.step()
        times.append(time.perf_counter() - began)
        kept, marched, rays = kept + stats.n_kept, marched + stats.n_marched, rays + stats.n_rays
    total = sum(times)
    return {
        "step_ms": statistics.median(times) * 1e3, "samples_per_s": kept / total,
        "culled_samples_per_s": marched / total, "rays_per_s": rays / total,
    }


def _preview(trainer: Trainer) -> dict[str, float]:
    result = {}
    for width, height in ((160, 120), (320, 240), (640, 480)):
        view = orbit(8, width, height)[1:2]
        seconds = _median_seconds(lambda view=view: list(render_views(trainer, view)), 3)
        result[f"{width}x{height}_per_s"] = 1 / seconds
    return result


def _meshing(trainer: Trainer) -> dict[str, float]:
    result = {}
    for resolution in (64, 128, 256):
        began = time.perf_counter()
        options = MeshOptions(resolution=resolution)
        mesh = run(mesh_of_model(trainer.model, trainer.store.scene, options))
        seconds = time.perf_counter() - began
        result[f"{resolution}_s"] = seconds
        result[f"{resolution}_mvoxels_per_s"] = resolution**3 / seconds / 1e6
        result[f"{resolution}_faces"] = float(len(mesh.faces))
    return result
