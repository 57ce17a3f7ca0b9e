"""Undo and redo as laws of a session, whatever is edited and whenever; and what closing keeps."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from core import protocol as m
from core.config.run import RunOptions
from core.geometry.box import Box
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit
from core.geometry.view import EMPTY_PATH, CameraPath
from core.training.presets import PRESETS
from tests.core.session.watched import STEPS, Watched, failures, only
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball

EDITS = (
    m.SetRunOptions(RunOptions("high", 7.0)),
    m.EditScene(QuarterTurn("x")),
    m.EditScene(GroundPlane((0.1, 0, -0.5), (0.1, 0.2, 1))),
    m.ExcludePhotos(("3.png",), True),
    m.EditScene(KnownLength((0, 0, 0), (0.5, 0, 0), 12.0, "cm")),
    m.ExcludePhotos(("3.png", "5.png"), False),
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return shaded_ball(tmp_path_factory.mktemp("ball"))


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in PRESETS:
        monkeypatch.setitem(PRESETS, name, WARM)
    quick_conversion(monkeypatch)
    watched = Watched(tmp_path / "autosave")
    yield watched
    watched.session.close()


def region(run, half: float) -> m.EditScene:
    box = Box.of(np.array([0.1, 0, 0]), np.full(3, half))
    cube = box.transformed(run.session.scene.scene_from_input).frame_from_cube
    return m.EditScene(RegionEdit(tuple(cube.ravel().tolist())))


def arrangement(run) -> dict[str, object]:
    """All that edits change."""
    scene = run.session.scene
    box = scene.region
    return {
        "ball": scene.scene_from_input.tolist(),
        "upright": scene.upright_from_input.tolist(),
        "region": None if box is None else box.frame_from_cube.tolist(),
        "unit": (scene.units_per_input, scene.unit),
        "excluded": sorted(scene.excluded),
        "choice": run.session.document._options,
    }


def last_state(run) -> m.StateChanged:
    return [e for e in run.events if isinstance(e, m.StateChanged)][-1]


@pytest.mark.parametrize("trained", [False, True])
def test_undo_takes_every_edit_back_and_redo_makes_it_again(run, photos, trained):
    run.do(m.Open(str(photos)), "ready")
    edits = [region(run, 0.6), *EDITS, region(run, 0.4)]
    if trained:
        run.do(m.Start(RunOptions(steps=STEPS)), "training")
        run.steps(1)
        run.do(m.Pause())
        edits = [e for e in edits if not isinstance(e, m.SetRunOptions)]
    states = [arrangement(run)]
    for edit in edits:
        run.do(edit)
        states.append(arrangement(run))
        assert states[-1] != states[-2]
    assert not failures(run.events)
    for state in reversed(states[:-1]):
        assert last_state(run).undo
        run.do(m.Undo())
        assert arrangement(run) == state
    assert not last_state(run).undo
    assert failures(run.do(m.Undo())) == ["There is nothing to undo"]
    for state in states[1:]:
        run.do(m.Redo())
        assert arrangement(run) == state
    assert not last_state(run).redo
    run.do(m.Undo())
    run.do(edits[1])
    assert not last_state(run).redo, "another edit: what was undone cannot be done again"


def test_the_window_hears_where_things_are_after_an_undo(run, photos):
    opened = only(run.do(m.Open(str(photos)), "ready"), m.Opened)
    edited = only(run.do(region(run, 0.5)), m.Arrangement)
    assert str(last_state(run).undo) == "the region"
    back = only(run.do(m.Undo()), m.Arrangement)
    np.testing.assert_allclose(back.region, opened.arrangement.region, atol=1e-9)
    there_and_back = np.reshape(back.scene_from_old_scene, (4, 4)) @ np.reshape(
        edited.scene_from_old_scene, (4, 4)
    )
    np.testing.assert_allclose(there_and_back, np.eye(4), atol=1e-9)
    run.do(m.SetRunOptions(RunOptions("high", 7.0, 400)))
    assert str(last_state(run).undo) == "the settings"
    chosen = only(run.do(m.Undo()), m.RunOptionsChanged)
    assert chosen.choice == opened.choice


def test_a_trained_field_keeps_its_frame_through_undo(run, photos):
    run.do(m.Open(str(photos)), "ready")
    run.do(region(run, 0.6))
    run.do(m.Start(RunOptions(steps=STEPS)), "training")
    run.steps(1)
    frame = run.session.scene.scene_from_input
    run.do(m.Undo())
    np.testing.assert_array_equal(run.session.scene.scene_from_input, frame)
    assert run.session.scene.region is not None
    assert run.session.trainer.scene is run.session.scene


def test_what_is_not_in_the_persons_project_is_said(run, photos, tmp_path):
    run.do(m.Open(str(photos)), "ready")
    assert not last_state(run).unsaved
    run.do(m.EditScene(QuarterTurn("z")))
    assert last_state(run).unsaved
    run.do(m.Save(str(tmp_path / "mine")))
    assert not last_state(run).unsaved
    run.do(m.Start(RunOptions(steps=4)), "training")
    run.steps(1)
    assert last_state(run).unsaved
    run.work(lambda: run.state == "finished")
    assert last_state(run).unsaved, "an automatic save is not the person's own"
    run.do(m.Save(str(tmp_path / "mine")))
    assert only(run.do(m.Open(str(tmp_path / "mine")), "finished"), m.Opened).project
    assert not last_state(run).unsaved


def test_closing_what_is_open_keeps_it_if_asked(run, photos, tmp_path):
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions(steps=STEPS)), "training")
    run.steps(2)
    run.do(m.Close(keep=False), "empty")
    assert not (tmp_path / "autosave").exists()
    assert run.session.scene is None
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions(steps=STEPS)), "training")
    run.steps(2)
    assert only(run.do(m.Close()), m.Saved).automatic
    assert not last_state(run).unsaved


def test_edits_before_training_are_saved_too(run, photos, tmp_path):
    run.do(m.Open(str(photos)), "ready")
    run.do(m.EditScene(QuarterTurn("z")))
    turned = arrangement(run)
    run.do(m.Open(str(tmp_path / "autosave")), "ready")
    assert arrangement(run) == turned


def test_a_project_whose_photos_moved_asks_for_their_folder(run, tmp_path):
    photos = shaded_ball(tmp_path / "here" / "photos")
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions(steps=STEPS)), "training")
    run.steps(2)
    run.do(m.Pause())
    project = tmp_path / "mine"
    run.do(m.Save(str(project)))
    step = run.session.trainer.step_count
    there = tmp_path / "there" / "elsewhere"
    there.parent.mkdir()
    shutil.move(photos, there)
    failure = only(run.do(m.Open(str(project)), "paused"), m.Failure)
    assert failure.photos_of == str(project)
    assert str(photos) in str(failure.text)
    assert "--photos" in str(failure.text)
    options = m.Open(str(project)).options
    again = m.Open(str(project), type(options)(photos=str(there)))
    assert only(run.do(again, "paused"), m.Opened).n_photos == 8
    assert run.session.trainer.step_count == step
    run.do(m.Save(str(project)))
    assert not failures(run.do(m.Open(str(project)), "paused")), "it knows them from now on"


def test_a_project_that_moved_together_with_its_photos_finds_them(run, tmp_path):
    run.do(m.Open(str(shaded_ball(tmp_path / "a" / "photos"))), "ready")
    run.do(m.Save(str(tmp_path / "a" / "mine")))
    shutil.move(tmp_path / "a", tmp_path / "b")
    run.do(m.Open(str(tmp_path / "b" / "mine")), "ready")
    assert not failures(run.events)
    assert all(tmp_path / "b" in p.path.parents for p in run.session.scene.photos)


def test_a_planned_film_leads_past_the_same_wherever_the_scene_is_moved(run, photos, tmp_path):
    run.do(m.Open(str(photos)), "ready")
    scene = run.session.scene
    poses = [scene.scene_from_camera(photo) for photo in scene.photos[:2]]
    way = CameraPath(tuple(tuple(pose.ravel().tolist()) for pose in poses), 0.7, 9.0, 25, True)
    run.do(m.SetCameraPath(way))
    assert last_state(run).unsaved
    run.do(region(run, 0.3))
    run.do(m.Save(str(tmp_path / "project")))
    opened = only(run.do(m.Open(str(tmp_path / "project")), "ready"), m.Opened)
    assert replace(opened.camera_path, views=()) == replace(way, views=())
    assert np.abs(run.session.scene.scene_from_input - scene.scene_from_input).max() > 0.1
    np.testing.assert_allclose(opened.camera_path.views, opened.arrangement.cameras[:2], atol=1e-9)
    assert only(run.do(m.Open(str(photos)), "ready"), m.Opened).camera_path == EMPTY_PATH
