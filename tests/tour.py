"""A tour in pictures: one screenshot of each mode and panel of the real window.

``python -m tests.tour [CAPTURE] --out FOLDER [--steps N]`` opens CAPTURE (the embedded sample where
none is given; its poses must be known), trains it, unless it is a saved project, and leaves
``01-start.png`` and so on in FOLDER, to be looked at; ``--last NAME`` ends it earlier. Mouse,
keyboard and worker are the real ones, on a virtual screen and with a home folder of their own. The
README's pictures are ``training`` and the viewport of ``compare`` (``--steps 2500 --last
compare``), made smaller by ``convert -resize 1200x -colors 255``, the latter 900x.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.app.driver import ROOT, Driver
from tests.app.screen import virtual_screen

REAL = "core.session.session:Session"
SAMPLE = ROOT / "assets" / "sample"
SCREEN, SIZE = "1600x1040x24", (1600, 1000)
LONG_S = 3600
"""What is waited for at most: nothing here measures time, and machines are loaded."""
MODES = ("color", "normals", "depth", "mesh", "wireframe", "slice", "error", "detail_levels")
"""By their keys, from 1."""
MESHES = ("mesh", "wireframe")
MESH_S = 20
"""After so long a mesh is shown as it would be exported: nothing says so."""
N_SOLVED = 24
"""Photos whose poses are solved for the doctor."""


class Tour:
    """``capture`` as its person sees it, in a home of theirs."""

    def __init__(self, display: str, home: Path, capture: Path, out: Path, steps: int) -> None:
        self._display, self._home, self._out, self.steps = display, home, out, steps
        self.capture = home / ("owl" if capture == SAMPLE else capture.name)
        self.capture.symlink_to(capture.absolute())
        self._n = 0
        self.window = self._start()

    def _start(self) -> Driver:
        window = Driver(self._display, self._home, None, REAL)
        window.wait(lambda ui: ui["engine"] == "ready", "the engine", seconds=LONG_S)
        window.resize(*SIZE)
        time.sleep(1)
        return window

    def take(self, name: str) -> None:
        """The picture of what is shown now."""
        self._n += 1
        self.window.move(SIZE[0] / 2, SIZE[1] - 4)  # off every tooltip
        time.sleep(1)
        self.window.screenshot(self._out / f"{self._n:02}-{name}.png")
        print(f"{self._n:02}-{name}", flush=True)

    def until(self, holds: Callable[[dict], bool]) -> None:
        self.window.wait(holds, "what comes next", seconds=LONG_S)

    def open(self, path: Path) -> None:
        """By typing it."""
        self.window.retype("path", str(path))

    def again(self) -> None:
        """Start the window once more, after it has ended."""
        self.window.end()
        self.window = self._start()


Act = Callable[[Tour], object]


def keys(*names: str) -> Act:
    return lambda tour: [tour.window.key(name) for name in names]


def click(*names: str) -> Act:
    return lambda tour: [tour.window.press_at(name) for name in names]


def curve(name: str) -> Act:
    """A saved project has none."""
    return lambda tour: tour.window.look()["history"] and tour.window.press_at(f"curve_{name}")


def press(name: str, share: float) -> Act:
    return lambda tour: tour.window.press_at(name, share)


def choose(name: str, index: int) -> Act:
    return lambda tour: tour.window.choose(name, index)


def until(holds: Callable[[dict], bool]) -> Act:
    return lambda tour: tour.until(holds)


def state(*names: str) -> Act:
    return until(lambda ui: ui["state"] in names and ui["task"] is None)


def shown(*names: str) -> Act:
    """Until the widgets ``names`` are."""
    return until(lambda ui: all(name in ui["widgets"] for name in names))


def rest(tour: Tour) -> None:
    """Until all that was asked for is on screen."""
    tour.window.pass_frames()
    tour.until(
        lambda ui: (
            ui["final"]
            and not ui["moving"]
            and ui["task"] is None
            and ui["view_id"] == ui["asked_view_id"]
        )
    )


def wait(seconds: float) -> Act:
    return lambda tour: time.sleep(seconds)


def open_capture(tour: Tour) -> None:
    tour.open(tour.capture)
    state("ready", "paused", "finished")(tour)
    tour.until(lambda ui: ui["thumbnails"] > 0)
    time.sleep(3)


def train(tour: Tour) -> None:
    if tour.window.look()["state"] != "ready":
        return
    choose("budget_kind", 1)(tour)
    tour.window.retype("minutes", str(tour.steps), "Tab")
    click("start")(tour)
    tour.until(lambda ui: ui["step"] > 0.8 * tour.steps)


def fly_past(tour: Tour) -> None:
    """A film of four views, seen from afar."""
    for _ in range(4):
        keys("k")(tour)
        tour.window.drag(170, 15)
        rest(tour)
    tour.window.wheel(-4)


def measure(tour: Tour) -> None:
    left, top, width, height = tour.window.look()["widgets"]["canvas_area"]
    for n, share in enumerate((0.42, 0.58), 1):
        tour.window.move(left + width / 2, top + share * height)
        tour.window.press()
        tour.window.release()
        tour.until(lambda ui, n=n: ui["n_markers"] == n)


def open_nothing(tour: Tour) -> None:
    tour.open(tour.capture.parent / "holiday")
    tour.until(lambda ui: ui["failure"])


def crash(tour: Tour) -> None:
    tour.until(lambda ui: ui["autosave"])
    tour.window.process.send_signal(signal.SIGKILL)
    tour.window.process.wait()
    time.sleep(5)  # the worker saves, and ends
    tour.again()


def close(tour: Tour) -> None:
    tour.window.discard()
    tour.again()


def open_photos(tour: Tour) -> None:
    """Some of the capture's photos, without its poses, and one of nothing."""
    folder = tour.capture.parent / "open_poses"
    folder.mkdir()
    kinds = (".jpg", ".jpeg", ".png", ".webp")
    found = sorted(p for p in tour.capture.rglob("*") if p.suffix.lower() in kinds)
    for path in found[:N_SOLVED]:
        shutil.copy(path, folder)
    Image.new("RGB", Image.open(found[0]).size, "black").save(folder / "black.jpg")
    tour.open(folder)
    tour.until(lambda ui: ui["state"] == "solving")
    tour.until(lambda ui: "placing" in ui["status"] or ui["state"] != "solving")


