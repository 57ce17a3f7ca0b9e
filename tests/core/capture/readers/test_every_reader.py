"""What opens is also trained, saved, opened again and exported, whichever program it came from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import protocol as m
from core.base.jobs import run
from core.capture.open import _READERS, open_capture
from core.capture.poses.solve import solve_poses
from core.capture.scene import Scene, require_plain
from core.config.prompt import write_prompt
from core.config.run import MeshOptions, RunOptions
from core.session.session import Session
from core.training.presets import PRESETS
from tests.core.capture.readers import test_colmap, test_idr, test_transforms
from tests.core.capture.readers.test_other_layouts import LAYOUTS
from tests.core.captures import orbit, textured_plane_photos
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


CAPTURES = {
    "sentence": sentence,
    "transforms": transforms,
    "IDR": idr,
    "Polycam": LAYOUTS["Polycam"],
    "Record3D": LAYOUTS["Record3D"],
    "COLMAP": colmap,
    "LLFF": LAYOUTS["LLFF"],
    "MVSNet": LAYOUTS["MVSNet"],
}
STEPS = 20


def test_each_reader_has_a_capture_here():
    assert len(CAPTURES) == len(_READERS)
    for word, (kind, _, _) in zip(CAPTURES, _READERS):
        assert word in kind


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
        return [event.text for event in self._events if isinstance(event, m.Failure)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", CAPTURES)
def test_every_capture_goes_all_the_way(tmp_path, kind):
    folder = tmp_path / "capture"
    folder.mkdir()
    CAPTURES[kind](folder)
    first = Driven(tmp_path / "autosave")
    assert first.do(m.Open(str(folder))) == []
    method = "box" if kind == "sentence" else "surface"  # which has a surface from the first step
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


def test_photos_with_poses_solved_here_are_plain_too(tmp_path):
    from tests.core.capture.poses.test_solve import WIDE, room_poses

    textured_plane_photos(tmp_path / "photos", room_poses(5), WIDE)
    require_plain(run(solve_poses(tmp_path / "photos", tmp_path / "work")))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fx": np.float64(70)}, "fx of the lens of 0.png is of type float64"),
        ({"width": np.int64(80)}, "width of the lens"),
        ({"distortion": (np.float32(0.1),)}, "distortion of the lens"),
    ],
)
def test_a_reader_that_leaves_scalars_of_numpy_is_told(tmp_path, change, words):
    colmap(tmp_path)
    scene: Scene = run(open_capture(tmp_path))
    photo = replace(
        scene.photos[0], name="0.png", intrinsics=replace(scene.photos[0].intrinsics, **change)
    )
    with pytest.raises(TypeError, match=words):
        require_plain(replace(scene, photos=(photo,)))
