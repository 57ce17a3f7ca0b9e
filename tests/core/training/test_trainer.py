import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.config.run import RunConfig
from core.geometry.cameras import project
from core.training import schedule
from core.training.ray_source import RaySource, photo_rays
from core.training.step import StepStats
from core.training.trainer import Trainer
from tests.core.captures import pixels_of
from tests.core.shaded_ball import CPU, LENS, SIZE, TINY, TRAIN, ball_store, ball_trainer


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as made:
        yield made


@pytest.fixture(scope="module")
def open_store(tmp_path_factory):
    """Of photos that show a world behind the ball."""
    with ball_store(tmp_path_factory.mktemp("sky"), masks=False) as made:
        yield made


def changed(config: RunConfig = TINY, **train) -> RunConfig:
    return replace(config, train=replace(config.train, **train))


# --- rays -------------------------------------------------------------------------------------


def test_a_drawn_ray_goes_through_its_pixel_and_has_its_colour(store):
    batch = RaySource(store, CPU, seed=1).sample(500)
    rays = batch.rays
    assert rays.photo is not None
    torch.testing.assert_close(rays.directions.norm(dim=-1), torch.ones(500))
    assert len(rays.photo.unique()) == 8
    scene_points = (rays.origins + 2.0 * rays.directions).double().numpy()
    input_from_scene = np.linalg.inv(store.scene.scene_from_input)
    points = scene_points @ input_from_scene[:3, :3].T + input_from_scene[:3, 3]
    for i in range(500):
        index = int(rays.photo[i])
        uv = pixels_of(LENS, store.scene.photos[index].world_from_camera, points[i : i + 1])[0]
        np.testing.assert_allclose(uv % 1, 0.5, atol=0.01)  # the centre of a pixel
        rgba = store.image(index)[int(uv[1]), int(uv[0])]
        np.testing.assert_allclose(batch.colors[i], rgba[:3] / 255, atol=1e-6)
        assert float(batch.opacity[i]) == pytest.approx(rgba[3] / 255)


def test_a_ray_bends_with_the_lens_of_its_photo_and_no_pixel_is_moved(store):
    kinds = (
        LENS,
        replace(LENS, model="opencv", distortion=(-0.2, 0.05, 1e-3, -1e-3)),
        replace(LENS, model="opencv", distortion=(0.1,)),
        replace(LENS, model="fisheye", distortion=(0.05, -0.01, 0.0, 0.0)),
    )
    lenses = tuple(kinds[i % 4] for i in range(8))
    rays = RaySource(replace(store, intrinsics=lenses), CPU, seed=1).sample(300).rays
    assert rays.photo is not None
    assert rays.pixel_ndc is not None
    for photo, place, direction in zip(
        rays.photo.tolist(), rays.pixel_ndc.numpy(), rays.directions.double().numpy()
    ):
        pose = store.scene.scene_from_camera(store.scene.photos[photo])
        seen_at = project(lenses[photo], (direction @ pose[:3, :3])[None])[0]
        np.testing.assert_allclose(seen_at, (place + 1) / 2 * SIZE, atol=2e-3)
        assert seen_at % 1 == pytest.approx(0.5, abs=2e-3), "the centre of a pixel as it was taken"


def test_rays_repeat_with_their_seed_only(store):
    first, same, other = (RaySource(store, CPU, seed).sample(50).rays for seed in (1, 1, 2))
    assert first.directions.equal(same.directions)
    assert not first.directions.equal(other.directions)


def test_all_rays_of_a_photo_come_row_by_row(store):
    photo = store.scene.photos[3]
    rays = photo_rays(store.scene, photo, LENS, 3)
    assert len(rays) == SIZE * SIZE
    assert rays.photo is not None
    assert (rays.photo == 3).all()
    pose = store.scene.scene_from_camera(photo)
    local = rays.directions.double().numpy() @ pose[:3, :3]
    uv = local[:, :2] / local[:, 2:] * 60 + SIZE / 2
    expected = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1).reshape(-1, 2) + 0.5
    np.testing.assert_allclose(uv, expected, atol=1e-3)


def sharpness(trainer: Trainer) -> float:
    return float(trainer.model.inv_s.detach())


# --- training ---------------------------------------------------------------------------------


def test_forty_steps_explain_the_colours_better(store):
    trainer = ball_trainer(store)
    errors = [trainer.step().mse for _ in range(40)]
    assert np.mean(errors[-5:]) < 0.3 * np.mean(errors[:5])
    assert trainer.step_count == 40
    assert trainer.progress == pytest.approx(40 / 60)
    x = torch.tensor([[0.0, 0, 0], [0.95, 0, 0], [0, -0.95, 0]])
    with torch.no_grad():
        assert (
            trainer.model.sdf_field.implicit_value(x).sign() == torch.tensor([-1.0, 1, 1])
        ).all()