STOPS: list[tuple[str, tuple[Act, ...]]] = [
    ("start", ()),
    ("keys", (keys("h"),)),
    ("opened", (keys("h"), open_capture)),
    ("region", (click("scene"),)),
    ("training", (click("scene"), train)),
    ("trained", (state("paused", "finished"), rest)),
    *((f"curve-{name}", (curve(name),)) for name in ("loss", "inv_s", "detail_levels", "speed")),
    *(
        (name, (keys(str(number)), wait(MESH_S) if name in MESHES else rest))
        for number, name in enumerate(MODES, 1)
    ),
    ("photo", (keys("1", "bracketright"), rest, keys("g"), until(lambda ui: ui["photo_shown"]))),
    ("compare", (keys("g", "c"), until(lambda ui: ui["photo_shown"]))),
    ("error-to-photo", (keys("c", "o"), rest)),
    ("error-compared", (keys("c"), until(lambda ui: ui["photo_shown"]))),
    ("ranking", (keys("c", "o", "i"),)),
    ("few-levels", (keys("i"), click("training"), press("detail_levels", 0.25), rest)),
    ("slice-elsewhere", (press("detail_levels", 0.99), keys("6"), choose("slice_axis", 0), rest)),
    ("few-triangles", (keys("5"), choose("mesh_triangles", 2), wait(MESH_S))),
    ("purposes", (keys("4"), click("purpose"))),
    (
        "exported",
        (
            click("status"),
            choose("mesh_triangles", 0),
            click("export"),
            until(lambda ui: ui["exported"]),
        ),
    ),
    ("video", (keys("1"), rest, click("view", "video"), fly_past, rest)),
    ("measured", (click("video", "scene", "measure"), measure)),
    ("log", (click("scene", "training", "view", "show_log"),)),
    ("failure", (click("show_log"), open_nothing)),
    (
        "closing",
        (click("dismiss"), lambda tour: tour.window.ask_to_close(), shown("question_cancel")),
    ),
    ("recovery", (click("question_cancel"), crash, shown("recover"))),
    ("settings", (click("recover"), state("paused", "finished"), rest, click("show_settings"))),
    ("light", (press("theme", 0.9), until(lambda ui: ui["theme"] == "light"), rest)),
    ("light-ranking", (click("show_settings"), keys("i"))),
    (
        "large-text",
        (keys("i"), click("show_settings"), press("theme", 0.1), choose("scale", 3), close),
    ),
    ("large-text-training", (open_capture, click("start"), until(lambda ui: ui["step"] > 40))),
    ("large-text-keys", (click("pause"), state("paused"), keys("h"))),
    ("solving", (keys("h"), open_photos)),
    ("poses", (state("ready"), click("open_poses"))),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("capture", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--last", default="", choices=[name for name, _ in STOPS], metavar="NAME")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with virtual_screen(SCREEN) as display, tempfile.TemporaryDirectory(prefix="tour-") as home:
        tour = Tour(display, Path(home), arguments.capture, arguments.out, arguments.steps)
        try:
            for name, acts in STOPS:
                for act in acts:
                    act(tour)
                tour.take(name)
                if name == arguments.last:
                    break
        finally:
            tour.window.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
