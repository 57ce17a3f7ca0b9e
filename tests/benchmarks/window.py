"""How the real window feels while a scene trains: ``python -m tests.benchmarks.window [PATH]``.

Prints, as JSON: seconds from the start of the process to the first frame; frames and training steps
a second at rest; in drags the milliseconds from one frame of the window to the next; and for drags
from rest the milliseconds from the wish for a view to its picture, of the first picture of each
drag and of all the others. At last, with nothing else running, the milliseconds that the machine
takes for plain arithmetic which mostly takes as long as a frame: what lies above its median there
is the machine's own, and no window can be steadier.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.app.driver import ROOT, Driver
from tests.app.screen import virtual_screen

REST_S = 1.6
SETTLED_S = 2.0
STRETCH, MOVE_S = 30, 0.075
"""Pixels and seconds from one place of the mouse to the next."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=ROOT / "assets" / "sample")
    parser.add_argument("--drags", type=int, default=12)
    parser.add_argument("--after", type=float, default=15.0, help="seconds of training before")
    arguments = parser.parse_args()
    with virtual_screen("1440x900x24") as display, _window(display, arguments.path) as window:
        found = measure(window, arguments.drags, arguments.after)
    time.sleep(SETTLED_S)
    found["arithmetic_ms"] = _spread(_arithmetic(found["dragging"]["frame_ms"]["median"] / 1e3))
    print(json.dumps(found, indent=1))


@contextmanager
def _window(display: str, path: Path) -> Iterator[Driver]:
    with tempfile.TemporaryDirectory() as folder:
        window = Driver(display, Path(folder), path, "core.session.session:Session")
        try:
            yield window
        finally:
            window.end()


def measure(window: Driver, n_drags: int, after: float) -> dict[str, Any]:
    first_frame = window.first_frame_s
    window.wait(lambda ui: ui["state"] == "ready", "the scene", seconds=600)
    window.click("start")
    window.wait(lambda ui: ui["step"] > 0, "training", seconds=120)
    time.sleep(after)
    resting_fps, resting_steps = _pace(window, 5.0)
    first, others, frames = [], [], []
    began, step = time.monotonic(), window.look()["step"]
    for i in range(n_drags):
        time.sleep(REST_S)
        latencies = _drag(window, 1 if i % 2 else -1, frames)
        first += latencies[:1]
        others += latencies[1:]
    steps = (window.look()["step"] - step) / (time.monotonic() - began)
    return {
        "first_frame_s": round(first_frame, 2),
        "at_rest": {"fps": resting_fps, "steps_per_s": round(resting_steps, 2)},
        "dragging": {"frame_ms": _spread(frames), "steps_per_s_rests_included": round(steps, 2)},
        "first_picture_ms": _spread(first),
        "next_pictures_ms": _spread(others),
        "preview_size": window.ui["preview_size"],
    }


def _pace(window: Driver, seconds: float) -> tuple[int, float]:
    """Frames of the last second, and steps a second."""
    step, began = window.look()["step"], time.monotonic()
    time.sleep(seconds)
    ui = window.look()
    return ui["fps"], (ui["step"] - step) / (time.monotonic() - began)


def _drag(window: Driver, way: int, frames: list[float]) -> list[float]:
    """One drag of twenty moves; the latencies of the pictures it showed, in order."""
    ui = window.look()
    left, top, width, height = ui["widgets"]["canvas_area"]
    x, y = left + width / 2 - way * 10 * STRETCH, top + height / 2
    window.move(x, y)
    window.press()
    seen, counted, latencies, began = ui["view_id"], ui["frame"], [], time.monotonic()
    with window.gliding([(x + way * STRETCH * i, y + 2 * i) for i in range(20)], MOVE_S):
        while (at := time.monotonic() - began) < 20 * MOVE_S:
            ui = window.look()
            if ui["view_id"] > seen and ui["latency_ms"] is not None:
                seen = ui["view_id"]
                latencies.append(ui["latency_ms"])
            if at > 8 * MOVE_S and ui["frame"] > counted:
                frames += ui["frame_ms"][counted - ui["frame"] :]
            counted = ui["frame"]
            time.sleep(MOVE_S)
    window.release()
    return latencies


def _arithmetic(wanted_s: float, times: int = 400) -> list[float]:
    """Milliseconds of a loop that mostly takes ``wanted_s``, many times over."""
    n = 100_000
    single = statistics.median(_loop(n) for _ in range(200))
    return [_loop(round(n * wanted_s / single)) * 1e3 for _ in range(times)]


def _loop(n: int) -> float:
    """Seconds."""
    began, x = time.perf_counter(), 0
    for i in range(n):
        x = (x * 31 + i) & 0xFFFF
    return time.perf_counter() - began


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), 1),
        "p90": round(ordered[int(0.9 * (len(ordered) - 1))], 1),
        "p99": round(ordered[int(0.99 * (len(ordered) - 1))], 1),
        "max": round(ordered[-1], 1),
        "min": round(ordered[0], 1),
    }


if __name__ == "__main__":
    main()
