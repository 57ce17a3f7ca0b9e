"""What ``wild`` buys: ``python -m tests.benchmarks.wild CAPTURE [--steps N] [--method M]``.

Trains a capture whose photos were repainted (other light in each, something in the way of every
third) once as it is and once with ``wild``, and scores both on the held-out photos, which were left
as they are. Scores of both are of the right half of each, the left half tells how it looks.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from core.base.device import choose_device
from core.base.image_metrics import psnr, ssim
from core.base.jobs import run_task
from core.capture.open import hold_out_every, open_capture
from core.capture.pixels import load_pixels
from core.config.run import RunOptions
from core.output.views import render_photo, score_photos
from core.training.presets import for_scene, run_config
from core.training.ray_source import photo_colors
from core.training.trainer import Trainer
from tests.repainted import repainted


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("capture", type=Path)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--method", default="surface")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, help="a folder for a strip of each held-out photo")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    clean = run_task(open_capture(arguments.capture))
    clean = clean if clean.held_out else hold_out_every(clean, 8)
    with tempfile.TemporaryDirectory() as folder:
        painted = repainted(clean, Path(folder))
        for name, scene, wild in (
            ("clean photos", clean, False),
            ("repainted", painted, False),
            ("repainted, wild", painted, True),
        ):
            choice = RunOptions(steps=arguments.steps, method=arguments.method, wild=wild)
            config = run_config(choice, device.type, seed=arguments.seed)
            config = for_scene(config, scene.has_masks, scene.setting)
            with run_task(load_pixels(scene, config.train.max_photo_side)) as store:
                trainer = Trainer(store, config, device)
                while not trainer.finished:
                    trainer.step()
                scores = right_halves(trainer)
                if arguments.pictures is not None:
                    _pictures(trainer, arguments.pictures, name)
            mean = np.mean(scores, 0)
            print(f"{name:18} PSNR {mean[0]:.2f} dB, SSIM {mean[1]:.3f}", flush=True)


def right_halves(trainer: Trainer) -> list[tuple[float, float]]:
    """PSNR and SSIM of each held-out photo."""
    if trainer.config.wild:
        return [(s.psnr, s.ssim) for s in run_task(score_photos(trainer, trainer.scene.held_out))]
    scores = []
    for photo in trainer.scene.held_out:
        lens = photo.intrinsics.shrunk(trainer.config.train.max_photo_side)
        half = np.s_[:, lens.width // 2 :]
        image = run_task(render_photo(trainer, photo, lens))
        truth = photo_colors(trainer.scene, photo, lens)
        scores.append((psnr(image[half], truth[half]), ssim(image[half], truth[half])))
    return scores


def _pictures(trainer: Trainer, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    photos = trainer.scene.held_out[:3] + trainer.scene.photos[:3]
    rows = [
        run_task(render_photo(trainer, photo, photo.intrinsics.shrunk(400))) for photo in photos
    ]
    iio.imwrite(folder / f"{name}.png", (np.concatenate(rows, 1) * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
