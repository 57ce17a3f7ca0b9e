"""How fast the window draws: full rate after input, less while only training goes on, a few frames
a second while nothing happens."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from app.platform.glfw import Glfw

FRAME_S = 1 / 60
COSTLY_FRAME_S = 1 / 50
"""after input where frames are costly (software GL): the less the window sleeps between them, the
less late is one that takes long"""
WORKING_FRAME_S = 1 / 36
"""at least, while training and nobody moves anything"""
IDLE_FRAME_S = 1 / 8
RESTING_SHARE = 0.1  # of one core for frames while it trains and the camera rests
LIVELY_S = 0.6
"""after input the window draws at full rate for so long, for hover effects"""
SETTLING_FRAMES = 4
"""a new texture or layout takes a few frames to be on screen"""


class Pace:
    def __init__(self) -> None:
        self.frames: deque[float] = deque(maxlen=120)
        """when the latest frames ended, seconds"""
        self._start = 0.0
        self._lively_until = 0.0
        self._settling_frames = 0
        self._cost = 0.0  # seconds to draw a frame, smoothed

    def begin(self) -> None:
        """A frame begins."""
        self._start = time.perf_counter()
        self._settling_frames = max(self._settling_frames - 1, 0)

    def draw_soon(self) -> None:
        """What is drawn has changed."""
        self._settling_frames = SETTLING_FRAMES

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Around the drawing of a frame, whose cost is what the pace depends on."""
        began = time.perf_counter()
        yield
        ended = time.perf_counter()
        self._cost += 0.1 * (ended - began - self._cost)
        self.frames.append(ended)

    def rest(self, glfw: Glfw, active: bool, working: bool) -> None:
        """Sleep until the next frame is due; input and events end the sleep. ``active``: the camera
        moves; ``working``: it trains. Where frames are drawn by the cores that train, those of a
        camera at rest are few."""
        lively = active or self._settling_frames > 0 or self._start < self._lively_until
        lively_s = min(max(2 * self._cost, FRAME_S), COSTLY_FRAME_S)
        working_s = min(max(self._cost / RESTING_SHARE, WORKING_FRAME_S), IDLE_FRAME_S)
        period = lively_s if lively else working_s if working else IDLE_FRAME_S
        left = self._start + period - time.perf_counter()
        if lively:
            time.sleep(max(left, 0.0))
        elif left > 0 and glfw.wait(left):
            self._lively_until = time.perf_counter() + (0.0 if working else LIVELY_S)
