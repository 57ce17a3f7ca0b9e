"""Drives the real window on a virtual screen, with a real mouse and keyboard (xdotool)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
TOY = "tests.app.toy_session:ToySession"
PAUSE_S = 0.15
LINE = 0.85
"""Height of a line of a list, as a share of that of its widget."""
LAUNCH = """
import faulthandler
import signal
import sys
from pathlib import Path
from app.window import run_window
from core.base.interrupts import Interrupted, catch_signals
faulthandler.register(signal.SIGUSR1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
try:
    with catch_signals():
        run_window(Path(sys.argv[2]) if len(sys.argv) > 2 else None, session=sys.argv[1])
except Interrupted as stop:
    print(stop, *getattr(stop, "__notes__", ()))
    sys.exit(stop.status)
"""


class Driver:
    """One window. Everything it says about itself comes from GRADINA_UI_STATE."""

    def __init__(
        self,
        display: str,
        folder: Path,
        path: Path | None = None,
        session: str = TOY,
        **environment: str,
    ) -> None:
        self._report = folder / "ui.json"
        self._folder = folder
        self.display, self.home = display, folder
        homes = ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")  # of other tests
        self._environment = {
            **{k: v for k, v in os.environ.items() if k not in homes},
            "DISPLAY": display,
            "GRADINA_UI_STATE": str(self._report),
            "XDG_STATE_HOME": str(folder / "state"),
            "HOME": str(folder),
        }
        began = time.monotonic()
        self._errors = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, session, *([str(path)] if path else [])],
            cwd=ROOT,
            env={**self._environment, **environment},
            stdout=self._errors,
            stderr=self._errors,
        )
        self.ui = self.wait(lambda ui: True, "the first frame")
        self.first_frame_s = time.monotonic() - began  # at most a look too late
        self.window = self._xdo("search", "--sync", "--name", "^Gradina$").split()[-1]

    def wait(self, holds: Callable[[dict], bool], what: str, seconds: float = 40.0) -> dict:
        """The window's report once it ``holds``."""
        deadline = time.monotonic() + seconds
        ui: dict = {}
        while time.monotonic() < deadline:
            if self._report.exists():
                ui = json.loads(self._report.read_text())
                if holds(ui):
                    self.ui = ui
                    return ui
            code = self.process.poll()
            assert code is None, f"the window ended with {code}: {self.errors()}"
            time.sleep(0.05)
        ui.pop("widgets", None)
        raise AssertionError(f"waited in vain for {what}: {ui}; {self.errors()}")

    def look(self) -> dict:
        """The window's latest report."""
        return self.wait(lambda ui: True, "a report")

    def wait_state(self, *states: str) -> dict:
        return self.wait(lambda ui: ui["state"] in states, " or ".join(states))

    def wait_final_preview(self, after: int = 0) -> dict:
        """The report once the view asked for last, newer than ``after``, is wholly on screen."""
        time.sleep(2 * PAUSE_S)
        return self.wait(
            lambda ui: (
                ui["final"]
                and not ui["moving"]
                and ui["view_id"] > after
                and ui["view_id"] == ui["asked_view_id"]
            ),
            f"the picture after view {after}",
        )

    def errors(self) -> str:
        return Path(self._errors.name).read_text()

    def where(self) -> str:
        """What each thread of the window is in right now, for one that does not go on."""
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(1.0)
        return self.errors()

    def _xdo(self, *arguments: object) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, arguments)],
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        time.sleep(PAUSE_S if arguments[0] != "mousemove" else PAUSE_S / 3)
        return done.stdout

    def move(self, x: float, y: float) -> None:
        self._xdo("mousemove", "--window", self.window, round(x), round(y))

    def click(self, name: str, wait_s: float = PAUSE_S) -> None:
        left, top, width, height = self._place_of(name)
        self.move(left + width / 2, top + height / 2)
        self._xdo("click", 1)
        time.sleep(wait_s)

    def press_at(self, name: str, share: float = 0.5) -> None:
        """Click on the widget at this ``share`` of its width, as slowly as the window draws."""
        left, top, width, height = self._place_of(name)
        self._press_slowly(left + share * width, top + height / 2)

    def _press_slowly(self, x: float, y: float) -> None:
        self.move(x, y)
        self.pass_frames()
        self.press()
        self.pass_frames()
        self.release()

    def choose(self, name: str, index: int) -> None:
        """The line ``index`` of the list that unfolds below the widget."""
        left, top, _, height = self._place_of(name)
        self.click(name)
        self.pass_frames()
        self._press_slowly(left + 30, top + 1.3 * height + (index + 0.5) * LINE * height)

    def pass_frames(self) -> None:
        """Until the window has taken in what was done."""
        frame = self.look()["frame"]
        self.wait(lambda ui: ui["frame"] > frame + 2, "frames")

    def _place_of(self, name: str) -> list[int]:
        """Where the widget stands, once two reports agree: a window that is slow to be laid out
        must not be clicked where the widget was."""
        before = None
        while True:
            ui = self.wait(lambda ui: name in ui["widgets"], f"the widget {name}")
            now = ui["frame"], ui["widgets"][name]
            if before is not None and now[0] > before[0] and now[1] == before[1]:
                return now[1]
            if before is None or now[0] > before[0]:
                before = now
            time.sleep(0.05)

    def type(self, text: str) -> None:
        self._xdo("type", "--delay", 30, text)

    def retype(self, name: str, text: str, then: str = "Return") -> None:
        """Another text into the widget, and a key to end it. A key that comes and goes within one
        frame may be missed where frames are slow."""
        self.click(name)
        for verb, key in (("keydown", "ctrl"), ("keydown", "a"), ("keyup", "a"), ("keyup", "ctrl")):
            self.pass_frames()
            self._xdo(verb, key)
        self.type(text)
        self.key(then)

    def key(self, name: str) -> None:
        self._xdo("key", name)

    def dialog(self, title: str) -> None:
        """Until a window of this name, another program's, is in front."""
        self._xdo("search", "--sync", "--onlyvisible", "--name", title, "windowactivate", "--sync")

    def hold(self, name: str, seconds: float) -> None:
        """Hold a key down."""
        self._xdo("keydown", name)
        time.sleep(seconds)
        self._xdo("keyup", name)

    def double_click(self) -> None:
        self._xdo("click", "--repeat", 2, "--delay", 60, 1)

    def drag(self, dx: float, dy: float, button: int = 1) -> None:
        """From the middle of the viewport, in ten steps."""
        left, top, width, height = self.ui["widgets"]["canvas_area"]
        x, y = left + width / 2, top + height / 2
        self.move(x, y)
        self.press(button)
        for i in range(1, 11):
            self.move(x + dx * i / 10, y + dy * i / 10)
        self.release(button)

    @contextmanager
    def gliding(self, places: list[tuple[float, float]], seconds: float) -> Iterator[None]:
        """The mouse goes from place to place, so long at each, by one process: to start one for
        each place takes as much of a core as a frame of the window."""
        steps = [
            str(word)
            for x, y in places
            for word in ("mousemove", "--window", self.window, round(x), round(y), "sleep", seconds)
        ]
        with subprocess.Popen(["xdotool", *steps], env=self._environment) as mouse:
            yield
            mouse.wait(30)

    def resize(self, width: int, height: int) -> None:
        self._xdo("windowsize", self.window, width, height)

    def press(self, button: int = 1) -> None:
        self._xdo("mousedown", button)

    def release(self, button: int = 1) -> None:
        self._xdo("mouseup", button)

    def wheel(self, notches: int) -> None:
        left, top, width, height = self.ui["widgets"]["canvas_area"]
        self.move(left + width / 2, top + height / 2)
        for _ in range(abs(notches)):
            self._xdo("click", 4 if notches > 0 else 5)

    def viewport_pixels(self) -> np.ndarray:
        """Screenshot of the viewport, uint8 [H, W, 3]."""
        time.sleep(2 * PAUSE_S)  # the report is written with the first of the frames that show it
        row = self._folder / "shot.png"
        self.screenshot(row)
        left, top, width, height = (round(v) for v in self.ui["widgets"]["canvas_area"])
        with Image.open(row) as image:
            return np.asarray(image.convert("RGB"))[top : top + height, left : left + width]

    def screenshot(self, file: Path) -> None:
        """Of all of the window."""
        subprocess.run(
            ["import", "-window", self.window, str(file)],
            env=self._environment,
            check=True,
            timeout=30,
        )

    def ask_to_close(self) -> None:
        """As a person does."""
        subprocess.run(["wmctrl", "-c", "Gradina"], env=self._environment, check=True, timeout=30)

    @contextmanager
    def watching(self) -> Iterator[list[float]]:
        """How bright the viewport is, on average in [0, 255], looked at again and again."""
        left, top, width, height = (round(v) for v in self.ui["widgets"]["canvas_area"])
        crop = f"{width}x{height}+{left}+{top}"
        seen: list[float] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                pixels = subprocess.run(
                    ["import", "-window", self.window, "-crop", crop, "rgb:-"],
                    env=self._environment,
                    capture_output=True,
                    timeout=30,
                    check=True,
                ).stdout
                seen.append(float(np.frombuffer(pixels, np.uint8).mean()))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield seen
        finally:
            done.set()
            thread.join()

    def close(self) -> int:
        """Close the window where nothing would be lost; its exit code."""
        self.ask_to_close()
        return self.process.wait(30)

    def discard(self) -> int:
        """Close the window and give up what is not saved; its exit code."""
        self.ask_to_close()
        self.click("question_drop")
        return self.process.wait(30)

    def end(self) -> None:
        """Whatever happened: nothing stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self._errors.close()


def open_capture(launch: Callable[..., Driver], capture: Path, **environment: str) -> Driver:
    """A window with ``capture`` open, seen through its first photo."""
    window = launch(capture, **environment)
    window.wait_state("ready")
    window.wait_final_preview()
    window.key("Home")
    window.wait_final_preview(after=window.ui["view_id"])
    return window
