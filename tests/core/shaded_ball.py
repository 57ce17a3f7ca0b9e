"""A tiny capture to train on: photos of a ball whose colours tell its normals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.base import parallel as lanes
from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.pixels import PixelStore, load_pixels
from core.config.run import FieldConfig, RunConfig, TrainConfig
from core.geometry.cameras import Intrinsics
from core.geometry.rigid import world_from_opengl_camera
from core.training import density_to_sdf as settle
from core.training.trainer import Trainer
from tests.core.captures import orbit

SIZE = 48
LENS = Intrinsics(SIZE, SIZE, 60.0, 60.0, SIZE / 2, SIZE / 2)
RADIUS = 0.8
CPU = torch.device("cpu")

FIELD = FieldConfig(
    n_levels=5,
    log2_hashmap_size=12,
    base_resolution=8,
    finest_resolution=48,
    sdf_width=32,
    color_width=32,
)
TRAIN = TrainConfig(
    n_rays=128,
    samples_per_step=1024,
    max_rays=1024,
    occupancy_resolution=24,
    march_steps=256,
    background_samples=8,
    initial_levels=3,
)
TINY = RunConfig(preset="draft", field=FIELD, train=TRAIN, steps=60)
WARM = replace(
    TINY,
    steps=80,
    train=replace(
        TRAIN,
        density_until=0.5,
        density_levels=3,
        density_samples=8192,
        cos_anneal_until=0.0,
        initial_inv_s=60.0,
        levels_from=0.5,
        levels_until=0.7,
    ),
)
"""With a topology warm-up; wants `quick_conversion`."""


def shaded_ball(folder: Path, n: int = 8, masks: bool = True) -> Path:
    """``n`` photos and a transforms.json in ``folder``; cut out, or before a coloured sky."""
    folder.mkdir(parents=True, exist_ok=True)
    u, v = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    local = np.stack([(u - LENS.cx) / LENS.fx, (v - LENS.cy) / LENS.fy, np.ones_like(u)], -1)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    frames = []
    for i, pose in enumerate(orbit(n)):
        origin, rays = pose[:3, 3], local @ pose[:3, :3].T
        along = -rays @ origin
        root = along**2 - origin @ origin + RADIUS**2
        hit = root > 0
        normals = (origin + (along - np.sqrt(np.maximum(root, 0)))[..., None] * rays) / RADIUS
        color = np.where(hit[..., None], 0.5 + 0.4 * normals, 0.3 + 0.2 * rays)
        pixels = np.round(255 * color).astype(np.uint8)
        if masks:
            pixels = np.dstack([pixels, 255 * hit.astype(np.uint8)])
        Image.fromarray(pixels).save(folder / f"{i}.png")
        frames.append(
            {"file_path": f"./{i}.png", "transform_matrix": world_from_opengl_camera(pose).tolist()}
        )
    header = {"fl_x": LENS.fx, "cx": LENS.cx, "cy": LENS.cy, "w": SIZE, "h": SIZE}
    (folder / "transforms.json").write_text(json.dumps(header | {"frames": frames}))
    return folder


def ball_store(folder: Path, masks: bool = True) -> PixelStore:
    """The capture, made in ``folder``, ready for training."""
    return run_task(load_pixels(run_task(open_capture(shaded_ball(folder, masks=masks))), 100))


def ball_trainer(store: PixelStore, config: RunConfig = TINY) -> Trainer:
    return Trainer(store, config, CPU)


def quick_conversion(patch: pytest.MonkeyPatch) -> int:
    """Make the work at the end of a warm-up as small as the ball; how many slices it takes
    on this machine."""
    for name, value in (
        ("FUSION_RESOLUTION", 32),
        ("DEPTH_MAP_SIDE", 32),
        ("FIT_STEPS", 40),
        ("FIT_POINTS", 2048),
    ):
        patch.setattr(settle, name, value)
    return 2 * -(-8 // lanes.num_workers(CPU)) + 1 + 40 + 1  # photos, fusion, fit, end
