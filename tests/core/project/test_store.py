import json
import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.base.errors import UserError
from core.base.outputs import MARKER
from core.base.text import text
from core.project.store import (
    VERSION,
    ProjectState,
    is_project,
    load_project,
    restore,
    save_project,
)
from core.training.trainer import Trainer
from tests.core.shaded_ball import CPU, TINY, WARM, ball_store, ball_trainer, quick_conversion

CHECKPOINT, PROJECT = "checkpoint.safetensors", "project.json"
APPEARANCE = replace(TINY, field=replace(TINY.field, appearance_size=2))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as made:
        yield made


@pytest.fixture
def trainer(store):
    made = ball_trainer(store)
    for _ in range(3):
        made.step()
    return made


def save(folder, trainer):
    save_project(folder, ProjectState("photos", trainer.config, trainer.store.scene), trainer)


def loaded(folder, store) -> Trainer:
    project = load_project(folder)
    made = Trainer(store, project.state.config, CPU)
    restore(made, project, folder)
    return made


def test_a_restored_run_goes_on_as_if_nothing_had_happened(store, tmp_path):
    first = ball_trainer(store, APPEARANCE)
    for _ in range(20):  # past an update of the occupancy
        first.step()
    save(tmp_path, first)
    expected = [first.step() for _ in range(14)]
    torch.manual_seed(99)
    second = loaded(tmp_path, store)
    assert second.step_count == 20
    assert [second.step() for _ in range(14)] == expected
    assert_same(first, second)


def assert_same(first: Trainer, second: Trainer) -> None:
    for name, value in first.model.state_dict().items():
        assert second.model.state_dict()[name].equal(value), name
    assert second.occupancy.occupied.equal(first.occupancy.occupied)
    assert second.occupancy.alphas.equal(first.occupancy.alphas)
    maps = [trainer.supervision.rays.error_map.errors for trainer in (first, second)]
    np.testing.assert_array_equal(*maps)


@pytest.mark.parametrize("stage", ["density", "surface"])
def test_a_run_with_a_warm_up_goes_on_too_in_either_stage(store, tmp_path, monkeypatch, stage):
    quick_conversion(monkeypatch)
    first = ball_trainer(store, replace(WARM, steps=36))
    before, after = (10, 14) if stage == "density" else (20, 12)
    for _ in range(before):
        first.step()
    assert first.model.has_sdf == (stage == "surface")
    save(tmp_path, first)
    expected = [first.step() for _ in range(after)]
    assert first.model.has_sdf
    torch.manual_seed(99)
    second = loaded(tmp_path, store)
    assert second.model.has_sdf == (stage == "surface")
    assert [second.step() for _ in expected] == expected
    assert_same(first, second)


