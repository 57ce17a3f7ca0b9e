"""The session in-process: every state, every command, real photos, a tiny field."""

import numpy as np
import pytest
import torch
import trimesh

from core import protocol as m
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.geometry.edits import QuarterTurn
from core.geometry.view import EMPTY_PATH, VideoOptions
from core.session.training_loop import DRAG_DUTY_CYCLE
from core.training.presets import PRESETS
from tests.core.session.watched import STEPS, failures, only, view
from tests.core.shaded_ball import SIZE


def test_a_whole_life(sessions, photos, tmp_path):
    run = sessions()
    assert run.state == "empty"
    opened = only(run.do(m.Open(str(photos)), "ready"), m.Opened)
    assert (opened.n_photos, opened.has_masks) == (8, True)
    assert "transforms.json" in str(opened.kind)
    assert len(opened.arrangement.cameras) == 8
    assert opened.fov_y == pytest.approx(2 * np.arctan(SIZE / 120))
    assert set(opened.methods[opened.choice.method].presets) == set(PRESETS)

    run.do(m.Start(RunOptions(steps=STEPS)), "training")
    run.steps(1)
    step = run.session.trainer.step_count
    run.do(m.Pause(), "paused")
    run.work(lambda: not run.session.work())  # photos are measured, then there is nothing to do
    assert run.session.trainer.step_count == step
    run.do(m.Resume(), "training")
    run.steps(1)
    assert run.session.trainer.step_count == step + 1, "it resumes"
    run.do(m.DiscardTraining(), "ready")
    assert run.session.trainer is None

    events = run.do(m.Start(RunOptions(steps=2 * STEPS)), "finished")
    assert only(events, m.Saved).automatic
    stats = [e for e in events if isinstance(e, m.TrainingStats)][-1]
    assert (stats.step, stats.progress, stats.eta_s) == (2 * STEPS, 1.0, 0)
    assert stats.psnr > 12
    events = run.do(m.Continue(minutes=1e-3), "finished")
    assert run.session.trainer.step_count > 2 * STEPS

    mesh = tmp_path / "ball.obj"
    command = m.Export(str(mesh), MeshOptions(32, format="obj"))
    exported = only(run.do(command, "finished"), m.Exported)
    assert exported.n_bytes == mesh.stat().st_size
    surface = trimesh.load(mesh, process=False)
    assert len(surface.faces) == exported.n_faces
    np.testing.assert_allclose(np.linalg.norm(surface.vertices, axis=1), 0.8, atol=0.15)

    project = tmp_path / "project"
    assert not only(run.do(m.Save(str(project))), m.Saved).automatic
    again = sessions()
    events = again.do(m.Open(str(project)), "finished")
    assert only(events, m.Opened).n_photos == 8
    step = run.session.trainer.step_count
    assert only(events, m.TrainingStats).step == step
    again.do(m.Continue(minutes=1e-3), "finished")
    assert again.session.trainer.step_count > step
    assert not failures(run.events + again.events)


def test_a_pause_tells_of_the_last_step(sessions, photos, monkeypatch):
    monkeypatch.setattr("core.session.training_loop.STATS_EVERY_S", 1e9)
    run = sessions()
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions(steps=STEPS)), "training")
    run.steps(3)
    told = only(run.do(m.Pause()), m.TrainingStats)
    assert told.step == run.session.trainer.step_count


def test_while_the_camera_moves_training_rests_after_each_slice(sessions, photos, monkeypatch):
    now = [100.0]
    run = sessions(clock=lambda: now[0])
    run.train(photos, steps=1000, until="training")
    session = run.session

    trained, work = [], session.trainer.work

    def slice_of_a_second():
        now[0] += 1
        trained.append(now[0])
        return work()

    def slices(n: int) -> int:
        before = len(trained)
        for _ in range(n):
            session.work()
        return len(trained) - before

    monkeypatch.setattr(session.trainer, "work", slice_of_a_second)
    assert slices(3) == 3, "nobody watches"
    session.handle(view(1, moving=True))
    run.work(lambda: run.pictures)
    now[0] += 1 / DRAG_DUTY_CYCLE - 1
    run.work(lambda: now[0] == trained[-1])  # one slice, which took a second
    assert slices(20) == 0
    now[0] += 1 / DRAG_DUTY_CYCLE - 1
    assert slices(4) == 1
    session.handle(view(2))
    assert slices(20) > 5, "at rest it goes on"


