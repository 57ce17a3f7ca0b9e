"""What ``unbounded`` buys: ``python -m tests.benchmarks.unbounded CAPTURE [--steps N]``.

Trains a capture by each method once with a background behind its region and once as a field of all
of space, for the same number of steps, and scores both on the held-out photos: as large as they
were trained on, and rendered at a quarter of that, against the photo's own pixels averaged.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from core.base.device import choose_device
from core.base.image_metrics import psnr
from core.base.jobs import run_task
from core.capture.open import hold_out_every, open_capture
from core.capture.pixels import load_pixels
from core.capture.scene import Scene
from core.config.run import RunOptions
from core.output.views import render_photo, score_photos
from core.training.presets import for_scene, run_config
from core.training.ray_source import photo_colors
from core.training.trainer import Trainer

SMALL = 4
"""Once as many pixels a side."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("capture", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--side", type=int, default=400, help="of the photos, pixels, at most")
    parser.add_argument("--method", nargs="+", default=["surface", "ngp"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, help="a folder for a strip of held-out photos")
    arguments = parser.parse_args()
    scene = run_task(open_capture(arguments.capture))
    scene = scene if scene.held_out else hold_out_every(scene, 8)
    print("method   unbounded  PSNR   SSIM   small  seconds of cores", flush=True)
    for method in arguments.method:
        for unbounded in (False, True):
            began = time.process_time()
            trainer = _trained(scene, method, unbounded, arguments)
            seconds = time.process_time() - began
            scores = run_task(score_photos(trainer, scene.held_out))
            mean = [np.mean([s.psnr for s in scores]), np.mean([s.ssim for s in scores])]
            print(
                f"{method:8} {unbounded!s:9} {mean[0]:6.2f} {mean[1]:6.3f} "
                f"{small_psnr(trainer):6.2f} {seconds:6.0f}",
                flush=True,
            )
            if arguments.pictures is not None:
                _pictures(trainer, arguments.pictures, f"{method}_{unbounded}")


def _trained(scene: Scene, method: str, unbounded: bool, arguments: argparse.Namespace) -> Trainer:
    device = choose_device(arguments.device)
    choice = RunOptions(steps=arguments.steps, method=method, unbounded=unbounded)
    config = run_config(choice, device.type, seed=arguments.seed)
    config = for_scene(config, scene.has_masks, scene.setting)
    config = replace(config, train=replace(config.train, max_photo_side=arguments.side))
    with run_task(load_pixels(scene, arguments.side)) as store:
        trainer = Trainer(store, config, device)
        while not trainer.finished:
            trainer.step()
    return trainer


def small_psnr(trainer: Trainer) -> float:
    """Mean over the held-out photos, of what is seen in few pixels."""
    scores = []
    for photo in trainer.scene.held_out:
        lens = photo.intrinsics.shrunk(trainer.config.train.max_photo_side)
        lens = lens.scaled(lens.width // SMALL * SMALL, lens.height // SMALL * SMALL)
        small = lens.scaled(lens.width // SMALL, lens.height // SMALL)
        truth = photo_colors(trainer.scene, photo, lens)
        truth = truth.reshape(small.height, SMALL, small.width, SMALL, 3).mean((1, 3))
        scores.append(psnr(run_task(render_photo(trainer, photo, small)), truth))
    return float(np.mean(scores))


def _pictures(trainer: Trainer, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for photo in trainer.scene.held_out[:5]:
        lens = photo.intrinsics.shrunk(trainer.config.train.max_photo_side)
        truth = photo_colors(trainer.scene, photo, lens)
        rows.append(np.concatenate([truth, run_task(render_photo(trainer, photo, lens))]))
    iio.imwrite(folder / f"{name}.png", (np.concatenate(rows, 1) * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
