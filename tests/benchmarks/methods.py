"""What each method makes of a capture: ``python -m tests.benchmarks.methods CAPTURE``.

Trains it once by each method, all for the same time or steps, prints a table and leaves a strip of
pictures per method in ``--output``: held-out photo, rendering, normals, depth. One run at a time;
leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from msgspec.structs import replace

from core.base.device import choose_device
from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.open import hold_out_every, open_capture
from core.capture.pixels import load_pixels
from core.capture.scene import Scene
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.evaluation.evaluate import compare_surfaces
from core.evaluation.surface_metrics import read_surface
from core.field.methods import METHODS
from core.geometry.view import View
from core.meshing.from_model import mesh_of_model
from core.output.contact_sheet import contact_sheet
from core.output.views import render_photo, score_photos
from core.rendering.preview import render_preview, trace_field
from core.training.memory_forecast import forecast, format_bytes
from core.training.presets import for_scene, run_config
from core.training.ray_source import photo_colors
from core.training.trainer import Trainer

STRIP = 400
"""Pixels along the longer side of a picture."""


@dataclass(frozen=True)
class Result:
    """Of one run: dB and SSIM on held-out photos, mean two-way distance in units of the input
    (None: unknown), seconds of training, steps, parameters, bytes as forecast."""

    psnr: float
    ssim: float
    distance: float | None
    seconds: float
    steps: int
    parameters: int
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("capture", type=Path)
    parser.add_argument("--reference", type=Path)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float)
    budget.add_argument("--steps", type=int)
    parser.add_argument("--preset")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", action="append", choices=METHODS, metavar="METHOD")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/methods"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    print("| method | PSNR | SSIM | distance | seconds | steps | parameters | memory |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for method in arguments.only or METHODS:
        found = measure(arguments, method)
        distance = "–" if found.distance is None else f"{found.distance:.4f}"
        print(
            f"| {method} | {found.psnr:.1f} | {found.ssim:.3f} | {distance} | {found.seconds:.0f} "
            f"| {found.steps} | {found.parameters:,} | {format_bytes(found.memory)} |",
            flush=True,
        )


def measure(arguments: argparse.Namespace, method) -> Result:
    """One run by ``method``, its pictures left where they are wanted."""
    device = choose_device(arguments.device)
    scene = run_task(open_capture(arguments.capture))
    scene = scene if scene.held_out else hold_out_every(scene)
    choice = RunOptions(arguments.preset, arguments.minutes, arguments.steps, method)
    config = for_scene(run_config(choice, device.type), scene.has_masks, scene.setting)
    with run_task(load_pixels(scene, config.train.max_photo_side)) as store:
        trainer = Trainer(store, config, device)
        while not trainer.finished:
            trainer.work()
        scene = store.scene
        scores = run_task(score_photos(trainer, scene.held_out))
        sheet = contact_sheet(
            [list(strip(trainer, scene))],
            ["photo", "rendering", "normals", "depth"],
            [scene.held_out[0].name],
        )
        iio.imwrite(arguments.output / f"{method}.png", sheet)
        distance = None
        if arguments.reference:
            distance = distance_to(arguments.reference, trainer, scene)
    lenses = [photo.intrinsics for photo in scene.photos]
    return Result(
        float(np.mean([s.psnr for s in scores])),
        float(np.mean([s.ssim for s in scores])),
        distance,
        trainer.elapsed,
        trainer.step_count,
        sum(p.numel() for p in trainer.model.parameters()),
        forecast(trainer.config, lenses, not scene.has_masks, device).device,
    )


def strip(trainer: Trainer, scene: Scene) -> Iterator[np.ndarray]:
    """The first held-out photo, its rendering, normals and depth, sRGB [H, W, 3] in [0, 1]."""
    photo = scene.held_out[0]
    lens = photo.intrinsics.shrunk(STRIP)
    yield photo_colors(scene, photo, lens)
    yield run_task(render_photo(trainer, photo, lens))
    pose = tuple(scene.scene_from_camera(photo).ravel().tolist())
    fov = 2 * float(np.arctan(lens.height / 2 / lens.fy))
    seen = View(0, pose, fov, lens.width, lens.height)
    for mode in ("normals", "depth"):
        surface = trace_field(trainer.model, trainer.visible_occupancy, None, mode)
        picture = run_task(
            render_preview(
                trainer.model, surface, replace(seen, mode=mode), lens.width, lens.height
            )
        )
        yield picture / np.float32(255)


def distance_to(reference: Path, trainer: Trainer, scene: Scene) -> float | None:
    """Of the mesh; None where there is none."""
    try:
        mesh = run_task(mesh_of_model(trainer.model, scene, MeshOptions()))
    except UserError:
        return None
    if not len(mesh.faces):
        return None
    return compare_surfaces(mesh, *read_surface(reference), scene.photos, None)["distance"]


if __name__ == "__main__":
    main()
