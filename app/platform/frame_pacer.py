"""The frame rate: full after input, lower while only training goes on, a few frames while idle."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

from app.platform.glfw import Glfw

FRAME_S = 1 / 60
SLOW_FRAME_S = 1 / 50
"""Period after input where frames are costly (software OpenGL): the less the window sleeps
between frames, the less late is one that takes long."""
TRAINING_FRAME_S = 1 / 36
"""Shortest period while training and nothing moves."""
IDLE_FRAME_S = 1 / 8
RESTING_FRACTION = 0.1  # of one core for frames while it trains and the camera rests
"""Of one core for frames while it trains and the camera rests."""
FULL_RATE_S = 0.6
"""Seconds of full rate after input, for hover effects."""
LAYOUT_FRAMES = 4
"""Frames until a new texture or layout is on screen."""


class FramePacer:
    """Measures frames and waits between them."""

    def __init__(self) -> None:
        self.frame_times: deque[float] = deque(maxlen=120)
        """Ends of the latest frames, seconds."""
        self._start = 0.0
        self._full_rate_until = 0.0
        self._pending_frames = 0
        self._cost = 0.0  # seconds to draw a frame, smoothed

    def begin_frame(self) -> None:
        """Note that a frame begins."""
        self._start = time.perf_counter()
        self._pending_frames = max(self._pending_frames - 1, 0)

    def request_frames(self) -> None:
        """Draw the next frames at full rate, since the content changed."""
        self._pending_frames = LAYOUT_FRAMES

    @contextmanager
    def measure_draw(self) -> Generator[None]:
        """Measure the drawing of a frame, on whose cost the rate depends."""
        began = time.perf_counter()
        yield
        ended = time.perf_counter()
        self._cost += 0.1 * (ended - began - self._cost)
        self.frame_times.append(ended)

    def wait_next_frame(self, glfw: Glfw, animating: bool, training: bool) -> None:
        """Sleep until the next frame is due, at most; input and events end the sleep.

        Where the CPU cores that train draw the frames too, a resting camera gets few of them.

        Args:
            glfw: Waits for input.
            animating: Whether the camera moves or something is about to appear.
            training: Whether a run trains.
        """
        full_rate = animating or self._pending_frames > 0 or self._start < self._full_rate_until
        full_rate_s = min(max(2 * self._cost, FRAME_S), SLOW_FRAME_S)
        training_s = min(max(self._cost / RESTING_FRACTION, TRAINING_FRAME_S), IDLE_FRAME_S)
        period = full_rate_s if full_rate else training_s if training else IDLE_FRAME_S
        left = self._start + period - time.perf_counter()
        if full_rate:
            time.sleep(max(left, 0.0))
        elif left > 0 and glfw.wait(left):
            self._full_rate_until = time.perf_counter() + (0.0 if training else FULL_RATE_S)
