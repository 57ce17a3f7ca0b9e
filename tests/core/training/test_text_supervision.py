"""A sentence as the goal of a run: what its pictures are held to, and what comes of that."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.pixels import load_pixels
from core.config.prompt import Prompt, write_prompt
from core.config.run import TrainConfig
from core.rendering.render import render_rays
from core.training import losses, schedule
from core.training.presets import for_scene
from core.training.ray_source import photo_rays
from core.training.step import sample_rays_of_shard
from core.training.supervision import clip
from core.training.supervision.clip import Clip
from core.training.supervision.text import DISTANCE, TextSupervision, _cropped
from core.training.targets import Pixels
from tests.core.shaded_ball import CPU, WARM, ball_trainer
from tests.core.tiny_clip import red_in_the_middle, tiny_clip

NGP = replace(
    WARM,
    method="ngp",
    steps=60,
    train=replace(
        WARM.train,
        density_until=1.0,
        levels_from=0.0,
        levels_until=0.0,
        prompt_image_side=24,
        prompt_backgrounds=2,
    ),
)
IMAGINED = for_scene(NGP, has_masks=True, from_prompt=True)


@pytest.fixture
def store(tmp_path):
    with run_task(load_pixels(run_task(open_capture(written(tmp_path))), 100)) as store:
        yield store


def written(folder: Path, text="a red ball") -> Path:
    return write_prompt(text, folder, folder)


def imagining(store, likeness=red_in_the_middle, config=IMAGINED):
    trainer = ball_trainer(store, config)
    trainer.supervision._similarity = likeness
    return trainer


def test_enough_transmittance_costs_nothing_and_less_pulls_opacity_down():
    for through, wanted, cost in ((0.6, 0.5, 0.0), (0.5, 0.5, 0.0), (0.3, 0.5, 0.2)):
        opacity = torch.full((8,), 1 - through, requires_grad=True)
        loss = losses.transmittance_loss(opacity, wanted)
        assert float(loss.detach()) == pytest.approx(cost, abs=1e-6)
    (slope,) = torch.autograd.grad(loss, opacity)
    torch.testing.assert_close(slope, torch.full((8,), 1 / 8)), "less opacity, less loss"


def test_the_transmittance_asked_for_grows_to_its_end_and_stays_there():
    train = TrainConfig(transmittance=(0.5, 0.9), transmittance_until=0.2)
    found = [schedule.transmittance(train, at) for at in (0.0, 0.1, 0.2, 1.0)]
    assert found == pytest.approx([0.5, 1 - 0.5 * 0.2**0.5, 0.9, 0.9])


def test_a_pull_has_the_gradients_of_the_loss_of_the_whole_picture(store):
    """Taken through one rendering at once, which is what the lanes save."""
    trainer = imagining(store)
    model, train, supervision = trainer.model, trainer.config.train, trainer.supervision
    batches = supervision.sample_batches(model, train, 16 * 16, 0.0)
    found = [sample_rays_of_shard(model, trainer.occupancy, batch, train, 0.0) for batch in batches]
    torch.manual_seed(3)
    with_targets = supervision.with_targets(model, train, batches, found, 0.0)
    parameters = list(model.radiance.parameters())

    def gradients(loss):
        return torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)

    from core.training.step import render_shard

    seen = [render_shard(model, b, f, train, 0.0) for b, f in zip(batches, found)]
    n = sum(len(batch.rays) for batch in batches)
    by_lanes = sum(
        batch.target.on(lane) * len(batch.rays) / n for batch, lane in zip(with_targets, seen)
    )
    color, opacity = (torch.cat([getattr(s, name) for s in seen]) for name in ("color", "opacity"))
    torch.manual_seed(3)
    from core.rendering.backgrounds import random_backgrounds

    behind, crops = random_backgrounds(2, 16, CPU), torch.rand(2, 3).tolist()
    whole = color.T.view(1, 3, 16, 16) + (1 - opacity.view(1, 1, 16, 16)) * behind
    told = torch.cat([red_in_the_middle(_cropped(one[None], *c)) for one, c in zip(whole, crops)])
    least = schedule.transmittance(train, 0.0)
    exact = 1 - told.mean() + train.lambda_transmittance * losses.transmittance_loss(opacity, least)
    for ours, theirs in zip(gradients(by_lanes), gradients(exact)):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-3)


def test_what_matches_the_sentence_comes_to_be(store):
    """A judge that wants red in the middle of every picture, whatever stands behind it, gets a red
    thing in the middle of the ball."""
    trainer = imagining(store)
    told = [trainer.step().losses["sentence"] for _ in range(60)]
    assert np.mean(told[-10:]) < 0.6 * np.mean(told[:3])
    photo = trainer.scene.photos[8]
    lens = photo.intrinsics.scaled(33, 33)
    with torch.no_grad():
        seen = render_rays(
            trainer.model,
            trainer.occupancy,
            photo_rays(trainer.scene, photo, lens),
            trainer.config.train,
            background=torch.ones(3),
        )
    middle, corner = 16 * 33 + 16, 0
    red, green, blue = seen.color[middle].tolist()
    assert red - max(green, blue) > 0.5
    assert seen.opacity[middle] > 0.8
    assert seen.opacity[corner] < 0.1


def test_pictures_come_from_all_around_and_look_at_what_is_there(store):
    trainer = imagining(store)
    supervision = trainer.supervision
    supervision.center = torch.tensor([0.1, 0.0, -0.05])
    origins, axes = [], []
    for _ in range(40):
        rays = [
            b.rays
            for b in supervision.sample_batches(trainer.model, trainer.config.train, 400, 0.0)
        ]
        directions = torch.cat([r.directions for r in rays])
        assert len(directions) == 20 * 20
        origins.append(rays[0].origins[0] - supervision.center)
        axes.append(torch.nn.functional.normalize(directions.mean(0), dim=0))
    origins, axes = torch.stack(origins), torch.stack(axes)
    torch.testing.assert_close(origins.norm(dim=1), torch.full((40,), DISTANCE))
    torch.testing.assert_close(axes, -origins / DISTANCE, atol=1e-4, rtol=0)
    assert (origins[:, :2].amin(0) < -1).all()
    assert (origins[:, :2].amax(0) > 1).all()


def test_the_centre_follows_what_is_seen(store):
    """A picture whose whole light is stopped at one point draws the centre there."""
    supervision = TextSupervision(Prompt("", ""), CPU, red_in_the_middle)
    trainer = imagining(store)
    batches = supervision.sample_batches(trainer.model, trainer.config.train, 256, 0.0)
    rays = torch.cat([b.rays.directions for b in batches])
    where = batches[0].rays.origins[0] + 2.5 * rays[100]
    opacity = torch.zeros(256).index_fill(0, torch.tensor(100), 0.9)
    for _ in range(1500):
        supervision._follow_center(batches, opacity, 2.5 * opacity)
    torch.testing.assert_close(supervision.center, where, atol=1e-3, rtol=0)


def test_the_same_seed_imagines_the_same(store):
    ends = []
    for _ in range(2):
        trainer = imagining(store)
        told = [trainer.step().losses["sentence"] for _ in range(4)]
        ends.append((told, trainer.supervision.center))
    assert ends[0][0] == ends[1][0]
    assert ends[0][1].equal(ends[1][1])


def test_a_run_of_photos_is_still_held_to_pixels(tmp_path):
    from tests.core.shaded_ball import ball_store

    with ball_store(tmp_path) as store:
        trainer = ball_trainer(store)
        batches = trainer.supervision.sample_batches(trainer.model, trainer.config.train, 64, 0.0)
    assert all(isinstance(batch.target, Pixels) for batch in batches)


# --- the network ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    pytest.importorskip("transformers")
    return tiny_clip(tmp_path_factory.mktemp("clip"))


def test_the_loss_of_a_network_falls(store, weights):
    judge = Clip(Prompt("a red ball", str(weights)), CPU)
    trainer = imagining(store, judge.similarity)

    def loss():
        """Mean over the same pictures, before the same backgrounds."""
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return np.mean([_told(trainer) for _ in range(12)])

    before = loss()
    for _ in range(60):
        trainer.step()
    assert loss() < before - 0.1


def _told(trainer):
    supervision, model, train = trainer.supervision, trainer.model, trainer.config.train
    batches = supervision.sample_batches(model, train, 24 * 24, 1.0)
    found = [sample_rays_of_shard(model, trainer.occupancy, batch, train, 1.0) for batch in batches]
    supervision.with_targets(model, train, batches, found, 1.0)
    return supervision._terms["sentence"]


def test_a_likeness_is_a_cosine_that_depends_on_both(weights):
    torch.manual_seed(0)
    pictures = torch.rand(3, 3, 40, 40, requires_grad=True)
    red, blue = (Clip(Prompt(f"a {color} ball", str(weights)), CPU) for color in ("red", "blue"))
    found = red.similarity(pictures)
    assert found.shape == (3,)
    assert (found.abs() <= 1).all()
    assert found.detach().std() > 1e-3
    assert (found - blue.similarity(pictures)).abs().min() > 1e-3
    (slope,) = torch.autograd.grad(found.sum(), pictures)
    assert slope.abs().sum() > 0


def test_colours_are_normalised_as_the_folder_says(weights, tmp_path):
    import json
    import shutil

    other = shutil.copytree(weights, tmp_path / "other")
    (other / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]})
    )
    said = Prompt("a vase", str(weights))
    usual, told = Clip(said, CPU), Clip(replace(said, weights=str(other)), CPU)
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (clip.MEAN, clip.STD))
    picture = torch.rand(1, 3, 32, 32)
    same = 0.5 + 0.25 * (picture - mean) / std
    torch.testing.assert_close(told.similarity(same), usual.similarity(picture), atol=1e-4, rtol=0)


def test_weights_that_are_none_are_said_in_one_line(weights, tmp_path):
    def complaint(folder):
        with pytest.raises(UserError) as told:
            Clip(Prompt("a vase", str(folder)), CPU)
        assert "\n" not in str(told.value)
        assert str(folder) in str(told.value)
        return str(told.value)

    assert "does not exist" in complaint(tmp_path / "none")
    assert "holds no readable CLIP network" in complaint(tmp_path)
    import shutil

    broken = shutil.copytree(weights, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"nothing of the kind")
    assert "holds no readable CLIP network" in complaint(broken)
    from safetensors.torch import load_file, save_file

    part = shutil.copytree(weights, tmp_path / "part")
    tensors = load_file(part / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if "visual_projection" not in name}
    save_file(kept, part / "model.safetensors", {"format": "pt"})
    assert "1 tensors are missing" in complaint(part)


def test_without_the_extra_one_line_says_how_to_get_it(store, monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"pip install 'gradina\[text\]'"):
        ball_trainer(store, IMAGINED).step()
