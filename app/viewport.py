"""The preview and what stands around it: its texture, its camera, and what is on its stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.asking import Asking
from app.gui import dpg
from app.hands import Hands
from app.orbit_camera import OrbitCamera
from app.projection import ray
from app.stage import Stage, point_of, upright_axes
from app.texture import Texture
from core.geometry.box import Box
from core.messages import (
    Arrange,
    Arranged,
    Command,
    Opened,
    Pick,
    Picked,
    Point,
    PreviewMode,
    PreviewReady,
    Region,
    Solving,
)
from core.preview_ring import PreviewRing


@dataclass(frozen=True)
class Shown:
    """The preview on screen. ``latency_ms`` from the request of its view to its display."""

    view_id: int = 0
    width: int = 0
    height: int = 0
    final: bool = False
    latency_ms: float = 0.0


class Viewport:
    """Lives in the child window "viewport". ``send`` gets a `SetView` whenever camera, size, mode
    or level change: with ``moving`` while they change, and once without when they rest; and what
    is done with the mouse to the scene itself."""

    def __init__(self, send: Callable[[Command], None]) -> None:
        self.camera = OrbitCamera()
        self.shown = Shown()
        self._send = send
        self._asking = Asking(send)
        self._home = self.camera
        self._overview = self.camera
        self.stage = Stage(self._set_region)
        self._before = self.camera
        self._picked: Callable[[Picked], None] | None = None
        self._photo = 0
        self._size = (1, 1)
        self._texture = Texture()
        dpg.add_texture_registry(tag="textures")
        with (
            dpg.child_window(tag="viewport", no_scrollbar=True, no_scroll_with_mouse=True),
            dpg.drawlist(1, 1, tag="canvas_area"),
        ):
            dpg.add_draw_layer(tag="picture")
            dpg.add_draw_layer(tag="overlay")
        dpg.bind_item_theme("viewport", "canvas")
        self._hands = Hands(self.stage.region, self)

    # --- what is shown -----------------------------------------------------------------

    def opened(self, opened: Opened) -> None:
        """Look at a newly opened scene from afar, past its first photo."""
        self.stage.solving = None  # the camera from before that is of another scene
        self.stage.open(opened)
        camera = OrbitCamera(axes=upright_axes(opened.arranged), fov_y=opened.fov_y)
        if len(self.stage.cameras):
            camera = camera.looking_through(self.stage.cameras[0], opened.fov_y)
        else:
            camera = camera.framed()
        self._home = camera
        self._photo = 0
        self._overview = self.camera = camera.orbited(0.0, 0.15).zoomed(2.2)
        self.clear(opened)
        self.ask()

    def arranged(self, arranged: Arranged) -> None:
        """The region, the frame or the unit is another one now: keep looking at the same."""
        moved, axes = np.reshape(arranged.moved, (4, 4)), upright_axes(arranged)
        self.stage.arrange(arranged)
        looking_home = self.camera == self._overview
        self._home = self._home.carried(moved, axes)
        self._overview = self._overview.carried(moved, axes)
        self._move(self._overview if looking_home else self.camera.carried(moved, axes))
        self._place()
        self.ask()

    def watch(self, solving: Solving | None) -> None:
        """Show the poses found so far; None: what is open again."""
        if solving is self.stage.solving:
            return
        if solving is not None and self.stage.solving is None:
            self._before = self.camera
            self.camera = OrbitCamera().framed()
        elif solving is None:
            self.camera = self._before
        self.stage.solving = solving
        self._place()

    def pick(self, then: Callable[[Picked], None] | None) -> None:
        """Call ``then`` with what lies under the next click; None: pick nothing after all."""
        self._picked = then

    def picked(self, picked: Picked) -> None:
        """The answer to a click."""
        then, self._picked = self._picked, None
        if then is not None:
            then(picked)
        self._draw_overlay()

    def show_region(self, shown: bool) -> None:
        """Whether the region and its handles are there to be dragged."""
        self.stage.region.shown = shown
        self._draw_overlay()

    def mark(self, places: tuple[Point, ...]) -> None:
        """Draw these ``places``, joined by a line."""
        self.stage.markers = places
        self._draw_overlay()

    def _set_region(self, box: Box) -> None:
        self._send(Arrange(Region(tuple(box.frame_from_cube.ravel().tolist()))))

    def clear(self, opened: Opened | None) -> None:
        """There is no surface (any more): show the cameras of ``opened``, or nothing."""
        self.stage.opened = opened
        self.shown = Shown()
        self._place()

    def resize(self, width: int, height: int) -> None:
        """Take ``width`` x ``height`` pixels of the window."""
        if (width, height) != self._size:
            self._size = (width, height)
            dpg.configure_item("canvas_area", width=width, height=height)
            self._place()
            self._touch()

    def set_look(self, mode: PreviewMode, levels: int | None, share: float) -> None:
        """Change what is drawn of the scene, and for how much of the time; see `SetView`."""
        if self._asking.look(mode, levels, share):
            self._touch()

    def reset(self) -> None:
        self._move(self._home)

    def approach(self) -> None:
        """A surface is about to appear: look through the first photo, unless the person has
        already chosen a view."""
        self.stage.region.shown = False
        if self.camera == self._overview:
            self.reset()

    def next_photo(self, step: int) -> None:
        """Look through the next photo, or the one before (``step`` -1)."""
        if self.stage.opened is not None and len(self.stage.cameras):
            self._photo = (self._photo + step) % len(self.stage.cameras)
            pose = self.stage.cameras[self._photo]
            self._move(self.camera.looking_through(pose, self.stage.opened.fov_y))

    def look_through(self, name: str) -> None:
        """Look through the photo ``name``, if it is one of those that are used."""
        opened = self.stage.opened
        if opened is not None and name in opened.names:
            self._photo = opened.names.index(name)
            self.next_photo(0)

    def look_from(self, side: str) -> None:
        """Look at the pivot from one of `SIDES`."""
        self._move(self.camera.from_side(side))

    def toggle_projection(self) -> None:
        """Between perspective and parallel rays."""
        self._move(replace(self.camera, parallel=not self.camera.parallel))

    def frame(self) -> None:
        self._move(self.camera.framed())

    def show(self, preview: PreviewReady, ring: PreviewRing) -> None:
        """Put the pixels that ``preview`` announces on screen."""
        with ring.reading(preview.slot, preview.sequence, preview.width, preview.height) as pixels:
            if pixels is None:
                return
            self._texture.load(pixels)
        waited = self._asking.waited_ms(preview.view_id)
        first_of_view = preview.view_id != self.shown.view_id
        latency = waited if waited is not None and first_of_view else self.shown.latency_ms
        self.shown = Shown(
            preview.view_id, preview.width, preview.height, preview.final, latency
        )
        self._place()

    def _place(self) -> None:
        """Draw the picture as large as fits, its aspect kept; without one, the sparse points."""
        dpg.delete_item("picture", children_only=True)
        width, height = self._size
        shown = (self.shown.width, self.shown.height) if self._shows_surface else (0, 0)
        dots = None if self._shows_surface else self.stage.dots(self.camera, self._size)
        if dots is not None:
            self._texture.load(dots)
            shown = self._size
        if shown[0]:
            scale = min(width / shown[0], height / shown[1])
            w, h = shown[0] * scale, shown[1] * scale
            if abs(w - width) < 0.01 * width + 2 and abs(h - height) < 0.01 * height + 2:
                w, h = width, height  # rounding of a smaller preview, not another shape
            x, y = (width - w) / 2, (height - h) / 2
            dpg.draw_image(
                self._texture.tag, (x, y), (x + w, y + h), parent="picture",
                uv_min=self._texture.uv_min, uv_max=self._texture.uv_max,
            )
        self._draw_overlay()

    @property
    def _shows_surface(self) -> bool:
        return self.shown.width > 0 and self.stage.solving is None

    def _draw_overlay(self) -> None:
        dpg.delete_item("overlay", children_only=True)
        self.stage.draw("overlay", self.camera, self._size, bare=not self._shows_surface)

    # --- what is asked for -------------------------------------------------------------

    @property
    def view_id(self) -> int:
        """Of the view asked for last."""
        return self._asking.view_id

    @property
    def active(self) -> bool:
        """Whether the person is moving the camera right now."""
        return self._hands.kind is not None or not self._asking.resting

    def ask(self) -> None:
        """Ask for the present view again, for instance of a new worker."""
        self._asking.again()

    def _touch(self) -> None:
        self._asking.change()
        if self._shows_surface:
            self._draw_overlay()
        else:
            self._place()

    def _move(self, camera: OrbitCamera) -> None:
        if camera != self.camera:
            self.camera = camera
            self._touch()

    def update(self, enabled: bool) -> None:
        """Once per frame: follow the mouse, and ask for a view when something changed."""
        if not enabled:
            self._hands.let_go()
            self._asking.stop()
            return
        before = self._hands.kind
        self._move(self._hands.follow(self.camera, self._size))
        if before == "region":
            self._draw_overlay()
        if before is not None and self._hands.kind is None:
            self._asking.settle()
        self._asking.update(self.camera, self._size, self.shown.view_id)

    def clicked(self, x: float, y: float) -> None:
        """As `Answers` says."""
        if self._picked is not None:
            origin, direction = ray(x, y, self.camera, self._size)
            self._send(Pick(point_of(origin), point_of(direction)))

    def double_clicked(self, x: float, y: float) -> None:
        """Turn about what is there from now on."""
        if self._picked is None and self.stage.opened is not None and self.stage.solving is None:
            self.pick(self._turn_about)
            self.clicked(x, y)

    def _turn_about(self, picked: Picked) -> None:
        if picked.point is not None:
            self._move(self.camera.pivoted(np.array(picked.point)))

    def depth_at(self, x: float, y: float) -> float | None:
        """As `Answers` says."""
        return None

    def handles(self) -> list[tuple[float, float] | None]:
        """Where in the window the region's handles can be grabbed, None for those that cannot."""
        if self.stage.region.box is None:
            return []
        pixels, free = self.stage.region.places(self.camera, self._size)
        left, top = dpg.get_item_rect_min("canvas_area")
        return [(left + x, top + y) if f else None for (x, y), f in zip(pixels.tolist(), free)]
