"""Photos of several lights, with things in the way, and what is made of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.base.jobs import run_task
from core.capture.open import hold_out_every, open_capture
from core.capture.pixels import load_pixels
from core.field.transient import MIN_UNCERTAINTY, TransientHead
from core.output.views import score_photos
from core.training.losses import color_loss, uncertain_color_loss
from core.training.presets import WILD_APPEARANCE, for_scene
from core.training.ray_source import RaySource, photo_colors, photo_rays
from core.training.trainer import Trainer
from tests.core.shaded_ball import CPU, TINY, shaded_ball
from tests.repainted import exposure_ramp, repainted


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = shaded_ball(tmp_path_factory.mktemp("ball"), n=16)
    return hold_out_every(run_task(open_capture(folder)), 8)


def trained(scene, folder, wild, steps=150):
    config = for_scene(replace(TINY, wild=wild, steps=steps), scene.has_masks)
    with run_task(load_pixels(scene, 400)) as store:
        trainer = Trainer(store, config, CPU)
        while not trainer.finished:
            trainer.step()
    return trainer


def test_what_may_be_off_by_little_is_held_to_the_plain_difference():
    torch.manual_seed(0)
    rendered, target = torch.rand(2, 50, 3)
    least = torch.full((50,), MIN_UNCERTAINTY)
    torch.testing.assert_close(
        uncertain_color_loss(rendered, target, least, MIN_UNCERTAINTY),
        color_loss(rendered, target, "l1"),
    )


def test_the_best_spread_is_the_mean_difference():
    """d/dβ (e/β + log β) = 0 at β = e."""
    target, rendered = torch.zeros(1, 3), torch.full((1, 3), 0.2)
    spreads = torch.linspace(0.05, 0.5, 451)
    costs = torch.stack(
        [uncertain_color_loss(rendered, target, s[None], MIN_UNCERTAINTY) for s in spreads]
    )
    assert float(spreads[costs.argmin()]) == pytest.approx(0.2, abs=1e-3)


def test_a_veil_begins_all_but_open_and_covers_by_its_opacity():
    transient = TransientHead(3)
    color, place = torch.rand(10, 3), torch.rand(10, 2) * 2 - 1
    photo = torch.arange(10) % 3
    with torch.no_grad():
        start = transient(photo, place, color)
    assert float(start.opacity.max()) < 0.02
    assert float((start.color - color).abs().max()) < 0.02
    with torch.no_grad():
        transient.head.bias[0], transient.head.bias[1:4] = 30.0, 30.0
    torch.testing.assert_close(transient(photo, place, color).color, torch.ones(10, 3))


def test_rays_know_their_place_in_the_photo(clean):
    with run_task(load_pixels(clean, 400)) as store:
        rays = RaySource(store, CPU, 0).sample(200).rays
        assert rays.pixel_ndc is not None
        assert rays.photo is not None
        for i in range(0, 200, 20):
            photo = store.scene.photos[int(rays.photo[i])]
            whole = photo_rays(store.scene, photo, photo.intrinsics)
            width, height = photo.intrinsics.width, photo.intrinsics.height
            column = (float(rays.pixel_ndc[i, 0]) + 1) / 2 * width - 0.5
            row = (float(rays.pixel_ndc[i, 1]) + 1) / 2 * height - 0.5
            pixel = round(row) * width + round(column)
            torch.testing.assert_close(rays.directions[i], whole.directions[pixel])


def test_copies_are_lit_otherwise_and_every_third_has_something_in_the_way(clean, tmp_path):
    painted = repainted(clean, tmp_path)
    assert painted.held_out == clean.held_out
    for i, (old, new) in enumerate(zip(clean.photos, painted.photos)):
        before, after = (photo_colors(clean, p, p.intrinsics) for p in (old, new))
        lit = (before < 0.8) & (before > 0.2)
        ratio = after[lit] / before[lit]
        assert np.ptp(ratio) > 0.02
        assert (np.ptp(ratio) > 1) == (i % 3 == 0), "an occluder has no part in the exposure"
    assert exposure_ramp((4, 6), np.random.default_rng(0)).shape == (4, 6, 3)


@pytest.mark.slow
def test_a_wild_run_comes_closer_to_the_clean_scene_than_a_plain_one(clean, tmp_path):
    painted = repainted(clean, tmp_path)
    plain, wild = (trained(painted, tmp_path, wild) for wild in (False, True))
    assert wild.config.field.appearance_size == WILD_APPEARANCE
    scores = [
        np.mean([s.psnr for s in run_task(score_photos(trainer, clean.held_out))])
        for trainer in (plain, wild)
    ]
    assert scores[1] > scores[0] + 1.0
    assert wild.model.transient is not None
    assert plain.model.transient is None