def test_an_interrupted_settling_begins_anew(store, tmp_path, monkeypatch):
    settling_slices = quick_conversion(monkeypatch)
    first = ball_trainer(store, replace(WARM, steps=20))
    for _ in range(10):
        first.step()
    for _ in range(settling_slices // 2):
        assert first.work() is None
    save(tmp_path, first)
    second = loaded(tmp_path, store)
    for _ in range(settling_slices - 1):
        second.work()
        assert not second.model.has_sdf
    second.work()
    assert second.model.has_sdf
    assert second.step_count == 10
    assert "eikonal" in second.step().losses


def test_a_run_saved_in_the_middle_of_a_step_goes_on(store, tmp_path):
    first = ball_trainer(store, APPEARANCE)
    first.step()
    assert first.work() is None
    save(tmp_path, first)
    second = loaded(tmp_path, store)
    first.step()
    second.step()
    assert second.step_count == first.step_count == 2


def test_everything_that_shapes_the_field_is_restored(store, trainer, tmp_path):
    trainer.step_count, trainer.elapsed = 45, 12.5
    trainer.step()
    trainer.continue_for(2.0)
    save(tmp_path, trainer)
    found = loaded(tmp_path, store)
    field, expected = found.model.sdf_field, trainer.model.sdf_field
    assert field.active_levels == expected.active_levels
    assert field.normal_eps == expected.normal_eps
    for name in (
        "step_count",
        "elapsed",
        "n_rays",
        "segment",
        "budget",
        "progress",
        "seconds_left",
    ):
        assert getattr(found, name) == getattr(trainer, name), name
    assert found.occupancy.occupied.equal(trainer.occupancy.occupied)
    dice = [one.supervision.rays.random.bit_generator for one in (found, trainer)]
    assert dice[0].state == dice[1].state
    for a, b in zip(found.optimizer.state.values(), trainer.optimizer.state.values(), strict=True):
        assert all(a[key].equal(b[key]) for key in ("step", "exp_avg", "exp_avg_sq"))


def test_the_scene_survives(store, trainer, tmp_path):
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    scene = replace(
        store.scene,
        points=points,
        held_out=store.scene.photos[:2],
        notices=(text("one thing"), text("another")),
    )
    save_project(tmp_path, ProjectState("/some/photos", trainer.config, scene), None)
    project = load_project(tmp_path)
    assert project.state.source == "/some/photos"
    assert project.state.config == trainer.config
    assert not project.tensors, "not trained yet"
    found = project.state.scene
    assert (found.kind, found.has_masks, found.background, found.notices) == (
        scene.kind,
        scene.has_masks,
        scene.background,
        scene.notices,
    )
    np.testing.assert_array_equal(found.points, points)
    np.testing.assert_array_equal(found.scene_from_input, scene.scene_from_input)
    assert [p.name for p in found.held_out] == [p.name for p in scene.held_out]
    for a, b in zip(found.photos, scene.photos, strict=True):
        assert (a.name, a.path.resolve(), a.intrinsics) == (b.name, b.path.resolve(), b.intrinsics)
        np.testing.assert_array_equal(a.world_from_camera, b.world_from_camera)


def test_a_project_is_known_by_its_file(store, trainer, tmp_path):
    assert not is_project(tmp_path)
    save(tmp_path, trainer)
    assert is_project(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [MARKER, CHECKPOINT, PROJECT]


@pytest.mark.parametrize("file", [CHECKPOINT, PROJECT])
def test_a_save_that_fails_leaves_the_old_one_readable(store, trainer, tmp_path, monkeypatch, file):
    save(tmp_path, trainer)
    trainer.step()
    replaced = os.replace

    def failing(source, target):
        if os.path.basename(target) == file:
            raise OSError(28, "No space left on device", str(target))
        replaced(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing)
        with pytest.raises(UserError, match="No space left on device") as caught:
            save(tmp_path, trainer)
    assert str(tmp_path / file) in str(caught.value)
    assert loaded(tmp_path, store).step_count == (3 if file == CHECKPOINT else 4)
    assert sorted(p.name for p in tmp_path.iterdir()) == [MARKER, CHECKPOINT, PROJECT]


def test_a_disk_that_fills_up_while_writing_leaves_the_old_one_readable(store, trainer, tmp_path):
    resource = pytest.importorskip("resource", reason="limits the size of files as POSIX does")
    save(tmp_path, trainer)
    before = (tmp_path / CHECKPOINT).read_bytes()
    trainer.step()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(UserError, match="cannot be written"):
            save(tmp_path, trainer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert loaded(tmp_path, store).step_count == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [MARKER, CHECKPOINT, PROJECT]


def test_a_newer_version_is_refused_with_a_remedy(trainer, tmp_path):
    save(tmp_path, trainer)
    text = json.loads((tmp_path / PROJECT).read_text())
    (tmp_path / PROJECT).write_text(json.dumps(text | {"version": VERSION + 1, "new": [1]}))
    with pytest.raises(UserError, match=f"version {VERSION + 1}.*Update Gradina") as caught:
        load_project(tmp_path)
    assert str(tmp_path / PROJECT) in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / CHECKPOINT).write_bytes(b""),
        lambda folder: (folder / CHECKPOINT).write_bytes(b"\xff" * 100),
        lambda folder: (folder / CHECKPOINT).write_bytes((folder / CHECKPOINT).read_bytes()[:-50]),
        lambda folder: (folder / CHECKPOINT).write_bytes((folder / CHECKPOINT).read_bytes()[:200]),
        lambda folder: (folder / CHECKPOINT).unlink(),
        lambda folder: (folder / PROJECT).write_text("{ half"),
        lambda folder: (folder / PROJECT).write_text("[1, 2]"),
        lambda folder: (folder / PROJECT).write_text('{"version": "one"}'),
        lambda folder: (folder / PROJECT).write_bytes(b"\xff\xfe\x00"),
    ],
)
def test_a_damaged_project_is_refused_in_one_line(trainer, tmp_path, damage):
    save(tmp_path, trainer)
    damage(tmp_path)
    with pytest.raises(UserError) as caught:
        load_project(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
