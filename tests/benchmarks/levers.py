"""What each lever of the training buys: ``python -m tests.benchmarks.levers SCENE REFERENCE``.

Trains the scene once as the preset says and once for each change to it, all for the same time,
and prints a table: steps, PSNR on held-out photos, mean two-way distance to the reference and
F-score at ``--threshold``. One run at a time; leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.base.device import choose_device
from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.pixels import load_pixels
from core.config.mesh import MeshOptions
from core.config.run import RunConfig, RunOptions
from core.evaluation.evaluate import compare_surfaces
from core.evaluation.surface_metrics import read_surface
from core.meshing.from_model import mesh_of_model
from core.output.views import score_photos
from core.training.presets import default_preset, for_scene, run_config
from core.training.trainer import Trainer

LEVERS: dict[str, dict[str, Any]] = {
    "the preset": {},
    "no topology warm-up": {
        "density_until": 0.0,
        "levels_from": 0.1,
        "initial_levels": 5,
        "learning_rate": 1e-2,
        "initial_inv_s": 20.0,
        "curvature_until": 0.2,
        "lambda_mask": 0.1,
    },
    "no sparsity of the density": {"lambda_sparsity": 0.0},
    "rays drawn evenly": {"error_ray_fraction": 0.0, "sdf_error_ray_fraction": 0.0},
    "rays drawn evenly on the surface": {"sdf_error_ray_fraction": 0.0},
    "no culling": {"cull_weight": 0.0},
    "analytic gradients": {"gradients": "analytic"},
    "6 taps": {"gradients": "fd6"},
    "SDF network 32 wide": {"sdf_width": 32},
    "SDF network 16 wide": {"sdf_width": 16},
    "colour network 32 wide": {"color_width": 32},
    "half the samples a step": {"samples_per_step": 2048, "density_samples": 8192},
    "twice the samples a step": {"samples_per_step": 8192, "density_samples": 32768},
    "taps at every sample": {"fd_stride": 1},
    "steps of half the length": {"march_sharpness": 1.0},
    "8 levels to 256": {"n_levels": 8, "finest_resolution": 256, "initial_levels": 8},
    "12 levels to 768": {"n_levels": 12, "finest_resolution": 768},
    "coarse levels first": {"initial_levels": 6},
    "4 levels in the warm-up": {"density_levels": 4},
    "6 levels in the warm-up": {"density_levels": 6},
    "tables of 2^15": {"log2_hashmap_size": 15},
    "tables of 2^17": {"log2_hashmap_size": 17},
    "tables of 2^19": {"log2_hashmap_size": 19},
    "no curvature": {"lambda_curvature": 0.0},
    "twice as sharp": {"initial_inv_s": 600.0, "final_inv_s": 1000.0},
    "photos at half size": {"max_photo_side": 200},
    "rays that stop at the surface, at the end": {"traced_from": 0.85},
    "the settled SDF at the full rate": {"sdf_lr_scale": 1.0, "sdf_lr_decay": 1.0},
    "warm-up for 0.5 of the run": {
        "density_until": 0.5,
        "levels_from": 0.5,
        "levels_until": 0.7,
        "curvature_until": 0.7,
    },
    "warm-up for 0.8 of the run": {
        "density_until": 0.8,
        "levels_from": 0.8,
        "levels_until": 0.9,
        "curvature_until": 0.9,
    },
}


@dataclass(frozen=True)
class Result:
    """Of one run: steps, dB on held-out photos, units of the input."""

    steps: int
    psnr: float
    distance: float
    f_score: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--threshold", type=float, default=0.01)
    parser.add_argument("--preset")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", action="append", choices=LEVERS, metavar="LEVER")
    arguments = parser.parse_args()
    print("| lever | steps | PSNR | distance | F |\n|---|---|---|---|---|")
    for name in arguments.only or LEVERS:
        found = measure(arguments, LEVERS[name])
        print(
            f"| {name} | {found.steps} | {found.psnr:.1f} | {found.distance:.4f} | "
            f"{found.f_score:.2f} |",
            flush=True,
        )


def measure(arguments: argparse.Namespace, lever: dict[str, Any]) -> Result:
    """One run with ``lever`` pulled, and how good it is."""
    device = choose_device(arguments.device)
    scene = run_task(open_capture(arguments.scene))
    preset = arguments.preset or default_preset(device.type)
    config = for_scene(run_config(RunOptions(preset, arguments.minutes)), scene.has_masks)
    config = changed(config, lever)
    with run_task(load_pixels(scene, config.train.max_photo_side)) as store:
        trainer = Trainer(store, config, device)
        while not trainer.finished:
            trainer.work()
        mesh = run_task(mesh_of_model(trainer.model, store.scene, MeshOptions()))
        surface = compare_surfaces(
            mesh, *read_surface(arguments.reference), scene.photos, [arguments.threshold]
        )
        scores = run_task(score_photos(trainer, store.scene.held_out))
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return Result(
        trainer.step_count,
        float(np.mean([s.psnr for s in scores])),
        surface["distance"],
        next(iter(surface["f_scores"].values())),
    )


def changed(config: RunConfig, values: dict[str, Any]) -> RunConfig:
    """``config`` with ``values`` of its field or its training in the place of its own."""
    for name, value in values.items():
        part = "train" if hasattr(config.train, name) else "field"
        config = replace(config, **{part: replace(getattr(config, part), **{name: value})})
    return config


if __name__ == "__main__":
    main()
