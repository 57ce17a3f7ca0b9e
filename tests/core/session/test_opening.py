"""What a session opens, and what it says where it cannot."""

import numpy as np
import pytest

from core import protocol as m
from core.config.run import RunOptions
from core.session.opening import opening
from tests.core.bad_captures import empty, not_json, texts, two
from tests.core.session.watched import failures, only
from tests.core.shaded_ball import SIZE, shaded_ball


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path,
        empty,
        texts,
        two,
        not_json,
        lambda path: texts(path) / "notes.txt",
        lambda path: (empty(path) / "project.json").write_text("{}") and path,
    ],
)
def test_a_bad_path_is_a_failure_and_nothing_is_lost(sessions, photos, tmp_path, make):
    path, run = make(tmp_path / "input"), sessions()
    for state in ("empty", "ready"):
        (text,) = failures(run.do(m.Open(str(path)), state))
        assert str(path) in text
        assert "\n" not in text
        if state == "empty":
            run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions(steps=2)), "finished")


def test_what_lies_there_is_told_before_it_is_open(sessions, photos):
    events = sessions().do(m.Open(str(photos)), "ready")
    told = only(events, m.InputDetected)
    assert [*map(str, told.lines)] == [f"{photos.name}: a posed capture (transforms.json)"]
    assert events.index(told) < events.index(only(events, m.Opened))


def test_opening_can_be_cancelled(sessions, photos):
    run = sessions()
    run.do(m.Open(str(photos)))
    only(run.do(m.Cancel()), m.Notice)
    assert run.state == "empty"
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions(steps=2)))
    assert run.state == "opening", "photos are decoded first"
    run.do(m.Cancel())
    assert run.state == "ready"
    run.do(m.Start(RunOptions(steps=2)), "finished")


def test_another_preset_and_an_unknown_one(sessions, photos):
    run = sessions()
    run.do(m.Open(str(photos)), "ready")
    (text,) = failures(run.do(m.Start(RunOptions("perfect"))))
    assert "perfect" in text
    assert "draft" in text
    run.do(m.Start(RunOptions("high", steps=2)), "finished")


def test_a_damaged_photo_is_left_out_and_named(sessions, tmp_path):
    folder = shaded_ball(tmp_path / "photos")
    data = (folder / "5.png").read_bytes()
    (folder / "5.png").write_bytes(data[: len(data) // 2])
    run = sessions()
    run.train(folder, steps=2)
    assert any("5.png" in str(e.text) for e in run.events if isinstance(e, m.Notice))
    assert len(run.session.trainer.store.scene.photos) == 7


def test_photos_are_held_out_when_asked(sessions, photos):
    run = sessions(hold_out=True)
    opened = only(run.do(m.Open(str(photos)), "ready"), m.Opened)
    assert (opened.n_photos, opened.n_held_out) == (7, 1)


def test_a_checkpoint_that_does_not_fit_is_a_failure(sessions, photos, tmp_path, monkeypatch):
    run = sessions()
    run.train(photos, steps=2)
    run.do(m.Save(str(tmp_path / "project")))

    def without_a_tensor(*arguments):
        found = yield from opening(*arguments)
        del found.project.tensors["model.color.head.weight"]
        return found

    monkeypatch.setattr("core.session.session.opening", without_a_tensor)
    step = run.session.trainer.step_count
    (text,) = failures(run.do(m.Open(str(tmp_path / "project")), "finished"))
    assert str(tmp_path / "project") in text
    assert "\n" not in text
    assert run.session.trainer.step_count == step, "what was trained here is still here"


def test_a_photo_is_excluded_while_training_and_stays_so_in_the_project(sessions, photos, tmp_path):
    run = sessions()
    run.train(photos, steps=1000, until="training")
    run.steps(1)
    names = [photo.name for photo in run.session.scene.photos]
    without = run.do(m.ExcludePhotos((names[0], names[5]), True))
    assert only(without, m.ExcludedPhotos).names == (names[0], names[5])
    before = run.session.trainer.step_count
    run.steps(1)
    assert run.state == "training"
    assert run.session.trainer.step_count > before
    assert run.session.trainer.scene.excluded == {names[0], names[5]}
    assert only(run.do(m.ExcludePhotos((names[5],), False)), m.ExcludedPhotos).names == (names[0],)
    assert "3 photos must stay" in failures(run.do(m.ExcludePhotos(tuple(names), True)))[0]
    run.do(m.Save(str(tmp_path / "project")))
    again = sessions()
    opened = only(again.do(m.Open(str(tmp_path / "project")), "paused"), m.Opened)
    assert opened.excluded == (names[0],)
    assert len(opened.names) == len(opened.lenses) == len(opened.arrangement.cameras) == 8


def test_held_out_photos_have_cameras_too_and_come_last(sessions, photos):
    run = sessions(hold_out=True)
    opened = only(run.do(m.Open(str(photos)), "ready"), m.Opened)
    held = [photo.name for photo in run.session.scene.held_out]
    assert opened.n_held_out == len(held) > 0
    assert list(opened.names[-opened.n_held_out :]) == held
    assert len(opened.arrangement.cameras) == 8
    assert opened.lenses == ((pytest.approx(2 * np.arctan(SIZE / 120)), pytest.approx(1.0)),) * 8
