"""The session in-process: every state, every command, real photos, a tiny field."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from core import protocol as m
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.geometry.box import Box
from core.geometry.edits import KnownLength, QuarterTurn, RegionEdit
from core.geometry.rigid import similarity_scale
from core.geometry.view import EMPTY_PATH, IDENTITY, VideoOptions, View
from core.session.opening import opening
from core.session.session import Session
from core.session.training_loop import DRAG_DUTY_CYCLE
from core.training.presets import PRESETS
from tests.core.bad_captures import empty, not_json, texts, two
from tests.core.captures import look_at
from tests.core.shaded_ball import SIZE, WARM, quick_conversion, shaded_ball
from tests.files import results

STEPS = 40


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return shaded_ball(tmp_path_factory.mktemp("ball"))


@pytest.fixture
def sessions(tmp_path, monkeypatch):
    """Makes watched sessions with a tiny preset; closes them."""
    for name in PRESETS:
        monkeypatch.setitem(PRESETS, name, WARM)
    quick_conversion(monkeypatch)
    made = []

    def make(**options):
        made.append(Watched(tmp_path / "autosave", **options))
        return made[-1]

    yield make
    for watched in made:
        watched.session.close()


class Watched:
    """A session, everything it said and every picture it showed."""

    def __init__(self, autosave: Path, **options):
        self.events: list[m.Event] = []
        self.pictures: list[tuple[int, tuple[int, ...], bool]] = []
        self.session = Session(
            self.events.append, self._show, "cpu", autosave_to=autosave, **options
        )

    def _show(self, image: np.ndarray, view: View, final: bool, *_: object) -> None:
        assert image.dtype == np.uint8
        self.pictures.append((view.view_id, image.shape, final))

    @property
    def state(self) -> str:
        return self.session.state

    def do(self, command: m.Command, until: str | None = None) -> list[m.Event]:
        """Send and, if ``until`` is given, work until in that state; the events on the way."""
        before = len(self.events)
        self.session.handle(command)
        if until is not None:
            self.work(lambda: self.state == until and not self.session.busy)
        return self.events[before:]

    def work(self, done) -> None:
        for _ in range(20000):
            if done():
                return
            self.session.work()
        raise AssertionError(f"still {self.state}: {self.events[-3:]}")

    def steps(self, n: int) -> None:
        trainer = self.session.trainer
        wanted = trainer.step_count + n
        self.work(lambda: trainer.step_count >= wanted)

    def train(self, photos: Path, steps: int = STEPS, until: str = "finished") -> None:
        self.do(m.Open(str(photos)), "ready")
        self.do(m.Start(RunOptions(steps=steps)), until)


def only(events, kind):
    found = [e for e in events if isinstance(e, kind)]
    assert len(found) == 1, events
    return found[0]


def failures(events):
    return [str(e.text) for e in events if isinstance(e, m.Failure)]


def view(view_id=1, width=64, height=48, moving=False):
    pose = look_at(np.array([0.0, -3, 0.5]), np.zeros(3))
    numbers = tuple(pose.ravel().tolist())
    return m.SetView(View(view_id, numbers, 0.8, width, height, moving=moving))


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


@pytest.mark.parametrize("what", ["export", "continue"])
def test_nothing_waits_for_a_picture_that_is_drawn_at_leisure(sessions, photos, tmp_path, what):
    run = sessions()
    run.train(photos)
    session = run.session
    session.handle(view(1, 900, 700))  # of 77 slices
    run.work(lambda: session.viewer.is_rendering and run.pictures)
    before = len(run.events)
    session.handle(
        {
            "export": m.Export(str(tmp_path / "ball.ply"), MeshOptions(32, format="ply")),
            "continue": m.Continue(minutes=1.0),
        }[what]
    )
    for _ in range(5):
        session.work()
    told = any(isinstance(e, m.TaskProgress) for e in run.events[before:])
    assert told if what == "export" else session.trainer.step_count > STEPS


def test_a_cancelled_export_leaves_no_file(sessions, photos, tmp_path):
    run = sessions()
    run.train(photos)
    target = tmp_path / "meshes" / "ball.ply"
    run.do(m.Export(str(target), MeshOptions(96, format="ply")))
    run.session.work()
    only(run.do(m.Cancel()), m.Notice)
    assert run.state == "finished"
    assert not target.exists()
    only(run.do(m.Export(str(target), MeshOptions(32, format="ply")), "finished"), m.Exported)
    assert {p.name for p in results(target.parent)} == {"ball.ply", "ball.ply.json"}


def vertices_of(run, path: Path, **options) -> np.ndarray:
    """[V, 3] of the mesh as it is exported now."""
    command = m.Export(str(path), MeshOptions(32, format="ply", **options))
    only(run.do(command, "finished"), m.Exported)
    return np.asarray(trimesh.load(path, process=False).vertices)


def in_scene(run, box: Box) -> m.EditScene:
    """``box`` (input frame) becomes the region."""
    cube = box.transformed(run.session.scene.scene_from_input).frame_from_cube
    return m.EditScene(RegionEdit(tuple(cube.ravel().tolist())))


def test_the_region_rules_what_is_trained_and_exported_before_training_and_after(
    sessions, photos, tmp_path
):
    """The ball of radius 0.8 about the origin, in boxes that cut it."""
    run = sessions()
    run.do(m.Open(str(photos)), "ready")
    before = run.session.scene.scene_from_input
    upper = Box.of(np.array([0, 0, 0.5]), np.array([1.0, 1, 0.5]))
    arranged = only(run.do(in_scene(run, upper)), m.Arrangement)
    after = run.session.scene.scene_from_input
    np.testing.assert_allclose(
        np.reshape(arranged.scene_from_old_scene, (4, 4)) @ before, after, atol=1e-9
    )
    run.do(m.Start(RunOptions(steps=STEPS)), "finished")
    assert run.session.scene.region_in_scene.radius == pytest.approx(1)
    found = vertices_of(run, tmp_path / "upper.ply")
    assert upper.contains(found * [1, 1, 1 - 1e-6]).all()
    assert np.ptp(found[:, 0]) > 1

    narrow = Box.of(np.array([0.2, 0, 0.5]), np.array([0.2, 1, 0.5]))
    arranged = only(run.do(in_scene(run, narrow)), m.Arrangement)
    np.testing.assert_allclose(arranged.scene_from_old_scene, IDENTITY, atol=1e-9)
    assert np.array_equal(run.session.scene.scene_from_input, after), "the field stays"
    found = vertices_of(run, tmp_path / "narrow.ply")
    assert found[:, 0].min() == pytest.approx(0, abs=1e-5)
    assert found[:, 0].max() == pytest.approx(0.4, abs=1e-5)
    origins = torch.tensor([[-3.0, 0, 0.4], [0.2, -3, 0.4]]) @ torch.tensor(
        after[:3, :3].T, dtype=torch.float32
    ) + torch.tensor(after[:3, 3], dtype=torch.float32)
    aim = torch.tensor([[0.0, 1, 0]]).expand(2, 3)
    near, far = run.session.trainer.visible_occupancy.span(origins, aim)
    assert (far > near).tolist() == [False, True], "pictures show what is exported"

    project = tmp_path / "project"
    run.do(m.Save(str(project)))
    again = sessions()
    again.do(m.Open(str(project)), "finished")
    np.testing.assert_allclose(
        again.session.scene.region.frame_from_cube, narrow.frame_from_cube, atol=1e-9
    )


def test_a_length_known_between_two_picked_points_is_true_in_the_exported_mesh(
    sessions, photos, tmp_path
):
    run = sessions()
    run.train(photos)
    before = vertices_of(run, tmp_path / "before.ply")
    ends = [
        only(run.do(m.Pick(tuple(3.0 * d), tuple(-d))), m.Picked)
        for d in (np.array([0.0, 0, 1]), np.array([1.0, 0, 0]))
    ]
    assert all(end.normal @ np.array(end.point) > 0 for end in ends), "normals look outward"
    a, b = (np.array(end.point) for end in ends)
    run.do(m.EditScene(KnownLength(ends[0].point, ends[1].point, 250.0, "mm")))
    after = vertices_of(run, tmp_path / "after.ply")
    in_input = np.linalg.norm(a - b) / similarity_scale(run.session.scene.scene_from_input)
    np.testing.assert_allclose(after, before * 250 / in_input, rtol=1e-5, atol=1e-3)
    about = json.loads((tmp_path / "after.ply.json").read_text())
    assert about["unit"] == "mm"
    assert about["up"] == [0, 0, 1]
    np.testing.assert_allclose(about["size"], np.ptp(after, axis=0), rtol=1e-4)
    assert only(run.do(m.Pick((0.0, 0, 3), (1.0, 0, 0))), m.Picked).point is None
    run.do(m.Save(str(tmp_path / "project")))
    again = sessions()
    again.do(m.Open(str(tmp_path / "project")), "finished")
    np.testing.assert_allclose(vertices_of(again, tmp_path / "again.ply"), after, atol=1e-3)
    turned = vertices_of(run, tmp_path / "turned.ply", axes="y")
    np.testing.assert_allclose(turned[:, 1], after[:, 2], rtol=1e-4, atol=1e-3)


def test_an_export_while_training_delays_it_only(sessions, photos, tmp_path):
    run = sessions()
    run.train(photos, until="training")
    run.session.work()
    run.do(m.Export(str(tmp_path / "early.glb"), MeshOptions(24, format="glb")), "training")
    assert (tmp_path / "early.glb").stat().st_size > 500
    run.work(lambda: run.state == "finished")


def test_places_that_cannot_be_written_are_named(sessions, photos, tmp_path):
    run = sessions()
    run.train(photos, steps=4)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    export = m.Export(str(blocked / "x.obj"), MeshOptions(24))
    for command in (export, m.Save(str(blocked / "project"))):
        (text,) = failures(run.do(command, "finished"))
        assert str(blocked) in text
        assert "cannot be written" in text
    assert blocked.read_text() == "in the way"


def test_pictures_follow_the_view_while_it_trains(sessions, photos):
    run = sessions()
    run.train(photos, steps=400, until="training")
    run.do(view(1, moving=True))
    run.work(lambda: run.pictures)
    assert run.pictures[0][0] == 1
    step = run.session.trainer.step_count
    run.do(view(2))
    run.work(lambda: run.pictures[-1][0] == 2)
    run.work(lambda: run.session.trainer.step_count > step + 3)
    run.do(m.Pause())
    run.work(lambda: not run.session.work())
    assert run.pictures[-1] == (2, (48, 64, 3), True), "at rest the picture is refined"
    assert not failures(run.events)


def test_a_picture_once_begun_is_drawn_to_its_end_before_training_goes_on(
    sessions, photos, monkeypatch
):
    """Its bands are all of one field: were it trained on between them, they would not meet."""
    monkeypatch.setattr("core.session.viewer.previewer.FIRST_GUESS", 1e-7)  # a large one at once
    run = sessions()
    run.train(photos, steps=1000, until="training")
    session = run.session
    session.handle(view(1, width=400, height=300))
    run.work(lambda: session.viewer.is_rendering)
    step, bands = session.trainer.step_count, 0
    while session.viewer.is_rendering:
        session.work()
        bands += 1
    assert session.trainer.step_count == step
    assert run.pictures
    assert bands > 1


def test_another_preset_and_an_unknown_one(sessions, photos):
    run = sessions()
    run.do(m.Open(str(photos)), "ready")
    (text,) = failures(run.do(m.Start(RunOptions("perfect"))))
    assert "perfect" in text
    assert "draft" in text
    run.do(m.Start(RunOptions("high", steps=2)), "finished")


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


def test_looking_through_a_photo_shows_it_and_the_error_of_the_rendering(sessions, photos):
    taken = []
    run = sessions(show_photo=lambda image, view: taken.append((image, view.photo)))
    opened = only(run.do(m.Open(str(photos)), "ready"), m.Opened)
    pose = opened.arrangement.cameras[2]

    def through(view_id, mode):
        return m.SetView(
            View(view_id, pose, opened.fov_y, 48, 48, mode=mode, photo=opened.names[2])
        )

    run.session.handle(through(1, "color"))
    run.work(lambda: taken)
    image, name = taken[0]
    assert (name, image.shape) == (opened.names[2], (48, 48, 3))
    truth = np.asarray(Image.open(photos / name).convert("RGBA"), float)
    inside = truth[..., 3] > 0
    inside &= np.roll(inside, 1, 0) & np.roll(inside, -1, 0)
    assert np.abs(image - truth[..., :3])[inside].mean() < 2, "the photo itself"
    run.do(m.Start(RunOptions(steps=STEPS)), "finished")
    for view_id, mode in ((2, "error"), (3, "slice"), (4, "level")):
        run.session.handle(through(view_id, mode))
        run.work(lambda view_id=view_id: (view_id, (48, 48, 3), True) in run.pictures)
    assert len(taken) == 1, "it is where it was"
