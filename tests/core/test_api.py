"""The headless way, in-process on the tiny ball."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from core import protocol as m
from core.api import open_project, reconstruct
from core.base.errors import UserError
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.output.views import camera_path, orbit, score_photos
from core.project.store import load_project
from core.session import training_loop
from core.session.session import Session
from core.training.presets import PRESETS
from core.training.ray_source import photo_colors
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball

MESH = MeshOptions(resolution=24)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return shaded_ball(tmp_path_factory.mktemp("ball"))


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(PRESETS, "draft", WARM)
    quick_conversion(monkeypatch)
    monkeypatch.setattr(training_loop, "STATS_EVERY_S", 0.0)


def made(photos, out, steps=12, on_event=lambda event: None, **options):
    return reconstruct(
        photos,
        out,
        options=RunOptions("draft", steps=steps),
        device="cpu",
        mesh_options=MESH,
        on_event=on_event,
        **options,
    )


def stop_at(step):
    """An observer like a person who presses Ctrl-C once ``step`` is reached."""

    def watch(event):
        if isinstance(event, m.TrainingStats) and event.step == step:
            raise KeyboardInterrupt

    return watch


def test_an_interrupted_run_resumes_to_the_very_same_end(photos, tmp_path):
    whole = made(photos, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        made(photos, tmp_path / "broken", on_event=stop_at(5))
    project = load_project(tmp_path / "broken" / "project")
    assert int(project.tensors["counters"][0]) == 5
    resumed = made(photos, tmp_path / "broken", resume=True)
    assert resumed["steps"] == whole["steps"] == 12
    ends = [load_project(tmp_path / name / "project").tensors for name in ("whole", "broken")]
    for name, value in ends[0].items():
        if name != "counters":  # which hold seconds
            assert ends[1][name].equal(value), name
    assert (resumed["vertices"], resumed["faces"]) == (whole["vertices"], whole["faces"])


def test_events_tell_the_way_in_order(photos, tmp_path):
    events = []
    report = made(photos, tmp_path, on_event=events.append)
    states = [e.state for e in events if isinstance(e, m.StateChanged)]
    order = [s for s, before in zip(states, [None, *states]) if s != before]
    assert order == ["empty", "opening", "ready", "opening", "training", "finished"]
    progress = [e.progress for e in events if isinstance(e, m.TrainingStats)]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(report))
    assert report["held_out"] is None


def test_a_failure_on_the_way_is_raised_as_it_was_said(photos, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        made(tmp_path / "none", tmp_path / "out")
    in_the_way = tmp_path / "out" / "mesh.obj"
    in_the_way.mkdir(parents=True)
    with pytest.raises(UserError, match=r"mesh\.obj is a folder"):
        made(photos, tmp_path / "out", steps=2)
    in_the_way.rmdir()

    def get_in_the_way(event):
        if isinstance(event, m.StateChanged) and event.state == "finished":
            in_the_way.mkdir(exist_ok=True)

    with pytest.raises(UserError, match=r"mesh\.obj is a folder"):
        made(photos, tmp_path / "out", steps=2, on_event=get_in_the_way)
    assert load_project(tmp_path / "out" / "project").tensors, "the training is not lost"


def test_the_mesh_lies_in_the_frame_of_the_input(photos, tmp_path):
    report = made(photos, tmp_path)
    both = np.array(report["scene_from_input"]) @ np.array(report["input_from_scene"])
    np.testing.assert_allclose(both, np.eye(4), atol=1e-9)


def test_the_readme_shows_how_it_is_done_from_python(photos, tmp_path, monkeypatch, capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    program = readme.split("### From Python")[1].split("```python\n")[1].split("```")[0]
    (tmp_path / "photos").symlink_to(photos, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    quick = program.replace("minutes=3", "steps=12").replace("(format", "(resolution=24, format")
    exec(quick, {})
    assert "out/mesh.glb" in capsys.readouterr().out
    assert 0 < len(trimesh.load(tmp_path / "out" / "small.ply").faces) <= 20_000


def test_only_trained_projects_open(photos, tmp_path):
    with pytest.raises(UserError, match="not a saved project"):
        open_project(tmp_path, "cpu", lambda event: None)
    watch = Session(lambda event: None, device="cpu")
    watch.handle(m.Open(str(photos)))
    while watch.state != "ready":
        watch.work()
    watch.save(tmp_path / "untrained")
    with pytest.raises(UserError, match="not been trained"):
        open_project(tmp_path / "untrained", "cpu", lambda event: None)


def test_an_opened_project_explains_its_photos(photos, tmp_path):
    made(photos, tmp_path, steps=60)
    opened = open_project(tmp_path / "project", "cpu", lambda event: None)
    try:
        assert opened.trainer is not None
        scene = opened.trainer.store.scene
        task = score_photos(opened.trainer, scene.photos[:2])
        fractions = []
        while True:
            try:
                fractions.append(next(task).fraction)
            except StopIteration as stop:
                scores = stop.value
                break
        assert fractions == sorted(fractions)
        assert all(score.psnr > 12 for score in scores)
        # cut out on the capture's white
        lens = scene.photos[0].intrinsics
        np.testing.assert_allclose(photo_colors(scene, scene.photos[0], lens)[0, 0], 1)
    finally:
        opened.close()


def test_an_orbit_looks_at_the_middle_from_all_around():
    poses = [np.array(v.scene_from_camera).reshape(4, 4) for v in orbit(4, 64, 48)]
    for pose in poses:
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        toward = -pose[:3, 3] / np.linalg.norm(pose[:3, 3])
        np.testing.assert_allclose(pose[:3, 2], toward, atol=1e-12)
        assert pose[2, 1] < 0, "image y points down"
        assert pose[2, 3] > 0, "from above"
    np.testing.assert_allclose(poses[0][:2, 3], -poses[2][:2, 3], atol=1e-12)


def test_a_camera_path_is_brought_into_the_ball(tmp_path):
    file = tmp_path / "path.json"
    pose = np.diag([1.0, -1, -1, 1])  # OpenGL axes of a camera that looks along +Z
    pose[:3, 3] = 1, 2, 3
    file.write_text(
        json.dumps({"frames": [{"transform_matrix": pose.tolist()}], "camera_angle_y": 0.5})
    )
    scene_from_input = np.diag([2.0, 2, 2, 1])
    (view,) = camera_path(file, scene_from_input, 64, 48)
    expected = np.eye(4)
    expected[:3, 3] = 2, 4, 6
    np.testing.assert_allclose(np.array(view.scene_from_camera).reshape(4, 4), expected, atol=1e-9)
    assert (view.fov_y, view.width, view.height) == (0.5, 64, 48)
