"""When views are asked of the worker: one after the other while they change, once more at rest."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from app import theme
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.slicing import Slice
from core.geometry.view import PREVIEW_DUTY_CYCLE, MeshPreviewOptions, PreviewMode, View
from core.protocol import Command, SetView
from core.protocol.pixel_ring import MAX_PIXELS

STILL_AFTER_S = 0.15
IN_FLIGHT_S = 1.0


class Asking:
    """``send`` gets a `SetView` whenever there is something new to see: with ``moving`` while it
    changes, and once without when it rests."""

    def __init__(self, send: Callable[[Command], None]) -> None:
        self.view_id = 0
        """of the view asked for last"""
        self._send = send
        self.mode: PreviewMode = "color"
        self.cut = Slice()
        self._look: tuple[int | None, float, MeshPreviewOptions] = (
            None,
            PREVIEW_DUTY_CYCLE,
            MeshPreviewOptions(),
        )
        self._asked_at: dict[int, float] = {}
        self._dirty = False
        self._resting = True
        self._changed_at = 0.0

    @property
    def levels(self) -> int | None:
        """That are shown; None: all."""
        return self._look[0]

    @property
    def resting(self) -> bool:
        """Whether nothing changes at present."""
        return self._resting

    def again(self) -> None:
        """Ask for the present view once more, for instance of a new worker."""
        self._dirty = self._resting = True

    def change(self) -> None:
        """What is to be seen is another now."""
        self._dirty = True
        self._resting = False
        self._changed_at = time.perf_counter()

    def rest(self) -> None:
        """The last change was it: refine at once."""
        self._changed_at = 0.0

    def stop(self) -> None:
        """There is nothing to ask for."""
        self._resting = True

    def look(
        self,
        mode: PreviewMode,
        levels: int | None,
        duty_cycle: float,
        cut: Slice,
        mesh: MeshPreviewOptions,
    ) -> bool:
        """How the scene is drawn from now on, as in `View`; whether that is new."""
        before = self.mode, *self._look, self.cut if self.mode == "slice" else None
        self.mode, self._look, self.cut = mode, (levels, duty_cycle, mesh), cut
        return before != (mode, *self._look, cut if mode == "slice" else None)

    def update(self, camera: OrbitCamera, size: tuple[int, int], shown: int, photo: str) -> None:
        """Once per frame: ask for what ``camera`` sees in ``size`` pixels, if that is due;
        ``shown`` is the number of the view on screen, ``photo`` as in `View`."""
        if not self._resting and time.perf_counter() - self._changed_at > STILL_AFTER_S:
            self._dirty = self._resting = True
        if self._dirty and (self._resting or not self._in_flight(shown)):
            self._dirty = False
            self._send(SetView(self._view(camera, size, photo)))

    def _in_flight(self, shown: int) -> bool:
        """Whether the picture asked for last is still being drawn. A moving camera waits for it:
        if each new view stopped the last one's picture, a drag would show none at all."""
        asked = self._asked_at.get(self.view_id)
        return (
            self.view_id > shown and asked is not None and time.perf_counter() - asked < IN_FLIGHT_S
        )

    def _view(self, camera: OrbitCamera, size: tuple[int, int], photo: str) -> View:
        self.view_id += 1
        self._asked_at[self.view_id] = time.perf_counter()
        width, height = size
        shrink = min(1.0, math.sqrt(MAX_PIXELS / (width * height)))
        pose = tuple(float(x) for x in camera.scene_from_camera.ravel())
        levels, duty_cycle, mesh = self._look
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
            plane=self.cut.plane(camera, height),
            photo=photo,
            span=camera.span,
            mesh=mesh,
            backdrop=theme.backdrop(),
        )

    def waited_ms(self, view_id: int) -> float | None:
        """Since this view was asked for, None if that is not known; older ones are forgotten."""
        asked = self._asked_at.get(view_id)
        self._asked_at = {k: t for k, t in self._asked_at.items() if k >= view_id}
        return None if asked is None else 1000 * (time.perf_counter() - asked)