def test_equal_seeds_give_equal_runs(store):
    runs = []
    for seed in (0, 0, 1):
        trainer = ball_trainer(store, replace(TINY, seed=seed))
        runs.append([trainer.step().losses for _ in range(4)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_the_run_ends_with_its_steps(store):
    trainer = ball_trainer(store, replace(TINY, steps=3))
    assert trainer.seconds_left is None, "no pace yet"
    for _ in range(3):
        assert not trainer.finished
        trainer.step()
    assert trainer.finished
    assert trainer.progress == 1
    assert trainer.seconds_left == 0


def test_a_run_by_the_clock_counts_time_in_steps_only(store):
    trainer = ball_trainer(store, changed(replace(TINY, steps=None), minutes=100 / 60))
    assert trainer.progress == 0
    trainer.elapsed = 25.0
    assert trainer.progress == pytest.approx(0.25)
    assert trainer.seconds_left == pytest.approx(75)
    trainer.elapsed = 101.0
    assert trainer.finished


@pytest.mark.parametrize("steps", [50, None])
def test_going_on_enters_the_curves_late(store, steps):
    trainer = ball_trainer(store, changed(replace(TINY, steps=steps), minutes=100 / 60))
    trainer.step_count, trainer.elapsed = 50, 100.0
    assert trainer.finished
    trainer.continue_for(1.0)
    assert trainer.progress == pytest.approx(TINY.train.continue_from)
    assert trainer.seconds_left == pytest.approx(60)
    trainer.step_count, trainer.elapsed = 65, 130.0  # half of the minute, at the same pace
    assert trainer.progress == pytest.approx(0.5 + 0.5 * TINY.train.continue_from)
    trainer.step_count, trainer.elapsed = 80, 160.0
    assert trainer.finished


def test_going_on_before_the_curves_are_that_far_does_not_skip_them(store):
    trainer = ball_trainer(store)
    trainer.step_count, trainer.elapsed = 12, 12.0
    trainer.continue_for(1.0)
    assert trainer.progress == pytest.approx(0.2)


def test_the_ray_count_holds_the_sample_count(store):
    trainer = ball_trainer(store)
    kept = [trainer.step().n_kept for _ in range(30)]
    assert np.mean(kept[-8:]) == pytest.approx(TRAIN.samples_per_step, rel=0.3)
    trainer.n_rays = 1024
    trainer._adapt_ray_count(StepStats({}, 0.0, 1024, 1, 1))
    assert trainer.n_rays <= TRAIN.max_rays


def test_schedules_reach_the_model(store):
    trainer = ball_trainer(store)
    field = trainer.model.sdf_field
    assert field.active_levels == TRAIN.initial_levels
    first_eps, first_ratio = field.normal_eps, field.eps_ratio
    trainer.step_count = 30
    trainer._set_schedules(trainer.progress)
    assert field.active_levels == pytest.approx(schedule.active_levels(TRAIN, 5, 0.5))
    assert field.normal_eps < first_eps
    assert field.eps_ratio / first_ratio == pytest.approx(field.normal_eps / first_eps)
    assert sharpness(trainer) == pytest.approx(schedule.inv_s(TRAIN, 0.5), rel=1e-5)
    rates = {group["lr"] for group in trainer.optimizer.param_groups}
    assert rates == {TRAIN.learning_rate * schedule.learning_rate(TRAIN, 0.5)}


def half_way(trainer: Trainer) -> Trainer:
    """The same run, past every warm-up."""
    trainer.step_count = 30
    return trainer


def test_a_scheduled_sharpness_is_not_learnt_and_a_learnt_one_is_held(store):
    scheduled = half_way(ball_trainer(store))
    for _ in range(3):
        scheduled.step()
    assert sharpness(scheduled) == pytest.approx(schedule.inv_s(TRAIN, 32 / 60), rel=1e-5)
    learnt = ball_trainer(store, changed(sharpness="learnt"))
    assert sharpness(learnt) == pytest.approx(TRAIN.initial_inv_s)
    half_way(learnt).model.log_inv_s.data.fill_(math.log(60.0))
    learnt.step()
    assert sharpness(learnt) != pytest.approx(60, rel=1e-6)
    assert sharpness(learnt) == pytest.approx(60, rel=0.01)
    learnt.model.log_inv_s.data.fill_(math.log(1e5))
    learnt.step()
    assert sharpness(learnt) == pytest.approx(8 * schedule.inv_s(TRAIN, 31 / 60), rel=1e-4)


def terms(trainer: Trainer) -> set[str]:
    return set(trainer.step().losses)


def test_each_loss_has_its_switch(store):
    assert "curvature" not in terms(ball_trainer(store)), "its weight begins at zero"
    every = {"color", "eikonal", "mask", "curvature"}
    for changes, missing in (
        ({}, set()),
        ({"lambda_mask": 0.0}, {"mask"}),
        ({"lambda_curvature": 0.0}, {"curvature"}),
    ):
        assert terms(half_way(ball_trainer(store, changed(**changes)))) == every - missing
    analytic = replace(TINY, field=replace(TINY.field, gradients="analytic"))
    assert "curvature" not in terms(half_way(ball_trainer(store, analytic)))
    without = half_way(ball_trainer(store, changed(lambda_eikonal=0.0))).step()
    assert without.losses.get("eikonal", 0.0) == 0


def test_points_on_the_surface_pull_at_first(store):
    torch.manual_seed(0)
    surface = 0.8 * torch.nn.functional.normalize(torch.randn(100, 3), dim=-1)
    beyond = torch.full((20, 3), 50.0)
    scene = replace(store.scene, points=torch.cat([surface, beyond]).numpy())
    trainer = ball_trainer(replace(store, scene=scene))
    assert len(trainer.supervision.points) == 100, (
        "points outside the ball say nothing of the surface"
    )
    assert "points" in terms(trainer)
    trainer.step_count = round(60 * TRAIN.points_until) + 1
    assert "points" not in terms(trainer)
    assert "points" not in terms(
        ball_trainer(replace(store, scene=scene), changed(lambda_points=0.0))
    )


@pytest.mark.parametrize("gradients", ["fd4", "fd6", "analytic"])
def test_every_kind_of_gradient_trains(store, gradients):
    config = replace(TINY, field=replace(TINY.field, gradients=gradients))
    trainer = ball_trainer(store, config)
    errors = [trainer.step().mse for _ in range(25)]
    assert np.mean(errors[-5:]) < 0.6 * np.mean(errors[:5])


def test_a_world_behind_is_learnt_by_the_background(open_store):
    config = replace(TINY, field=replace(TINY.field, appearance_size=2))
    trainer = ball_trainer(open_store, config)
    assert trainer.model.background is not None
    before = [p.clone() for p in trainer.model.background.parameters()]
    steps = [trainer.step() for _ in range(30)]
    assert "mask" not in steps[0].losses
    assert np.mean([s.mse for s in steps[-5:]]) < 0.5 * np.mean([s.mse for s in steps[:5]])
    assert any(not a.equal(b) for a, b in zip(before, trainer.model.background.parameters()))
    vectors = trainer.model.appearance.vectors
    assert vectors is not None
    assert vectors.abs().sum() > 0


def test_weight_decay_is_on_the_networks_alone(store):
    trainer = ball_trainer(store, changed(sharpness="learnt", weight_decay=0.5))
    model = trainer.model
    free = {id(model.sdf_field.grid.table), id(model.log_inv_s)}
    for group in trainer.optimizer.param_groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.0 if id(parameter) in free else 0.5)
    counted = sum(len(group["params"]) for group in trainer.optimizer.param_groups)
    assert counted == len(list(trainer.model.parameters()))


def test_a_step_that_gives_no_number_leaves_the_field_alone(store, monkeypatch):
    trainer = ball_trainer(store)
    trainer.step()
    before = {k: v.clone() for k, v in trainer.model.sdf_field.state_dict().items()}
    monkeypatch.setattr(
        "core.training.losses.color_loss", lambda a, b, kind: (a - b).mean() * float("nan")
    )
    assert math.isnan(trainer.step().losses["color"])
    after = trainer.model.sdf_field.state_dict()
    assert all(after[k].equal(v) for k, v in before.items() if k != "_active")


def test_a_run_can_end_with_rays_that_stop_at_the_surface(store):
    """Each ray that hits asks the field once, so that a batch of as many samples has more rays."""
    config = changed(traced_from=0.5, density_until=0.0)
    trainer = ball_trainer(store, config)
    stats = [trainer.step() for _ in range(60)]
    early, late = stats[20:28], stats[50:]
    assert np.mean([s.n_rays / s.n_kept for s in late]) > 2 * np.mean(
        [s.n_rays / s.n_kept for s in early]
    )
    assert all(s.n_kept <= s.n_rays for s in late)
    assert np.mean([s.mse for s in late]) < 1.2 * np.mean([s.mse for s in early])
    assert {"eikonal", "curvature"} <= set(late[-1].losses)
