"""Random clicks, drags, keys, resizes, drops and cancels in the real window with the real worker:
``python -m tests.benchmarks.random_events [--minutes M] [--seed S]``.

Fails, with the last actions, where a process ends, the window no longer draws, a bug is reported,
memory grows on and on, or window and worker do not agree at the end: the step and the region that
the window shows are those that the worker saves when it is closed. Prints the memory of both by the
minute. Everything happens on a virtual screen of its own and in a temporary folder: nothing that
asks for a path is touched.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from app.keys import KEYS
from core.project.store import load_project
from tests.app.driver import Driver, alive, virtual_screen
from tests.app.xdnd import drop
from tests.core.shaded_ball import shaded_ball

REAL = "core.session.session:Session"
ASK_FOR_PATHS = {"open", "save"}
UNTOUCHED = (
    "path",
    "open",
    "browse",
    "browse_file",
    "export_path",
    "export_browse",
    "start_photos",
    "start_video",
    "start_project",
    "save",
    "save_as",
    "question_save",
    "question_drop",
    "toolbar_open",
    "log_copy",
    "locate_photos",
    "canvas_area",
    "status",
    "scale",
)
"""What asks for a path, or could be typed one into, and what ends the window."""
XDOTOOL = {
    "Open_Brace": "bracketleft",
    "Close_Brace": "bracketright",
    "NumPad1": "KP_1",
    "NumPad3": "KP_3",
    "NumPad7": "KP_7",
    "Escape": "Escape",
    "Home": "Home",
}
MOST_GROWTH = 100e6
"""Bytes by which window or worker may grow from the third quarter of the time to the last: what the
first use of each thing takes is taken by then."""

MOST_OF_WINDOW = 120e6
"""Bytes by which the window may grow from the first third of the time to the last: it holds no
work."""


RESTS_S = 5.0
"""After so long without a change nothing is under way any more."""


class Monkey:
    def __init__(self, window: Driver, captures: list[Path], seed: int) -> None:
        self.window, self.captures = window, captures
        self._random = random.Random(seed)
        self.done: deque[str] = deque(maxlen=60)
        self.counts: dict[str, int] = {}
        self.memory: list[tuple[float, int, int]] = []  # minutes, window, worker
        self._began = time.monotonic()

    def act(self) -> None:
        """One random thing, and a look at whether all is well after it."""
        actions: list[tuple[Callable[[], str], int]] = [
            (self._click_widget, 10),
            (self._click_canvas, 3),
            (self._drag, 5),
            (self._wheel, 2),
            (self._key, 6),
            (self._resize, 1),
            (self._drop, 2),
            (self._cancel, 3),
            (self._train, 4),
            (self._ask_to_close, 1),
        ]
        (chosen,) = self._random.choices([a for a, _ in actions], [w for _, w in actions])
        self.counts[chosen.__name__] = self.counts.get(chosen.__name__, 0) + 1
        before = self.memory[-1][1] if self.memory else 0
        self.done.append(f"{chosen.__name__[1:]} {chosen()}")
        self._check()
        self.done[-1] += f" ({(self.memory[-1][1] - before) / 1e6:+.0f} MB)"

    def _check(self) -> None:
        ui = self.window.look()
        if "Something unexpected" in ui["failure"]:
            raise AssertionError(ui["failure"])
        later = self.window.wait(
            lambda new: new["frame"] > ui["frame"], "another frame", seconds=20
        )
        assert alive(later["worker_pid"]), "the worker has ended"
        minutes = (time.monotonic() - self._began) / 60
        self.memory.append((minutes, _rss(later["pid"]), _rss(later["worker_pid"])))

    def _press(self, place: list[float]) -> None:
        left, top, width, height = place
        self.window.move(left + self._random.random() * width, top + self._random.random() * height)
        self.window.press()
        self.window.release()

    def _click_widget(self) -> str:
        ui = self.window.look()
        names = sorted(n for n in ui["widgets"] if n not in UNTOUCHED and not n.isdigit())
        if not names:
            return "nothing"
        name = self._random.choice(names)
        self._press(ui["widgets"][name])
        return name

    def _click_canvas(self) -> str:
        self._press(self.window.look()["widgets"]["canvas_area"])
        return ""

    def _drag(self) -> str:
        self.window.look()
        dx, dy = (self._random.randint(-200, 200) for _ in range(2))
        button = self._random.choice([1, 1, 2, 3])
        self.window.drag(dx, dy, button)
        return f"{dx} {dy} with {button}"

    def _wheel(self) -> str:
        self.window.look()
        notches = self._random.choice([-3, -1, 1, 3])
        self.window.wheel(notches)
        return str(notches)

    def _key(self) -> str:
        key = self._random.choice([k for k in KEYS if k.action not in ASK_FOR_PATHS])
        name = XDOTOOL.get(key.name, key.name.lower())
        self.window.key(f"ctrl+{name}" if key.control else name)
        return name

    def _resize(self) -> str:
        size = self._random.randint(900, 1270), self._random.randint(560, 770)
        self.window.resize(*size)
        return "{} x {}".format(*size)

    def _drop(self) -> str:
        path = self._random.choice(self.captures)
        drop(self.window.display, int(self.window.window), [path])
        return path.name

    def _cancel(self) -> str:
        for name in ("question_cancel", "cancel", "dismiss"):  # a question lies over all else
            if name in self.window.look()["widgets"]:
                self._press(self.window.ui["widgets"][name])
                return name
        return "nothing"

    def _train(self) -> str:
        name = self._random.choice(["start", "start", "pause", "reset", "export", "continue"])
        if name in self.window.look()["widgets"]:
            self._press(self.window.ui["widgets"][name])
        return name

    def _ask_to_close(self) -> str:
        if not self.window.look()["unsaved"]:
            return "not: it would close"
        self.window.ask_to_close()
        time.sleep(0.5)
        return self._cancel()

    def use_sdf(self) -> dict:
        """Answer what is asked, stop what is under way; the window's last word."""
        for _ in range(60):
            ui = self.window.look()
            name = next(
                (
                    n
                    for n in ("question_cancel", "begin_new", "cancel", "pause")
                    if n in ui["widgets"] and (n != "pause" or ui["state"] == "training")
                ),
                None,
            )
            if name is None and ui["task"] is None and ui["state"] not in ("opening", "solving"):
                time.sleep(RESTS_S)  # a loaded worker may not have read the last command yet
                later = self.window.look()
                if (later["state"], later["step"]) == (ui["state"], ui["step"]):
                    return later
                continue
            if name is not None:
                self._press(ui["widgets"][name])
            time.sleep(0.5)
        raise AssertionError(f"it does not come to rest: {ui['state']}, {ui['task']}")


