"""The real window with the real worker under random clicks, drags, keys, resizes, drops and
cancels: ``python -m tests.fuzz.window [--minutes M] [--seed S]``.

Fails, with the last actions, where a process ends, the window no longer draws, a bug is reported,
memory grows on and on, or window and worker do not agree at the end: the step and the region that
the window shows are those that the worker saves when it is closed. Everything happens on a virtual
screen of its own and in a temporary folder: nothing that asks for a path is touched.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import psutil
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from app.keys import Key
from core.project.store import load_project
from tests.app.driver import Driver
from tests.app.screen import alive, virtual_screen
from tests.app.xdnd import drop
from tests.core.shaded_ball import shaded_ball
from tests.fuzz.memory import Memory
from tests.fuzz.window_actions import UNTOUCHED, XDOTOOL, actions

REAL = "core.session.session:Session"
RESTS_S = 5.0
"""After so long without a change nothing is under way any more."""
ACTIONS_A_MINUTE = 150
"""At most."""


class WindowMachine(RuleBasedStateMachine):
    """One window from start to end. `screen` prepares the class."""

    display: str
    folder: Path
    captures: list[Path]
    seconds = math.inf
    """after which nothing is done any more"""
    checks_memory = False
    is_first = True
    """whether this is the simplest example, whose actions are all the same: it has no window"""
    report: tuple[str, ...] = ()
    """of the last window"""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory()
        self.is_well = False
        self.ends = 0.0
        if self.is_first:
            type(self).is_first = False
            return
        self.home = Path(tempfile.mkdtemp(dir=self.folder))
        self.window = Driver(self.display, self.home, self.captures[0], REAL)
        self.window.wait(lambda ui: ui["state"] == "ready", "the capture", seconds=400)
        self.ends = time.monotonic() + self.seconds
        self.is_well = True

    def teardown(self) -> None:
        """The checks of the end, unless something failed before."""
        if not self.ends:
            return
        try:
            if self.is_well:
                self.is_well = False
                ui = self.with_something_unsaved()
                if self.checks_memory:
                    self.memory.check()
                agreement = self.check_saved(ui)
                type(self).report = agreement, str(self.memory), self.window.errors()
                self.is_well = True
        finally:
            if not self.is_well:
                note("\n".join(self.logged()))
            self.window.end()

    # --- what a person does ----------------------------------------------------------------

    @rule(action=actions)
    def act(self, action: tuple[str, tuple[Any, ...]]) -> None:
        """One rule, since hypothesis would leave some of several out of each example."""
        name, arguments = action
        if time.monotonic() < self.ends:
            getattr(self, name)(*arguments)

    def click_widget(self, which: int, x: int, y: int) -> None:
        """Any widget that is safe."""
        ui = self.window.look()
        names = sorted(n for n in ui["widgets"] if n not in UNTOUCHED and not n.isdigit())
        if names:
            self.press(names[which % len(names)], x, y)

    def click_canvas(self, x: int, y: int) -> None:
        """Somewhere in the viewport."""
        self.window.look()
        self.press("canvas_area", x, y)

    def drag(self, dx: int, dy: int, button: int) -> None:
        """Turn, pan or pull a side of the region."""
        self.begin(f"drag {dx} {dy} with {button}")
        self.window.look()
        self.window.drag(2 * dx, 2 * dy, button)
        self.check()

    def wheel(self, notches: int) -> None:
        """Nearer or farther."""
        self.begin(f"wheel {notches}")
        self.window.look()
        self.window.wheel(notches)
        self.check()

    def key(self, key: Key) -> None:
        """Any of the table but those that ask for a path."""
        name = XDOTOOL.get(key.name, key.name.lower())
        self.begin(f"key {name}")
        self.window.key(f"ctrl+{name}" if key.control else name)
        self.check()

    def resize(self, width: int, height: int) -> None:
        """Between the smallest window and the screen."""
        size = round(900 + 370 * width / 255), round(560 + 210 * height / 255)
        self.begin("resize to {} x {}".format(*size))
        self.window.resize(*size)
        self.check()

    def drop(self, which: int) -> None:
        """One of the captures, or a folder that holds none."""
        path = self.captures[which]
        self.begin(f"drop {path.name}")
        drop(self.window.display, int(self.window.window), [path])
        self.check()

    def cancel(self) -> None:
        """The question, the task or the message that is shown."""
        for name in ("question_cancel", "cancel", "dismiss"):  # a question lies over all else
            if name in self.window.look()["widgets"]:
                self.press(name, 128, 128)
                return

    def train(self, name: str) -> None:
        """Begin or end work."""
        if name in self.window.look()["widgets"]:
            self.press(name, 128, 128)

    def ask_to_close(self) -> None:
        """As a person does, and thinks better of it."""
        if self.window.look()["unsaved"]:
            self.begin("ask to close")
            self.window.ask_to_close()
            time.sleep(0.5)
            self.is_well = True
            self.cancel()

    # --- how it is done and checked --------------------------------------------------------

    def begin(self, what: str) -> None:
        """Another action, which is well once it is checked."""
        note(what)
        self.is_well = False

    def press(self, name: str, x: int, y: int) -> None:
        """Click into the widget, at ``x``, ``y`` of 255 of its size."""
        self.begin(f"click {name}")
        left, top, width, height = self.window.ui["widgets"][name]
        self.window.move(left + width * x / 255, top + height * y / 255)
        self.window.press()
        self.window.release()
        self.check()

    def check(self) -> None:
        """It draws, its worker lives, and it reports no bug."""
        ui = self.window.look()
        assert "nexpected" not in ui["failure"], ui["failure"]
        later = self.window.wait(
            lambda new: new["frame"] > ui["frame"], "another frame", seconds=20
        )
        assert alive(later["worker_pid"]), "the worker has ended"
        self.memory.add(*(_resident(later[pid]) for pid in ("pid", "worker_pid")))
        self.is_well = True

    def at_rest(self) -> dict:
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
                left, top, width, height = ui["widgets"][name]
                self.window.move(left + width / 2, top + height / 2)
                self.window.press()
                self.window.release()
            time.sleep(0.5)
        raise AssertionError(f"it does not come to rest: {ui['state']}, {ui['task']}")

    def with_something_unsaved(self) -> dict:
        """Train a little where nothing would be saved at the end; the window's last word."""
        ui, window = self.at_rest(), self.window
        if ui["state"] == "empty":
            drop(window.display, int(window.window), [self.captures[0]])
            ui = window.wait(lambda ui: ui["state"] == "ready", "the capture", seconds=400)
        if not ui["unsaved"]:
            window.key("t")
            window.wait(lambda ui: ui["step"] > 3, "steps", seconds=400)
        return self.at_rest()

    def check_saved(self, ui: dict) -> str:
        """Close with everything unsaved, as a terminal does, and compare what was saved with
        ``ui``."""
        assert ui["unsaved"], f"nothing would be saved: {ui}"
        window = self.window
        os.kill(window.process.pid, signal.SIGINT)
        try:
            assert window.process.wait(60) == 128 + signal.SIGINT
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

    def logged(self) -> list[str]:
        """What window and worker wrote down last."""
        logs = (path.read_text().splitlines() for path in self.home.rglob("gradina.log"))
        return [line for log in logs for line in log[-60:]]


def _resident(pid: int) -> int:
    return psutil.Process(pid).memory_info().rss


@contextmanager
def screen() -> Iterator[None]:
    """A virtual screen, and captures in a temporary folder."""
    with virtual_screen("1280x800x24") as display, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "nothing").mkdir()
        ball = shaded_ball(folder / "ball")
        other = shaded_ball(folder / "other ball", n=9, masks=False)
        WindowMachine.display, WindowMachine.folder = display, folder
        WindowMachine.captures = [ball, ball, other, folder / "nothing"]
        yield


def run(n_actions: int, seed: int, n_windows: int = 1) -> None:
    """Drive ``n_windows`` so long, each by other actions."""
    chosen = settings(
        max_examples=n_windows + 1,
        stateful_step_count=n_actions,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    WindowMachine.is_first = True
    run_state_machine_as_test(hypothesis.seed(seed)(WindowMachine), settings=chosen)


def main() -> int:
    """One window for so many minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with screen():
        WindowMachine.seconds = 60 * arguments.minutes
        WindowMachine.checks_memory = arguments.minutes >= 3
        run(math.ceil(arguments.minutes * ACTIONS_A_MINUTE), arguments.seed)
    print(f"seed {arguments.seed}:", *WindowMachine.report, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
