"""From where the scene is looked at: freely, from its sides, or through one of its photos."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.viewport.orbit_camera import OrbitCamera
from app.viewport.scene_overlay import Stage, upright_axes
from core.protocol import Arrangement, Opened


class Looking:
    """The camera of a viewport. ``moved`` is called after it has become another one, but not when
    another scene comes before it."""

    def __init__(self, stage: Stage, moved: Callable[[], None]) -> None:
        self.camera = OrbitCamera()
        self.size: tuple[int, int] = (1, 1)
        """pixels of the viewport"""
        self._stage, self._moved = stage, moved
        self._home = self._overview = self._before = self.camera
        self._first: tuple[str, OrbitCamera] | None = None
        self._through = self._first

    @property
    def photo(self) -> str:
        """The name of the photo that is looked through, "" for any other view."""
        through = self._through
        return through[0] if through is not None and through[1] == self.camera else ""

    def go(self, camera: OrbitCamera) -> None:
        """Look through ``camera`` from now on."""
        if camera != self.camera:
            self.camera = camera
            self._moved()

    # --- the life of the scene ---------------------------------------------------------

    def open(self, opened: Opened) -> None:
        """Look at a newly opened scene from afar, past its first photo."""
        self._first = self._through = None
        self.camera = OrbitCamera(axes=upright_axes(opened.arranged), fov_y=opened.fov_y)
        if len(self._stage.cameras):
            camera = self._camera_of(0)
            self._first = opened.names[0], camera
        else:
            camera = self.camera.framed()
        self._home = camera
        self._overview = self.camera = camera.orbited(0.0, 0.15).zoomed(2.2)

    def arrange(self, arranged: Arrangement) -> None:
        """The region, the frame or the unit is another one now: keep looking at the same."""
        moved, axes = np.reshape(arranged.moved, (4, 4)), upright_axes(arranged)
        looking_home, photo = self.camera == self._overview, self.photo
        self._home = self._home.carried(moved, axes)
        self._overview = self._overview.carried(moved, axes)
        self.go(self._overview if looking_home else self.camera.carried(moved, axes))
        self._first = self._first and (self._first[0], self._home)
        self._through = (photo, self.camera) if photo else None

    def step_aside(self) -> None:
        """Look at poses that are being solved, for a while."""
        self._before = self.camera
        self.camera = OrbitCamera().framed()

    def step_back(self) -> None:
        """Look at what is open again."""
        self.camera = self._before

    def approach(self) -> None:
        """Look through the first photo, unless the person has already chosen a view."""
        if self.camera == self._overview:
            self.reset()

    # --- what the person chooses -------------------------------------------------------

    def reset(self) -> None:
        """The first view again."""
        self._through = self._first
        self.go(self._home)

    def frame(self) -> None:
        """All of the scene in view."""
        self.go(self.camera.framed())

    def from_side(self, side: str) -> None:
        """Look at the pivot from one of `SIDES`."""
        self.go(self.camera.from_side(side))

    def toggle_projection(self) -> None:
        """Between perspective and parallel rays."""
        self.go(replace(self.camera, parallel=not self.camera.parallel))

    def next_photo(self, step: int) -> None:
        """Look through the next photo, or the one before (``step`` -1)."""
        n = len(self._stage.cameras)
        if self._stage.opened is not None and n:
            self.go_to(((self._stage.chosen or 0) + step) % n)

    def through(self, name: str) -> None:
        """Look through the photo ``name``, if it is one of those that are used."""
        opened = self._stage.opened
        if opened is not None and name in opened.names:
            self.go_to(opened.names.index(name))

    def go_to(self, number: int) -> None:
        """Look through the photo of this number."""
        assert self._stage.opened is not None
        self._stage.chosen = number
        camera = self._camera_of(number)
        self._through = self._stage.opened.names[number], camera
        self.camera = camera
        self._moved()

    def _camera_of(self, number: int) -> OrbitCamera:
        """At the place of a photo, with all of it in view."""
        angle, aspect = self._stage.lenses[number]
        width, height = self.size
        wider = max(aspect * height / width, 1.0) if min(width, height) > 1 else 1.0
        angle = 2 * math.atan(math.tan(angle / 2) * wider)
        camera = replace(self.camera, parallel=False)
        return camera.looking_through(self._stage.cameras[number], angle)