def _something_unsaved(monkey: Monkey) -> dict:
    """Train a little where nothing would be saved at the end; the window's last word."""
    ui, window = monkey.use_sdf(), monkey.window
    if ui["state"] == "empty":
        drop(window.display, int(window.window), [monkey.captures[0]])
        ui = window.wait(lambda ui: ui["state"] == "ready", "the capture", seconds=400)
    if not ui["unsaved"]:
        window.key("t")
        window.wait(lambda ui: ui["step"] > 3, "steps", seconds=400)
    return monkey.use_sdf()


def _rss(pid: int) -> int:
    return psutil.Process(pid).memory_info().rss


def _agree(window: Driver, ui: dict) -> str:
    """Close with everything unsaved, as a terminal does, and compare what was saved with ``ui``."""
    assert ui["unsaved"], "nothing would be saved"
    os.kill(window.process.pid, signal.SIGINT)
    try:
        assert window.process.wait(60) == 0
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it does not end: {window.where()}") from None
    saved = max(
        (window.home / ".local/share/gradina/autosave").iterdir(),
        key=lambda folder: (folder / "project.json").stat().st_mtime,
    )
    project = load_project(saved)
    counters = project.tensors.get("counters")
    step = int(counters[0]) if counters is not None else 0
    assert step == ui["step"], f"the window says step {ui['step']}, saved is {step}"
    cube = project.state.scene.region_in_scene.frame_from_cube.ravel()
    np.testing.assert_allclose(ui["region"], cube, atol=1e-5)
    return f"step {step} and the region are the same"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with virtual_screen("1280x800x24") as display, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nothing = folder / "nothing"
        nothing.mkdir()
        ball = shaded_ball(folder / "ball")
        captures = [ball, ball, shaded_ball(folder / "other ball", n=9, masks=False), nothing]
        home = folder / "home"
        home.mkdir()
        window = Driver(display, home, ball, REAL)
        monkey = Monkey(window, captures, arguments.seed)
        try:
            window.wait(lambda ui: ui["state"] == "ready", "the capture", seconds=400)
            ends = time.monotonic() + 60 * arguments.minutes
            while time.monotonic() < ends:
                monkey.act()
            ui = _something_unsaved(monkey)
            by_minute, growth = _by_minute(monkey.memory), _growth(monkey.memory)
            assert growth.max() < MOST_GROWTH, f"window and worker by the minute: {by_minute}"
            assert _first_to_last(monkey.memory)[0] < MOST_OF_WINDOW, f"by the minute: {by_minute}"
            agreement = _agree(window, ui)
        except (AssertionError, subprocess.SubprocessError):
            print("\n".join(monkey.done), *_logged(home), sep="\n", file=sys.stderr)
            raise
        finally:
            errors = window.errors()
            window.end()
        print(
            json.dumps(
                {
                    "seed": arguments.seed,
                    "actions": sum(monkey.counts.values()),
                    **monkey.counts,
                    "window_MB": np.round(by_minute[:, 0] / 1e6).tolist(),
                    "worker_MB": np.round(by_minute[:, 1] / 1e6).tolist(),
                    "grew_MB": np.round(growth / 1e6).tolist(),
                    "at_the_end": agreement,
                    "stderr": errors,
                },
                indent=1,
            )
        )
    return 0


def _logged(home: Path) -> list[str]:
    """What window and worker wrote down last."""
    logs = (path.read_text().splitlines() for path in home.rglob("gradina.log"))
    return [line for log in logs for line in log[-60:]]


def _by_minute(memory: list[tuple[float, int, int]]) -> np.ndarray:
    """Medians of window and worker in each minute, bytes [M, 2]."""
    told = np.array(memory)
    minute = (told[:, 0] - told[0, 0]) // 1
    return np.stack([np.median(told[minute == i, 1:], 0) for i in np.unique(minute)])


def _first_to_last(memory: list[tuple[float, int, int]]) -> np.ndarray:
    """Growth of window and worker from the first third to the last, bytes [2]."""
    first, _, last = np.array_split(np.array(memory)[:, 1:], 3)
    return np.median(last, 0) - np.median(first, 0)


def _growth(memory: list[tuple[float, int, int]]) -> np.ndarray:
    """Of window and worker from the third quarter to the last, bytes [2]."""
    sizes = np.array(memory)[:, 1:]
    return np.subtract(*(np.median(part, 0) for part in np.array_split(sizes, 4)[:1:-1]))


if __name__ == "__main__":
    sys.exit(main())