def test_what_is_announced_is_what_is_obeyed(sessions, photos):
    run = sessions()
    commands = {
        "close": m.Close(),
        "set_options": m.SetRunOptions(RunOptions("draft", 1.0)),
        "undo": m.Undo(),
        "redo": m.Redo(),
        "open": m.Open("/nowhere"),
        "start": m.Start(),
        "resume": m.Resume(),
        "warm_start": m.WarmStart(),
        "set_camera_path": m.SetCameraPath(EMPTY_PATH),
        "pause": m.Pause(),
        "discard": m.DiscardTraining(),
        "continue": m.Continue(1.0),
        "cancel": m.Cancel(),
        "edit_scene": m.EditScene(QuarterTurn("x")),
        "exclude_photos": m.ExcludePhotos(("0.png",), True),
        "pick": m.Pick((0, 0, 3), (0, 0, -1)),
        "export": m.Export("/nowhere/x.obj", MeshOptions(32)),
        "write_video": m.WriteVideo("/nowhere/x.mp4", VideoOptions((), 0.8, 64, 48)),
        "save": m.Save("/nowhere"),
    }

    def refused_as_announced():
        last = [e for e in run.events if isinstance(e, m.StateChanged)][-1]
        assert last.state == run.state
        for name, reason in last.reasons.items():
            assert failures(run.do(commands[name])) == [str(reason)]
            assert run.state == last.state

    refused_as_announced()
    run.do(m.Open(str(photos)))
    assert run.state == "opening"
    refused_as_announced()
    run.work(lambda: run.state == "ready")
    refused_as_announced()
    run.do(m.Start(RunOptions(steps=STEPS)), "training")
    refused_as_announced()
    run.do(m.Pause())
    refused_as_announced()
    run.do(m.Resume(), "finished")
    refused_as_announced()


def test_closing_saves_what_training_would_lose(sessions, photos, tmp_path):
    run = sessions()
    run.train(photos, until="training")
    run.steps(2)
    step = run.session.trainer.step_count
    run.session.close()
    assert only(run.events, m.Saved).automatic
    again = sessions()
    again.do(m.Open(str(tmp_path / "autosave")), "paused")
    assert again.session.trainer.step_count == step
    again.do(m.Resume(), "finished")
    assert again.session.trainer.step_count == STEPS


def test_an_autosave_that_fails_is_said_and_training_ends_well(sessions, photos, tmp_path):
    (tmp_path / "autosave").write_text("in the way")
    run = sessions()
    run.train(photos, steps=3)
    assert str(tmp_path / "autosave") in failures(run.events)[0]


def test_a_loss_that_is_no_number_for_long_pauses_the_run(sessions, photos, monkeypatch):
    run = sessions()
    run.train(photos, until="training")
    monkeypatch.setattr(
        "core.training.losses.color_loss", lambda a, b, kind: (a - b).mean() * float("nan")
    )
    run.work(lambda: run.state == "paused")
    assert "Discard" in failures(run.events)[-1]
    assert run.session.trainer.step_count < STEPS


def test_where_little_memory_is_free_a_smaller_run_is_said_and_trained(
    sessions, photos, monkeypatch
):
    monkeypatch.setattr("core.training.planner.budget", lambda device: 0.0)
    monkeypatch.setattr("core.training.memory_forecast.MIN_SAMPLES", 256)
    run = sessions()
    run.train(photos, until="training")
    told = [str(e.text) for e in run.events if isinstance(e, m.Notice)][-1]
    assert "samples per step instead of" in told
    assert run.session.trainer.config.train.samples_per_step == 256
    run.steps(1)


def test_a_full_gpu_halves_the_batch_and_pauses_with_a_remedy_when_that_is_not_enough(
    sessions, photos, monkeypatch
):
    run = sessions()
    run.train(photos, until="training")
    trainer, step = run.session.trainer, run.session.trainer.work
    samples, rays = trainer.config.train.samples_per_step, trainer.n_rays

    def full():
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(trainer, "work", full)
    run.session.work()
    assert run.state == "training"
    assert (
        f"{samples // 2} samples"
        in [str(e.text) for e in run.events if isinstance(e, m.Notice)][-1]
    )
    assert trainer.config.train.samples_per_step == samples // 2
    assert trainer.n_rays == rays // 2
    monkeypatch.setattr(trainer, "work", step)
    run.steps(1)

    monkeypatch.setattr(trainer, "work", full)
    run.work(lambda: run.state == "paused")
    assert "smaller preset" in failures(run.events)[-1]
    assert trainer.config.train.samples_per_step < 1024
