"""A run through the topology warm-up: a density, then its surface."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.pixels import load_pixels
from core.config.mesh import MeshOptions
from core.field.model import SceneModel
from core.geometry.rigid import transform_points
from core.meshing.from_model import mesh_of_model
from core.rendering.sampling import random_in_ball
from core.rendering.volume import density
from core.session.stats import StatsWindow
from core.training import losses, schedule, step
from core.training.presets import PRESETS, for_scene
from tests.core.shaded_ball import (
    CPU,
    FIELD,
    RADIUS,
    SIZE,
    TINY,
    WARM,
    ball_store,
    ball_trainer,
    quick_conversion,
    shaded_ball,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as made:
        yield made


@pytest.fixture
def settling_steps(monkeypatch):
    return quick_conversion(monkeypatch)


def changed(**train):
    return replace(WARM, train=replace(WARM.train, **train))


def until_settling(trainer):
    while trainer.progress < WARM.train.density_until:
        trainer.step()
    return trainer


def until_converted(trainer):
    until_settling(trainer)
    while not trainer.model.has_sdf:
        trainer.work()
    return trainer


def surface(trainer):
    """Radii of the mesh's vertices around its middle, as shares of the ball's, input frame."""
    mesh = run_task(mesh_of_model(trainer.model, trainer.store.scene, MeshOptions(resolution=32)))
    return np.linalg.norm(mesh.vertices, axis=1) / RADIUS


def test_what_has_the_colour_of_its_backdrop_is_there_where_points_were_seen(tmp_path):
    """Photos of one grey ask for nothing at all."""
    for path in shaded_ball(tmp_path, masks=False).glob("*.png"):
        Image.new("RGB", (SIZE, SIZE), (128, 128, 128)).save(path)
    seen = 0.4 * torch.nn.functional.normalize(torch.randn(200, 3), dim=-1)
    scene = replace(run_task(open_capture(tmp_path)), points=seen.numpy())
    density_there = []
    for weight in (0.0, 0.03):
        with run_task(load_pixels(scene, 100)) as store:
            trainer = until_settling(
                ball_trainer(store, changed(lambda_seen_points=weight, lambda_sparsity=0.05))
            )
        there = transform_points(scene.scene_from_input, scene.points)
        levels = trainer.model.shape.implicit_value(torch.from_numpy(there).float())
        density_there.append(float(density(levels.detach()).mean()))
    assert density_there[1] > 3 * density_there[0]


def test_a_run_goes_through_both_stages(store, settling_steps):
    trainer = ball_trainer(store, WARM)
    assert not trainer.model.has_sdf
    assert trainer.model.shape is trainer.model.radiance
    untouched = [p.clone() for p in trainer.model.sdf_field.parameters()]
    first = [trainer.step() for _ in range(40)]
    assert trainer.progress == WARM.train.density_until
    assert all(set(stats.losses) == {"color"} for stats in first), "a density keeps no distances"
    assert np.mean([s.mse for s in first[-4:]]) < 0.8 * np.mean([s.mse for s in first[:4]])
    assert all(a.equal(b) for a, b in zip(untouched, trainer.model.sdf_field.parameters()))

    before = [p.clone() for p in trainer.model.radiance.parameters()]
    progress, slices = [trainer.progress], 0
    while not trainer.model.has_sdf:
        elapsed = trainer.elapsed
        assert trainer.work() is None, "there are no newer figures"
        assert trainer.elapsed > elapsed
        progress.append(trainer.progress)
        slices += 1
    assert slices == settling_steps
    assert set(progress) == {WARM.train.density_until}, "settling is no step of the schedule"
    assert trainer.step_count == 40
    for old, new in zip(before, trainer.model.radiance.parameters()):
        assert old.equal(new[tuple(map(slice, old.shape))]), "it grew and is the same"
    assert trainer.model.shape is trainer.model.sdf_field
    assert trainer.n_rays == WARM.train.n_rays
    assert 0.8 < np.median(surface(trainer)) < 1.35, "about the ball"

    second = []
    while not trainer.finished:
        second.append(trainer.step())
    assert len(second) == 40
    assert {"color", "eikonal", "mask"} <= set(second[0].losses)
    assert any(not a.equal(b) for a, b in zip(before, trainer.model.radiance.parameters())), (
        "its features go on giving the colours"
    )
    assert np.mean([s.mse for s in second[-4:]]) < 0.5 * np.mean([s.mse for s in first[:4]])
    assert 0.85 < np.median(surface(trainer)) < 1.15


def test_by_the_clock_settling_takes_time_of_the_budget_but_no_schedule(store, settling_steps):
    trainer = ball_trainer(store, replace(changed(minutes=50.0), steps=None))
    trainer.elapsed = 1500.0
    progress = [trainer.progress]
    while not trainer.model.has_sdf:
        trainer.work()
        progress.append(trainer.progress)
    assert len(progress) == 1 + settling_steps
    np.testing.assert_allclose(progress, WARM.train.density_until, atol=1e-4)
    assert trainer.step_count == 0
    assert trainer.seconds_left == pytest.approx(1500, abs=1500 * 0.02)
    trainer.elapsed += trainer.seconds_left
    assert trainer.progress == 1


def test_a_seed_repeats_both_stages(store, settling_steps):
    def told(seed):
        trainer = ball_trainer(store, replace(WARM, steps=16, seed=seed))
        steps = []
        while not trainer.finished:
            steps.append(trainer.step())
        return steps, trainer.model.state_dict()

    (first, a), (second, b), (other, _) = told(0), told(0), told(1)
    assert first == second
    assert first != other
    assert len(first) == 16
    assert all(a[name].equal(b[name]) for name in a)


def test_each_stage_learns_its_own_at_its_own_rate(store, settling_steps):
    trainer = ball_trainer(store, changed(sdf_lr_scale=0.25, sdf_lr_decay=5.0))

    def learnt():
        mine = {id(p) for group in trainer.optimizer.param_groups for p in group["params"]}
        return {name.split(".")[0] for name, p in trainer.model.named_parameters() if id(p) in mine}

    def rates(progress):
        trainer._set_schedules(progress)
        factor = schedule.learning_rate(WARM.train, progress)
        return sorted({group["lr"] / factor for group in trainer.optimizer.param_groups})

    assert learnt() == {"radiance", "color"}
    assert rates(0.0) == pytest.approx([WARM.train.density_learning_rate])
    until_converted(trainer)
    assert learnt() == {"sdf_field", "radiance", "color"}
    full = WARM.train.learning_rate
    assert rates(WARM.train.density_until) == pytest.approx([full * 0.25, full])
    assert rates(1.0) == pytest.approx([full * 0.05, full])


def test_the_ray_count_holds_the_samples_of_the_warm_up(store):
    trainer = ball_trainer(store, changed(density_until=1.0, max_rays=8192))
    kept = [trainer.step().n_kept for _ in range(40)]
    assert np.mean(kept[-8:]) == pytest.approx(WARM.train.density_samples, rel=0.3)


def test_fog_that_no_photo_calls_for_goes(store):
    """Learnt from nothing but its own opacity."""

    def share_left(weight):
        trainer = ball_trainer(store, changed(lambda_color=0.0, lambda_sparsity=weight))
        points = random_in_ball(2000, CPU)

        def opacity():
            return float(losses.sparsity_loss(trainer.model.shape.implicit_value(points).detach()))

        before = opacity()
        for _ in range(20):
            told = trainer.step().losses
        assert ("sparsity" in told) == (weight > 0)
        return opacity() / before

    assert share_left(0.0) == pytest.approx(1, abs=0.05)
    assert share_left(0.1) < 0.2


def test_the_map_of_errors_learns_in_both_stages(store, settling_steps):
    trainer = ball_trainer(store, WARM)
    errors = trainer.supervision.rays.error_map.errors
    trainer.step()
    assert (errors < 1).any(), "where a ray has been"
    until_converted(trainer)
    before = errors.copy()
    trainer.step()
    assert (errors != before).any()


def test_each_stage_draws_its_own_share_of_hard_rays(store, settling_steps, monkeypatch):
    trainer = ball_trainer(store, changed(error_ray_fraction=0.6, sdf_error_ray_fraction=0.2))
    sample, shares = trainer.supervision.rays.sample, []

    def noted(n, hard):
        shares.append(hard)
        return sample(n, hard)

    monkeypatch.setattr(trainer.supervision.rays, "sample", noted)
    trainer.step()
    until_converted(trainer)
    trainer.step()
    assert (shares[0], shares[-1]) == (0.6, 0.2)


def test_the_shown_error_is_that_of_fair_rays(store, monkeypatch):
    """Some lanes have none: there are 16 of 8 rays, of which one in twenty is fair. The others
    are made wrong by about ten."""
    monkeypatch.setattr("core.training.supervision.photos.num_workers", lambda device: 16)
    trainer = ball_trainer(store, changed(error_ray_fraction=0.95))
    sample = trainer.supervision.rays.sample

    def wrong(n, hard):
        batch = sample(n, hard)
        far = torch.where(batch.fair[:, None], batch.colors, 10.0)
        return replace(batch, colors=far, opacity=torch.ones(n))

    monkeypatch.setattr(trainer.supervision.rays, "sample", wrong)
    stats = trainer.step()
    assert stats.losses["color"] > 5
    assert 0 < stats.mse < 1


def test_a_step_that_gives_no_number_leaves_the_map_of_errors_alone(store, monkeypatch):
    trainer = ball_trainer(store, WARM)
    trainer.step()
    before = trainer.supervision.rays.error_map.errors.copy()
    rendered = step.render_samples

    def broken(*arguments, **options):
        found = rendered(*arguments, **options)
        return replace(found, color=found.color * float("nan"))

    with monkeypatch.context() as patch:
        patch.setattr("core.training.step.render_samples", broken)
        assert np.isnan(trainer.step().losses["color"])
    np.testing.assert_array_equal(trainer.supervision.rays.error_map.errors, before)


def test_a_run_resumed_where_it_settles_has_no_figures_yet(store, settling_steps):
    window, trainer = StatsWindow(), ball_trainer(store, WARM)
    trainer.step_count = 40  # as one that was resumed here
    assert trainer.work() is None
    assert window.event(trainer).psnr == 0
    assert not window.diverged


def test_without_a_warm_up_there_is_one_field_settled_from_the_start(store):
    published = replace(TINY, train=PRESETS["neuralangelo"].train)
    assert published.train.density_until == 0
    model = SceneModel(published, 1, False)
    assert model.radiance is None
    assert model.has_sdf
    assert model.shape is model.sdf_field
    trainer = ball_trainer(store, published)
    assert "eikonal" in trainer.step().losses


@pytest.mark.parametrize("name", sorted(PRESETS.keys() - {"neuralangelo"}))
def test_the_other_presets_begin_as_a_radiance_field(name):
    config = replace(PRESETS[name], field=FIELD)
    model = SceneModel(config, 1, False)
    assert not model.has_sdf
    assert model.shape is model.radiance
    x = torch.rand(5, 3) - 0.5
    with torch.no_grad():
        for has_sdf in (False, True):
            if has_sdf:
                model.use_sdf()
            color, normals = model.surface_color(x, torch.eye(3) * 3)
            samples = model.shape.samples(x)
            assert model.features(x, samples.features).shape == (5, FIELD.n_geometry_features)
            assert color.shape == normals.shape == (5, 3)
            assert ((color >= 0) & (color <= 1)).all()


def test_a_room_starts_clear_around_its_cameras_and_ends_in_all_directions():
    room = SceneModel(for_scene(WARM, False, "room"), 3, True)
    thing = SceneModel(for_scene(WARM, False, "object"), 3, True)
    assert room.background is None, "there is nothing behind its walls"
    assert thing.background is not None
    out = torch.nn.functional.normalize(torch.randn(200, 3), dim=-1)
    seen_at = [density(room.shape.implicit_value(r * out)).mean() for r in (0.2, 0.6, 1.0)]
    assert seen_at[0] < 0.1 * seen_at[1] < 0.1 * seen_at[2]
    assert (
        density(thing.shape.implicit_value(out)).mean()
        < density(thing.shape.implicit_value(0.02 * out)).mean()
    )
