"""The camera of the viewport: free, from a side, or through a photo."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.viewport.orbit_camera import OrbitCamera
from app.viewport.scene_overlay import SceneOverlay, upright_axes
from core.protocol import Arrangement, Opened


class CameraController:
    """Moves the camera, and keeps the views to return to."""

    def __init__(self, overlay: SceneOverlay, on_moved: Callable[[], None]) -> None:
        """Create the controller.

        Args:
            overlay: Holds the cameras of the photos.
            on_moved: Called after the camera changed, but not when another scene was opened.
        """
        self.camera = OrbitCamera()
        self.size: tuple[int, int] = (1, 1)
        """Width and height of the viewport, pixels."""
        self._overlay, self._on_moved = overlay, on_moved
        self._home = self._overview = self._before_solving = self.camera
        self._first_photo: tuple[str, OrbitCamera] | None = None
        self._current_photo = self._first_photo

    @property
    def photo(self) -> str:
        """Name of the photo that the camera looks through; "" for any other view."""
        current = self._current_photo
        return current[0] if current is not None and current[1] == self.camera else ""

    def set_camera(self, camera: OrbitCamera) -> None:
        """Look through ``camera``."""
        if camera != self.camera:
            self.camera = camera
            self._on_moved()

    # --- the life of the scene ---------------------------------------------------------

    def on_opened(self, opened: Opened) -> None:
        """Look at a new scene from a distance, past its first photo."""
        self._first_photo = self._current_photo = None
        self.camera = OrbitCamera(axes=upright_axes(opened.arrangement), fov_y=opened.fov_y)
        if len(self._overlay.cameras):
            camera = self._camera_of(0)
            self._first_photo = opened.names[0], camera
        else:
            camera = self.camera.framed()
        self._home = camera
        self._overview = self.camera = camera.orbited(0.0, 0.15).zoomed(2.2)

    def on_arranged(self, arranged: Arrangement) -> None:
        """Keep looking at the same after region, frame or unit changed."""
        moved, axes = np.reshape(arranged.scene_from_old_scene, (4, 4)), upright_axes(arranged)
        at_overview, photo = self.camera == self._overview, self.photo
        self._home = self._home.transformed(moved, axes)
        self._overview = self._overview.transformed(moved, axes)
        self.set_camera(self._overview if at_overview else self.camera.transformed(moved, axes))
        self._first_photo = self._first_photo and (self._first_photo[0], self._home)
        self._current_photo = (photo, self.camera) if photo else None

    def enter_pose_solving(self) -> None:
        """Look at poses that are being solved."""
        self._before_solving = self.camera
        self.camera = OrbitCamera().framed()

    def leave_pose_solving(self) -> None:
        """Return to the view of the open scene."""
        self.camera = self._before_solving

    def show_first_photo(self) -> None:
        """Look through the first photo, unless a view was chosen already."""
        if self.camera == self._overview:
            self.reset_view()

    # --- what the person chooses -------------------------------------------------------

    def reset_view(self) -> None:
        """Return to the initial view."""
        self._current_photo = self._first_photo
        self.set_camera(self._home)

    def frame_scene(self) -> None:
        """Fit the whole scene into the viewport."""
        self.set_camera(self.camera.framed())

    def look_from_side(self, side: str) -> None:
        """Look at the pivot from one of `SIDES`."""
        self.set_camera(self.camera.from_side(side))

    def toggle_projection(self) -> None:
        """Switch between perspective and orthographic projection."""
        self.set_camera(replace(self.camera, parallel=not self.camera.parallel))

    def step_photo(self, step: int) -> None:
        """Look through the next photo, or the previous one (``step`` -1)."""
        n = len(self._overlay.cameras)
        if self._overlay.opened is not None and n:
            self.look_through_index(((self._overlay.selected_photo or 0) + step) % n)

    def look_through(self, name: str) -> None:
        """Look through the photo ``name``, if it is used."""
        opened = self._overlay.opened
        if opened is not None and name in opened.names:
            self.look_through_index(opened.names.index(name))

    def look_through_index(self, number: int) -> None:
        """Look through the photo with this index."""
        assert self._overlay.opened is not None
        self._overlay.selected_photo = number
        camera = self._camera_of(number)
        self._current_photo = self._overlay.opened.names[number], camera
        self.camera = camera
        self._on_moved()

    def _camera_of(self, number: int) -> OrbitCamera:
        """Return the camera of a photo, with all of the photo in view."""
        angle, aspect = self._overlay.lenses[number]
        width, height = self.size
        wider = max(aspect * height / width, 1.0) if min(width, height) > 1 else 1.0
        angle = 2 * math.atan(math.tan(angle / 2) * wider)
        camera = replace(self.camera, parallel=False)
        return camera.looking_through(self._overlay.cameras[number], angle)
