"""When to draw a preview, and how large: the view follows the mouse, training goes on.

While the camera moves, pictures are small enough to come at the target rate and come before any
training step. At rest the picture is refined to the full size; while training goes on it is
refreshed instead, within the share of the time that the view allows it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.base.duty_cycle import DutyCycle
from core.base.jobs import Clock, Job, Task
from core.field.model import SceneModel
from core.geometry.view import MESH_MODES, PREVIEW_DUTY_CYCLE, View
from core.rendering.occupancy import OccupancyGrid
from core.rendering.preview import TracedField, render_preview, trace_field
from core.rendering.slice import render_slice

Show = Callable[[np.ndarray, View, bool, float, np.ndarray | None], None]
ErrorOf = Callable[[View, int, int], Task[np.ndarray] | None]


def no_error(view: View, width: int, height: int) -> None:
    """There is no photo to compare ``view`` with."""


MOVING_S = 0.075  # wanted rendering time of one picture while the camera moves
RESTING_S = 0.6  # … of a refresh while training
FIRST_GUESS = 2e-5  # seconds a pixel, before the first measurement: of dense fog
ALWAYS = 3000  # pixels whose rendering takes as long as what any picture takes
REMEASURE = 8  # field versions after which an occupancy grid of its own is measured anew
REMEASURE_MOVING = 100  # … while the camera moves, when it would keep the person waiting


@dataclass
class _Picture:
    view: View
    width: int
    height: int
    job: Job[np.ndarray]
    distances: np.ndarray | None = None
    at_leisure: bool = False
    """as large as the view, however long that takes: begun while there was nothing else to do"""


class Previewer:
    """Renders the newest view a slice at a time.

    ``show`` receives each image with its view, whether it is as large as that, the milliseconds it
    took, and where it is known the distance along each ray to what is seen, float32 [H, W].
    """

    def __init__(
        self, show: Show, error: ErrorOf = no_error, clock: Clock = time.perf_counter
    ) -> None:
        """``error`` of a view through a photo's camera at a size; None while that is read."""
        self._show, self._error = show, error
        self._duty = DutyCycle(PREVIEW_DUTY_CYCLE, clock=clock)
        self._clock = clock
        self.view: View | None = None
        self._picture: _Picture | None = None
        self._per_pixel = FIRST_GUESS
        self._shown: tuple[int, int, int] | None = None  # view id, width, field version
        self._own: tuple[object, int, TracedField] | None = None  # what of, field version

    def set_view(self, view: View) -> None:
        """A newer camera: what is being drawn of an older one is abandoned."""
        self.view = view
        self._picture = None

    def forget(self) -> None:
        """The field is another one now."""
        self._picture, self._shown, self._own = None, None, None

    @property
    def moving(self) -> bool:
        """Whether the person is moving the camera, so that a newer view comes any moment."""
        return self.view is not None and self.view.moving

    @property
    def midway(self) -> bool:
        """Whether an image is begun.

        Were the field to change before its end, it would show seams between its bands.
        """
        return self._picture is not None

    def urgent(self) -> bool:
        """Whether the newest view has not been shown yet at all."""
        return (
            self.view is not None
            and self.view.mode not in MESH_MODES
            and (self._shown is None or self._shown[0] != self.view.view_id)
        )

    def work(
        self, model: SceneModel, occupancy: OccupancyGrid, version: int, training: bool
    ) -> bool:
        """Render one slice of what is due; False when nothing is.

        Args:
            model: what is rendered.
            occupancy: where it is not empty.
            version: of the field; it grows as training goes on.
            training: whether other work waits.
        """
        if training and self._picture is not None and self._picture.at_leisure:
            self._picture = None
        if self._picture is None:
            self._picture = self._next(model, occupancy, version, training)
            if self._picture is None:
                return False
        picture = self._picture
        try:
            if picture.job.advance():
                self._finish(picture, version)
        finally:
            if picture.job.is_over:
                self._picture = None
        return True

    def _next(
        self, model: SceneModel, occupancy: OccupancyGrid, version: int, training: bool
    ) -> _Picture | None:
        view = self.view
        if view is None or view.mode in MESH_MODES:
            return None
        if self.urgent() or view.moving:
            if not self.urgent() and self._shown and self._shown[2] == version:
                return None
            width, height = self._size(view, MOVING_S)
        elif training:
            if not self._duty.is_due or self._is_shown(view, version):
                return None
            width, height = self._size(view, RESTING_S)
        else:
            width, height = view.width, view.height
            if self._is_shown(view, version) and self._shown and self._shown[1] == width:
                return None
        at_leisure = not (training or self.urgent() or view.moving)
        at_most = REMEASURE_MOVING if self.urgent() or view.moving else REMEASURE
        if view.mode == "error" and view.photo:
            error = self._error(view, width, height)
            if error is None:
                return None
            return _Picture(view, width, height, Job(error, self._clock), at_leisure=at_leisure)
        surface = self._surface(model, occupancy, view, version, at_most)
        if view.mode == "slice":
            job = Job(render_slice(model, surface, view, width, height), self._clock)
            return _Picture(view, width, height, job, at_leisure=at_leisure)
        distances = np.full((height, width), np.inf, np.float32)
        job = Job(render_preview(model, surface, view, width, height, distances), self._clock)
        return _Picture(view, width, height, job, distances, at_leisure)

    def _surface(
        self,
        model: SceneModel,
        occupancy: OccupancyGrid,
        view: View,
        version: int,
        at_most: int,
    ) -> TracedField:
        """As `trace_field`; an occupancy grid made for this is kept a while, being costly."""
        of = (model.shape, view.levels, view.mode)
        if self._own and self._own[0] == of and version - self._own[1] < at_most:
            return self._own[2]
        found = trace_field(model, occupancy, view.levels, view.mode)
        self._own = None if found.occupancy is occupancy else (of, version, found)
        return found

    def _is_shown(self, view: View, version: int) -> bool:
        return self._shown is not None and (self._shown[0], self._shown[2]) == (
            view.view_id,
            version,
        )

    def _size(self, view: View, seconds: float) -> tuple[int, int]:
        """The largest size of the view's shape that should take ``seconds``."""
        pixels = max(seconds / self._per_pixel - ALWAYS, ALWAYS)
        scale = math.sqrt(pixels / (view.width * view.height))
        scale = min(scale, 1.0)
        return max(1, round(view.width * scale)), max(1, round(view.height * scale))

    def _finish(self, picture: _Picture, version: int) -> None:
        seconds = picture.job.seconds
        pixels = picture.width * picture.height + ALWAYS
        self._per_pixel += 0.5 * (seconds / pixels - self._per_pixel)
        final = picture.width == picture.view.width
        self._shown = (picture.view.view_id, picture.width, version)
        self._duty.record(seconds, picture.view.duty_cycle)
        self._show(picture.job.result, picture.view, final, seconds * 1000, picture.distances)
