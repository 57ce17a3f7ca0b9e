"""What comes of a session while it works: pictures, meshes, and what rules them."""

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
from core.geometry.edits import KnownLength, RegionEdit
from core.geometry.rigid import similarity_scale
from core.geometry.view import IDENTITY, View
from tests.core.session.watched import STEPS, failures, only, view
from tests.files import results


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
