"""What opens is also trained, saved, opened again and exported, whichever program it came from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import protocol as m
from core.base.jobs import Task, run_task
from core.capture.open import _READERS, describe_input, open_capture
from core.capture.plain_types import require_plain
from core.capture.readers.colmap import read_colmap
from core.capture.readers.idr import read_idr
from core.capture.readers.llff import read_llff
from core.capture.readers.mvsnet import read_mvsnet
from core.capture.readers.phone_scans import read_polycam, read_record3d
from core.capture.readers.prompt import read_prompt_scene
from core.capture.readers.transforms import read_transforms
from core.capture.scene import Scene
from core.config.mesh import MeshOptions
from core.config.prompt import write_prompt
from core.config.run import RunOptions
from core.session.session import Session
from core.training.presets import PRESETS
from tests.core.capture.poses.test_solve import WIDE, room_poses
from tests.core.capture.readers import test_colmap, test_idr, test_transforms
from tests.core.capture.readers.test_other_layouts import LAYOUTS
from tests.core.captures import film_of, orbit, textured_plane_photos
from tests.core.shaded_ball import WARM, quick_conversion
from tests.core.tiny_clip import tiny_clip


def colmap(folder: Path) -> None:
    test_colmap.photos(folder)
    test_colmap.model(orbit(5), folder / "sparse" / "0")


def idr(folder: Path) -> None:
    test_idr.capture(folder, masks=False)


def transforms(folder: Path) -> None:
    test_transforms.capture(folder, {"camera_angle_x": 1.0}, test_transforms.frames())


def sentence(folder: Path) -> None:
    write_prompt("a red ball", tiny_clip(folder / "clip"), folder)


def plain_photos(folder: Path) -> None:
    textured_plane_photos(folder, room_poses(6), WIDE)


def video(folder: Path) -> None:
    photos = textured_plane_photos(folder / "frames", room_poses(12), WIDE)
    film_of(folder / "walk.mp4", photos)


CAPTURES = {
    read_prompt_scene: sentence,
    read_transforms: transforms,
    read_idr: idr,
    read_polycam: LAYOUTS["Polycam"],
    read_record3d: LAYOUTS["Record3D"],
    read_colmap: colmap,
    read_llff: LAYOUTS["LLFF"],
    read_mvsnet: LAYOUTS["MVSNet"],
}
KINDS = {str(kind): CAPTURES.get(read) for kind, _, read in _READERS}
KINDS |= {"photos without poses": plain_photos, "a video": video}
STEPS = 20


@pytest.mark.parametrize("kind", KINDS)
def test_each_reader_has_a_capture_here(tmp_path, kind):
    build = KINDS[kind]
    assert build, f"{kind} wants an entry in CAPTURES"
    build(tmp_path)
    assert kind in str(describe_input(tmp_path)[0])


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(PRESETS, "draft", WARM)
    quick_conversion(monkeypatch)


class Driven:
    """A session that is worked at until it rests."""

    def __init__(self, autosave: Path) -> None:
        self._events: list[m.Event] = []
        self.session = Session(self._events.append, device="cpu", autosave_to=autosave)

    def do(self, command: m.Command) -> list[str]:
        """The failures that come of ``command``."""
        self._events.clear()
        self.session.handle(command)
        while self.session.work():
            pass
        return [str(event.text) for event in self._events if isinstance(event, m.Failure)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_capture_goes_all_the_way(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("core.capture.open.pose_workspace", lambda _: tmp_path / "poses")
    folder = tmp_path / "capture"
    folder.mkdir()
    build = KINDS[kind]
    assert build is not None
    build(folder)
    first = Driven(tmp_path / "autosave")
    assert first.do(m.Open(str(folder))) == []
    # a box has a surface from the first step
    method = "box" if build is sentence else "surface"
    assert first.do(m.Start(RunOptions("draft", steps=STEPS, method=method))) == []
    assert first.session.state == "finished"
    assert first.do(m.Save(str(tmp_path / "project"))) == []
    first.session.close()

    again = Driven(tmp_path / "autosave")
    assert again.do(m.Open(str(tmp_path / "project"))) == []
    assert again.session.trainer is not None
    assert again.session.trainer.step_count == STEPS
    mesh = tmp_path / "mesh.ply"
    options = MeshOptions(
        resolution=24, format="ply", density=1e-3, unseen="keep", seen_through=False
    )
    assert again.do(m.Export(str(mesh), options)) == []
    assert mesh.is_file()
    again.session.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fx": np.float64(70)}, r"COLMAP model, lens of 0.png: fx=np.float64\(70.0\) is not of"),
        ({"width": np.int64(80)}, "lens of 0.png: width=np.int64"),
        ({"width": 80.5}, "width=80.5 is not of type <class 'int'>"),
        ({"distortion": (np.float32(0.1),)}, "distortion="),
        ({"distortion": [0.1]}, "distortion="),
        ({"model": np.str_("pinhole")}, "model="),
    ],
)
def test_a_lens_of_other_types_than_declared_is_told(tmp_path, change, words):
    colmap(tmp_path)
    scene: Scene = run_task(open_capture(tmp_path))
    photo = replace(
        scene.photos[0], name="0.png", intrinsics=replace(scene.photos[0].intrinsics, **change)
    )
    with pytest.raises(TypeError, match=words):
        require_plain(replace(scene, photos=(photo,)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("units_per_input", np.float64(2)),
        ("has_masks", np.bool_(True)),
        ("background", (np.float32(1), 1.0, 1.0)),
        ("background", (1.0, 1.0)),
        ("excluded", frozenset([np.str_("1.png")])),
    ],
)
def test_opening_tells_of_a_scene_of_other_types_than_declared(tmp_path, monkeypatch, field, value):
    colmap(tmp_path)
    fit = lambda scene, keep_ball: done(replace(scene, **{field: value}))  # noqa: E731
    monkeypatch.setattr("core.capture.open.fit_to_masks", fit)
    with pytest.raises(TypeError, match=f"COLMAP model: {field}="):
        run_task(open_capture(tmp_path))


def done(scene: Scene) -> Task[Scene]:
    """A task that returns ``scene`` at once."""
    yield from ()
    return scene
