"""The viewport: the preview, what is drawn around it, camera, mouse and keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.platform.gui import dpg
from app.text.catalog import tr
from app.viewport.camera_controller import CameraController
from app.viewport.canvas import Canvas
from app.viewport.input import ViewportInput
from app.viewport.legend import Legend
from app.viewport.photo_overlay import PhotoOverlay
from app.viewport.preview_display import PreviewDisplay, ShownPreview
from app.viewport.projection import ray
from app.viewport.scene_overlay import SceneOverlay, to_point
from app.viewport.slicing import SceneSlice
from app.viewport.thumbnails import ThumbnailStore
from app.viewport.view_requests import ViewRequests
from core.base.colormaps import DEPTH_RANGE
from core.base.text import verbatim
from core.geometry.box import Box
from core.geometry.edits import RegionEdit
from core.geometry.view import MeshPreviewOptions, Point, PreviewMode
from core.protocol import (
    Arrangement,
    Command,
    EditScene,
    MeshReady,
    Notice,
    Opened,
    Pick,
    Picked,
    PosesSoFar,
    PreviewReady,
    Thumbnails,
)
from core.protocol.pixel_ring import PreviewRing


class Viewport:
    """Everything in the child window "viewport". Implements `ViewportInputHandler`."""

    def __init__(
        self,
        send: Callable[[Command], None],
        report: Callable[[Notice], None],
        wake: Callable[[], None],
    ) -> None:
        """Build the viewport.

        Args:
            send: Gets a `SetView` when the view changes, and edits that the mouse makes.
            report: Gets a notice if there is no OpenGL.
            wake: Called from another thread when a frame is drawn.
        """
        self.shown = ShownPreview()
        self._send, self._report, self._gl_error_reported = send, report, False
        self._requests = ViewRequests(send)
        self.overlay = SceneOverlay(self._set_region)
        self.controller = CameraController(self.overlay, self._on_camera_moved)
        self.thumbnails = ThumbnailStore()
        self._on_pick: Callable[[Picked], None] | None = None
        self.display = PreviewDisplay()
        self._stale = False
        self._is_downscaled = False
        with dpg.child_window(tag="viewport", no_scrollbar=True, no_scroll_with_mouse=True):
            self._canvas = Canvas(wake)
            self.photo_overlay = PhotoOverlay(self.controller)
        dpg.bind_item_theme("viewport", "canvas")
        self._input = ViewportInput(self.overlay.region, self)

    # --- what is shown -----------------------------------------------------------------

    def on_opened(self, opened: Opened) -> None:
        """Look at a new scene from a distance, past its first photo."""
        self.overlay.set_partial_poses(None)  # the camera from before that is of another scene
        self.overlay.on_opened(opened)
        self.thumbnails.reset(opened)
        self.controller.on_opened(opened)
        self.clear(opened)
        self.request_view()

    def on_arranged(self, arranged: Arrangement) -> None:
        """Keep looking at the same after region, frame or unit changed."""
        self.overlay.on_arranged(arranged)
        self.controller.on_arranged(arranged)
        self._stale = True
        self.request_view()

    def set_partial_poses(self, partial_poses: PosesSoFar | None) -> None:
        """Show the poses found so far; None for the open scene."""
        if partial_poses is self.overlay.partial_poses:
            return
        if partial_poses is not None and self.overlay.partial_poses is None:
            self.controller.enter_pose_solving()
        elif partial_poses is None:
            self.controller.leave_pose_solving()
        self.overlay.set_partial_poses(partial_poses)
        self._stale = True

    def pick_point(self, then: Callable[[Picked], None] | None) -> None:
        """Call ``then`` with what lies under the next click; None to pick nothing."""
        self._on_pick = then

    def on_picked(self, picked: Picked) -> None:
        """Hand on the answer to a click."""
        then, self._on_pick = self._on_pick, None
        if then is not None:
            then(picked)
        self._stale = True

    def show_region(self, shown: bool) -> None:
        """Show or hide the region and its handles."""
        self.overlay.region.shown = shown
        self._stale = True

    def set_markers(self, places: tuple[Point, ...]) -> None:
        """Draw ``places``, joined by a line."""
        self.overlay.markers = places
        self._stale = True

    def _set_region(self, box: Box) -> None:
        self._send(EditScene(RegionEdit(tuple(box.frame_from_cube.ravel().tolist()))))

    def clear(self, opened: Opened | None) -> None:
        """Forget the surface; show the cameras of ``opened``, or nothing."""
        self.overlay.opened = opened
        if opened is not None:
            self.overlay.show_cameras = self.overlay.show_points = True
        self.display.clear()
        self.shown = self.display.latest
        self._stale = True

    def resize(self, width: int, height: int) -> None:
        """Take ``width`` x ``height`` pixels of the window."""
        if (width, height) != self._size:
            self._canvas.resize((width, height))
            self.controller.size = width, height
            self.photo_overlay.min_view_id = self.view_id + 1
            self._on_display_changed()

    def set_display(
        self,
        mode: PreviewMode,
        levels: int | None,
        duty_cycle: float,
        scene_slice: SceneSlice,
        mesh: MeshPreviewOptions,
    ) -> None:
        """Change what is drawn of the scene.

        Args:
            mode: The display mode.
            levels: Hash levels shown; None for all.
            duty_cycle: Fraction of the time that previews may take from training.
            scene_slice: The slice in mode "slice".
            mesh: How the mesh in modes "mesh" and "wireframe" is extracted.
        """
        if self._requests.set_display(mode, levels, duty_cycle, scene_slice, mesh):
            self.display.set_mode(mode)
            self._on_display_changed()

    def on_training_started(self) -> None:
        """Look through the first photo unless a view was chosen, and hide the overlay."""
        overlay = self.overlay
        overlay.region.shown = overlay.show_cameras = overlay.show_points = False
        self.controller.show_first_photo()

    def add_thumbnails(self, message: Thumbnails) -> None:
        """Show the thumbnails of a message."""
        self.thumbnails.add(message)
        self.overlay.set_thumbnails(self.thumbnails.images)
        self._stale = True

    @property
    def display_mode(self) -> tuple[PreviewMode, int | None]:
        """The display mode, and the hash levels shown (None for all)."""
        return self._requests.mode, self._requests.levels

    def load_preview(self, preview: PreviewReady, ring: PreviewRing) -> None:
        """Show the image that ``preview`` announces."""
        waited = self._requests.latency_ms(preview.view_id)
        self._stale |= self.display.load_picture(preview, ring, self._requests.mode, waited)

    def load_mesh(self, ready: MeshReady) -> None:
        """Show the mesh that ``ready`` announces."""
        self._stale |= self.display.load_mesh(ready, self._requests.mode)

    def restyle(self) -> None:
        """Use the colours of a new theme."""
        self.overlay.restyle()
        self._on_display_changed()

    def redraw(self) -> None:
        """Draw again, since the overlay changed."""
        self._stale = True

    @property
    def _size(self) -> tuple[int, int]:
        return self._canvas.size

    @property
    def _shows_surface(self) -> bool:
        return self.display.has_surface and self.overlay.partial_poses is None

    def _submit_frame(self) -> None:
        """Draw a frame: in full resolution at rest, as large as is quick in motion."""
        moving = not self._requests.resting
        if not (self._stale or (self._is_downscaled and not moving)) or not self._canvas.idle:
            return
        scale = self._canvas.frame_scale(moving)
        self._stale, self._is_downscaled = False, scale < 1
        mode = self._requests.mode
        # what stands around would hide what is compared, and a slice is flat
        hide_overlay = self._shows_surface and (bool(self.controller.photo) or mode == "slice")
        self._canvas.submit(
            self.display.make_frame(
                self.controller.camera,
                self.overlay,
                self._size,
                scale,
                mode,
                hide_overlay=hide_overlay,
                wants_depths=not moving and self.display.shows_view(self.view_id),
            )
        )

    # --- what is asked for -------------------------------------------------------------

    @property
    def view_id(self) -> int:
        """Of the view requested last."""
        return self._requests.view_id

    @property
    def animating(self) -> bool:
        """Whether the camera moves or something is about to appear."""
        return self.dragging or not self._requests.resting or self._canvas.pending

    @property
    def dragging(self) -> bool:
        """Whether the mouse drags something."""
        return self._input.drag_kind is not None

    def request_view(self) -> None:
        """Request the view again, for instance from a new worker."""
        self._requests.repeat()

    def _on_display_changed(self) -> None:
        self._requests.mark_changed()
        self._stale = True

    def _on_camera_moved(self) -> None:
        self.photo_overlay.min_view_id = self.view_id + 1
        self._on_display_changed()

    def update(self, enabled: bool) -> None:
        """Follow the mouse, request views and show what there is; once per frame."""
        frame = self._canvas.poll()
        if self._canvas.gl_error and not self._gl_error_reported:
            self._gl_error_reported = True
            self._report(Notice(verbatim(tr("failures.no_gl", error=self._canvas.gl_error))))
        if frame is not None and isinstance(frame.user_data, ShownPreview):
            self.shown = frame.user_data
        if not enabled:
            self._input.release()
            self._requests.stop()
            self._submit_frame()
            return
        before, controller = self._input.drag_kind, self.controller
        controller.set_camera(self._input.move_camera(controller.camera, self._size))
        if before == "region":
            self._stale = True
        if before is not None and self._input.drag_kind is None:
            self._requests.mark_resting()
        self._requests.send_if_due(
            controller.camera, self._size, self.display.latest.view_id, controller.photo
        )
        self._submit_frame()
        self._update_legend()

    def _update_legend(self) -> None:
        requests, opened = self._requests, self.overlay.opened
        spacing = requests.scene_slice.contour_spacing(self.controller.camera, self._size[1])
        words = f"{spacing:g} {requests.scene_slice.unit}".strip()
        mode = requests.mode if self._shows_surface else "color"
        n_levels = opened.n_levels if opened else 1
        away = np.linalg.norm(self.controller.camera.scene_from_camera[:3, 3])
        depths = (requests.scene_slice.scale * max(away + way * DEPTH_RANGE, 0) for way in (-1, 1))
        near, far = (f"{depth:.3g} {requests.scene_slice.unit}".strip() for depth in depths)
        self.photo_overlay.legend = Legend(
            mode,
            n_levels,
            words,
            bool(self.controller.photo),
            (near, far),
            self.controller.camera.axes,
        )
        self.photo_overlay.draw_overlay()

    def on_click(self, x: float, y: float) -> None:
        """Pick a point, or look through the camera that was clicked."""
        if self._on_pick is not None:
            origin, direction = ray(x, y, self.controller.camera, self._size)
            self._send(Pick(to_point(origin), to_point(direction)))
            return
        number = self.overlay.camera_at(x, y, self.controller.camera, self._size)
        if number is not None:
            self.controller.look_through_index(number)

    def on_press(self, x: float, _y: float) -> bool:
        """Return whether the divider is at this place."""
        return self.photo_overlay.hits_divider(x)

    def on_drag(self, dx: float, _dy: float) -> None:
        """Move the divider."""
        self.photo_overlay.drag_divider(dx)

    def on_double_click(self, x: float, y: float) -> None:
        """Set the orbit centre to what was clicked."""
        if (
            self._on_pick is None
            and self.overlay.opened is not None
            and self.overlay.partial_poses is None
        ):
            self.pick_point(self._set_pivot)
            self.on_click(x, y)

    def _set_pivot(self, picked: Picked) -> None:
        if picked.point is not None:
            self.controller.set_camera(self.controller.camera.pivoted(np.array(picked.point)))

    def depth_at(self, x: float, y: float) -> float | None:
        """Return the distance of the surface at a pixel; see `Canvas.depth_at`."""
        return self._canvas.depth_at(x, y, self.controller.camera)

    def handle_positions(self) -> list[tuple[float, float] | None]:
        """Return where the region's handles are in the window, pixels; None for hidden ones."""
        if self.overlay.region.box is None:
            return []
        pixels, free = self.overlay.region.handle_pixels(self.controller.camera, self._size)
        left, top = dpg.get_item_rect_min("canvas_area")
        return [(left + x, top + y) if f else None for (x, y), f in zip(pixels.tolist(), free)]
