"""Volumes of a few numbers and of functions: seen as they are, and fitted to photos."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.pixels import load_pixels
from core.config.run import FieldConfig, RunOptions
from core.field.analytic import BoxVolume, FunctionVolume
from core.field.model import SceneModel
from core.geometry.rigid import transform_points, world_from_opengl_camera
from core.output.volume_picture import render_volume
from core.rendering.volume import density
from core.training.presets import PRESETS, for_scene, run_config
from core.training.trainer import Trainer
from tests.core.captures import orbit
from tests.core.shaded_ball import CPU

SIZE, FOCAL = 160, 280.0
CENTER, HALF = np.array([0.1, -0.05, 0.08]), np.array([0.5, 0.35, 0.42])


def box_photos(folder, n=14):
    """Photos, cut out, of a box whose sides are each of one colour."""
    u, v = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    local = np.stack([(u - SIZE / 2) / FOCAL, (v - SIZE / 2) / FOCAL, np.ones_like(u)], -1)
    frames = []
    for i, pose in enumerate(orbit(n)):
        rays = local @ pose[:3, :3].T
        a, b = ((CENTER + s * HALF - pose[:3, 3]) / rays for s in (-1, 1))
        near, far = np.minimum(a, b), np.maximum(a, b)
        hit = near.max(-1) < far.min(-1)
        color = np.array([[0.8, 0.3, 0.2], [0.2, 0.7, 0.3], [0.3, 0.4, 0.9]])[near.argmax(-1)]
        pixels = np.dstack([np.round(255 * color), 255 * hit]).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        frames.append(
            {"file_path": f"./{i}.png", "transform_matrix": world_from_opengl_camera(pose).tolist()}
        )
    header = {"fl_x": FOCAL, "cx": SIZE / 2, "cy": SIZE / 2, "w": SIZE, "h": SIZE}
    (folder / "transforms.json").write_text(json.dumps(header | {"frames": frames}))
    return folder


@pytest.mark.slow
def test_a_box_is_fitted_to_its_photos_within_one_percent(tmp_path):
    scene = run_task(open_capture(box_photos(tmp_path)))
    config = for_scene(run_config(RunOptions("draft", steps=240, method="box")), True)
    ball = scene.scene_from_input
    size = np.cbrt(np.linalg.det(ball[:3, :3]))
    np.testing.assert_allclose(ball[:3, :3], size * np.eye(3), atol=1e-6 * size)
    with run_task(load_pixels(scene, 400)) as store:
        trainer = Trainer(store, config, CPU)
        while not trainer.finished:
            trainer.work()
    box = trainer.model.radiance
    sides = 2 * HALF * size
    np.testing.assert_allclose(
        box.center.detach(), transform_points(ball, CENTER[None])[0], atol=0.01 * sides.min()
    )
    np.testing.assert_allclose(2 * box.half.detach(), sides, rtol=0.01)


def test_distances_to_a_box():
    box = BoxVolume(FieldConfig(n_levels=8))
    box.log_half.data[:] = torch.tensor([0.5, 0.4, 0.3]).log()
    x = torch.tensor([[0.8, 0, 0], [0.0, 0, 0], [0.45, 0, 0], [0.8, 0.8, 0.3]])
    torch.testing.assert_close(box.distance(x), torch.tensor([0.3, -0.3, -0.05, 0.5]))
    box.active_levels = 8
    for value in box.value_and_features(100 * x):
        assert value.isfinite().all()
    soft, sharp = (float(density(box.implicit_value(x[:1], n))) for n in (1, 8))
    assert soft == pytest.approx(30 * math.exp(-20 * 0.3))
    assert sharp == 0


def test_a_function_is_seen_with_its_colour_and_depth():
    """A ball of constant density 2: opacity of a chord of length l is 1 - e^(-2 l)."""

    def ball(x):
        return 2.0 * (x.norm(dim=-1) < 0.6), torch.ones_like(x)

    image, depth = render_volume(ball, 21, 21, distance=3.0, step=0.005)
    behind, _ = render_volume(lambda x: (torch.zeros(len(x)), torch.ones_like(x)), 21, 21)
    opacity = (image[10, 10] / 255 - behind[10, 10] / 255) / (1 - behind[10, 10] / 255)
    assert opacity == pytest.approx(1 - math.exp(-2 * 1.2), abs=0.01)
    length = 1.2  # mean place of what is seen along the chord, from its front
    mean = 0.5 - length * math.exp(-2 * length) / (1 - math.exp(-2 * length))
    assert depth[10, 10] == pytest.approx(2.4 + mean, abs=0.01)
    assert not np.isfinite(depth[0, 0])
    assert (image[0, 0] == behind[0, 0]).all()


def test_a_function_keeps_its_density():
    wanted = torch.tensor([0.0, 1e-3, 0.7, 30.0, 500.0])
    volume = FunctionVolume(lambda x: (wanted, torch.zeros(5, 3)))
    found = density(volume.implicit_value(torch.zeros(5, 3)))
    torch.testing.assert_close(found, wanted.clamp(max=220), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("unbounded", [False, True])
def test_presets_make_a_box_of_whatever_they_are_for(unbounded):
    """Of photos that were cut out it has no world around it, even if one was wished for."""
    x = torch.rand(4, 3)
    for name in PRESETS:
        wanted = run_config(RunOptions(name, method="box", unbounded=unbounded))
        model = SceneModel(for_scene(wanted, has_masks=True), 3, has_background=False)
        _, features = model.shape.value_and_features(x)
        assert features.shape == (4, 0)
        assert model.color(x, None, x, features, model.appearance(None, 4)).shape == (4, 3)
