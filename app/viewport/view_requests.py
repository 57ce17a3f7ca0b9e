"""When views are requested from the worker: one at a time while moving, once more at rest."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from app import theme
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.slicing import SceneSlice
from core.geometry.view import PREVIEW_DUTY_CYCLE, MeshPreviewOptions, PreviewMode, View
from core.protocol import Command, SetView
from core.protocol.pixel_ring import MAX_PIXELS

REST_AFTER_S = 0.15
"""The view rests when it has not changed for so long."""
MAX_IN_FLIGHT_S = 1.0
"""An answer is not waited for any longer."""


class ViewRequests:
    """Sends a `SetView` with ``moving`` while the view changes, and one without when it rests."""

    def __init__(self, send: Callable[[Command], None]) -> None:
        self.view_id = 0
        """Of the view requested last."""
        self._send = send
        self.mode: PreviewMode = "color"
        self.scene_slice = SceneSlice()
        self._display: tuple[int | None, float, MeshPreviewOptions] = (
            None,
            PREVIEW_DUTY_CYCLE,
            MeshPreviewOptions(),
        )
        self._requested_at: dict[int, float] = {}
        self._dirty = False
        self._resting = True
        self._changed_at = 0.0

    @property
    def levels(self) -> int | None:
        """Hash levels that are shown; None for all."""
        return self._display[0]

    @property
    def resting(self) -> bool:
        """Whether the view does not change."""
        return self._resting

    def repeat(self) -> None:
        """Request the view again, for instance from a new worker."""
        self._dirty = self._resting = True

    def mark_changed(self) -> None:
        """Note that the view changed."""
        self._dirty = True
        self._resting = False
        self._changed_at = time.perf_counter()

    def mark_resting(self) -> None:
        """Note that the last change is over."""
        self._changed_at = 0.0

    def stop(self) -> None:
        """Request nothing, since there is no scene."""
        self._resting = True

    def set_display(
        self,
        mode: PreviewMode,
        levels: int | None,
        duty_cycle: float,
        scene_slice: SceneSlice,
        mesh: MeshPreviewOptions,
    ) -> bool:
        """Change what is drawn, as in `View`; returns whether that is new."""
        before = self.mode, *self._display, self.scene_slice if self.mode == "slice" else None
        self.mode, self._display, self.scene_slice = mode, (levels, duty_cycle, mesh), scene_slice
        return before != (mode, *self._display, scene_slice if mode == "slice" else None)

    def send_if_due(
        self, camera: OrbitCamera, size: tuple[int, int], shown: int, photo: str
    ) -> None:
        """Request a view if it is time to; once per frame.

        Args:
            camera: The camera.
            size: Width and height of the viewport, pixels.
            shown: Number of the view on screen.
            photo: As in `View`.
        """
        if not self._resting and time.perf_counter() - self._changed_at > REST_AFTER_S:
            self._dirty = self._resting = True
        if self._dirty and (self._resting or not self._is_in_flight(shown)):
            self._dirty = False
            self._send(SetView(self._view(camera, size, photo)))

    def _is_in_flight(self, shown: int) -> bool:
        """Whether the image requested last is still being rendered.

        A moving camera waits for it: if each view cancelled the one before, a drag would show none.
        """
        requested = self._requested_at.get(self.view_id)
        return (
            self.view_id > shown
            and requested is not None
            and time.perf_counter() - requested < MAX_IN_FLIGHT_S
        )

    def _view(self, camera: OrbitCamera, size: tuple[int, int], photo: str) -> View:
        self.view_id += 1
        self._requested_at[self.view_id] = time.perf_counter()
        width, height = size
        shrink = min(1.0, math.sqrt(MAX_PIXELS / (width * height)))
        pose = tuple(float(x) for x in camera.scene_from_camera.ravel())
        levels, duty_cycle, mesh = self._display
        return View(
            self.view_id,
            pose,
            camera.fov_y,
            max(int(width * shrink), 1),
            max(int(height * shrink), 1),
            self.mode,
            levels,
            not self._resting,
            duty_cycle,
            plane=self.scene_slice.plane(camera, height),
            photo=photo,
            span=camera.span,
            mesh=mesh,
            backdrop=theme.backdrop(),
        )

    def latency_ms(self, view_id: int) -> float | None:
        """Return the milliseconds since a view was requested; None if unknown.

        Requests of earlier views are forgotten.
        """
        requested = self._requested_at.get(view_id)
        self._requested_at = {k: t for k, t in self._requested_at.items() if k >= view_id}
        return None if requested is None else 1000 * (time.perf_counter() - requested)
