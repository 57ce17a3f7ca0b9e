"""The mesh that is shown while it trains: when it is cut, and that it is what an export gives."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.gl.mesh_file import load_mesh_file
from core import protocol as m
from core.base.jobs import Progress, run_task
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.geometry.rigid import invert, similarity, transform_points
from core.geometry.view import MeshPreviewOptions, View
from core.meshing.from_model import mesh_of_model
from core.meshing.mesh import Mesh
from core.session.session import Session
from core.session.viewer import live_mesh
from core.session.viewer.live_mesh import LiveMesh
from core.training.presets import PRESETS
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball

VIEW = View(
    1, tuple(np.eye(4).ravel().tolist()), 0.8, 64, 48, mode="mesh", mesh=MeshPreviewOptions(24)
)
CLOSED = MeshPreviewOptions(24, watertight=True, unseen="keep")
TRIANGLE = Mesh(
    np.eye(3),
    np.array([[0, 1, 2]], np.int32),
    np.full((3, 3), [10, 20, 30], np.uint8),
    np.tile(np.float32([0.6, 0, 0.8]), (3, 1)),
)


@pytest.fixture
def session(tmp_path, monkeypatch):
    for name in PRESETS:
        monkeypatch.setitem(PRESETS, name, WARM)
    quick_conversion(monkeypatch)
    events: list[m.Event] = []
    session = Session(events.append, device="cpu", autosave_to=tmp_path / "autosave")
    session.events = events  # type: ignore[attr-defined]
    yield session
    session.close()


def meshes(events):
    return [event for event in events if isinstance(event, m.MeshReady)]


def work(session, done):
    for _ in range(20000):
        if done():
            return
        session.work()
    raise AssertionError("in vain")


def test_at_rest_it_is_the_surface_of_the_export_in_the_scene_frame(session, tmp_path):
    session.handle(m.Open(str(shaded_ball(tmp_path / "ball"))))
    work(session, lambda: session.state == "ready")
    session.handle(m.Start(RunOptions(steps=20)))
    session.handle(m.SetView(msgspec.structs.replace(VIEW, mode="color")))
    work(session, lambda: session.state == "training" and session.trainer.step_count > 4)
    assert not meshes(session.events), "nobody looks at it"
    session.handle(m.SetView(VIEW))
    work(session, lambda: session.state == "finished" and not session.work())
    told = meshes(session.events)
    assert not told[0].finished, "something quick first"
    last = told[-1]
    assert (last.finished, last.options.cells, last.levels, last.step) == (True, 24, None, 20)
    surface = load_mesh_file(last)
    assert not Path(last.path).exists()
    scene = session.scene
    export = run_task(mesh_of_model(session.trainer.model, scene, MeshOptions(resolution=24)))
    scene_from_out = scene.scene_from_input @ invert(scene.out_from_input("input"))
    assert surface is not None
    assert len(surface.faces) == last.n_faces > 20
    assert (surface.faces == export.faces).all()
    session.handle(m.SetView(msgspec.structs.replace(VIEW, view_id=2, mesh=CLOSED)))
    work(session, lambda: meshes(session.events)[-1].options == CLOSED)
    options = MeshOptions(resolution=24, watertight=True, unseen="keep")
    closed = run_task(mesh_of_model(session.trainer.model, scene, options))
    assert meshes(session.events)[-1].n_faces == len(closed.faces)
    there = transform_points(scene_from_out, export.vertices)
    assert surface.vertices == pytest.approx(there, abs=1e-5)
    assert np.linalg.norm(surface.vertices, axis=1).max() < 1.01, "in the unit ball"
    assert np.abs(surface.colors[:, :3].astype(int) - export.colors).max() <= 1
    folder = Path(last.path).parent
    session.handle(m.SetView(msgspec.structs.replace(VIEW, levels=1)))
    work(session, lambda: meshes(session.events)[-1].levels == 1)
    session.close()
    assert not folder.exists()


@dataclass
class Trainer:
    """As much of a trainer as is asked for a mesh."""

    model: None = None
    step_count: int = 0

    @property
    def scene(self):
        return self

    scene_from_input = similarity(2.0, np.eye(3), np.array([0.1, 0.2, 0.3]))

    def out_from_input(self, axes):
        return similarity(3.0, np.eye(3), np.zeros(3))


@pytest.fixture
def cutting(monkeypatch):
    """A clock that only cutting and training move; a mesh takes 3 s in slices of 0.5."""
    now = [0.0]

    def cut(model, scene, options):
        for _ in range(6):
            now[0] += 0.5
            yield Progress(0.5)
        return TRIANGLE

    monkeypatch.setattr(live_mesh, "mesh_of_model", cut)
    return now


def test_a_radiance_field_is_shown_cut_where_its_export_would_be(session, tmp_path):
    session.handle(m.Open(str(shaded_ball(tmp_path / "ball"))))
    work(session, lambda: session.state == "ready")
    session.handle(m.Start(RunOptions(steps=60, method="ngp")))
    shown = {}
    for density in (3.0, 30.0):
        look = MeshPreviewOptions(24, density=density)
        session.handle(m.SetView(msgspec.structs.replace(VIEW, mesh=look)))
        work(session, lambda: session.state == "finished" and not session.work())
        surface = load_mesh_file(meshes(session.events)[-1])
        assert surface is not None
        shown[density] = surface
        options = MeshOptions(resolution=24, density=density)
        export = run_task(mesh_of_model(session.trainer.model, session.scene, options))
        assert (surface.faces == export.faces).all()
    # where a density passes 3 is outside of where it passes 30
    outer, inner = (np.linalg.norm(shown[d].vertices, axis=1).mean() for d in (3.0, 30.0))
    assert outer > inner


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_while_training_it_takes_the_share_of_the_time_that_the_view_allows(cutting, share):
    told: list[m.Event] = []
    live, trainer, view = (
        LiveMesh(told.append, lambda: cutting[0]),
        Trainer(),
        msgspec.structs.replace(VIEW, duty_cycle=share),
    )
    spent = 0.0
    for _ in range(6000):
        trainer.step_count += 1
        before = cutting[0]
        if live.work(trainer, view, training=True):  # type: ignore[arg-type]
            spent += cutting[0] - before
        else:
            cutting[0] += 0.1
    assert len(told) > 5
    assert spent / cutting[0] == pytest.approx(share, rel=0.15)
    live.close()


def test_a_file_that_is_not_read_goes_with_the_next_but_one_and_all_at_the_end(cutting):
    told: list[m.MeshReady] = []
    live = LiveMesh(told.append, lambda: cutting[0])  # type: ignore[arg-type]
    for step in range(4):
        trainer = replace(Trainer(), step_count=step)
        while live.work(trainer, VIEW, training=False):  # type: ignore[arg-type]
            pass
    assert sum(Path(ready.path).exists() for ready in told) == 2
    surface = load_mesh_file(told[-1])
    assert surface is not None
    there = transform_points(invert(Trainer.scene_from_input), surface.vertices)
    assert 3 * there == pytest.approx(TRIANGLE.vertices, abs=1e-5)
    assert surface.normals[0, :3].tolist() == [204, 128, 230]
    assert surface.colors[0, :3].tolist() == [10, 20, 30]
    assert load_mesh_file(told[-1]) is None, "it is gone"
    live.close()
    assert not Path(told[0].path).parent.exists()


def test_a_mesh_that_is_not_as_announced_is_refused(tmp_path):
    live_mesh.write(TRIANGLE, tmp_path / "mesh")
    right = m.MeshReady(str(tmp_path / "mesh"), 3, 1, MeshPreviewOptions(8), None, 1, True)
    assert load_mesh_file(msgspec.structs.replace(right, n_faces=2)) is None
    live_mesh.write(replace(TRIANGLE, faces=np.array([[0, 1, 7]])), tmp_path / "mesh")
    assert load_mesh_file(right) is None
