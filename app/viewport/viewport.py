"""The preview and what stands around it: its texture, its camera, and what is on its stage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.platform.gui import dpg
from app.text.catalog import say
from app.viewport.camera_controller import Looking
from app.viewport.canvas import Canvas
from app.viewport.input import Hands
from app.viewport.legend import Legend
from app.viewport.photo_overlay import Over
from app.viewport.preview_display import Showing, Shown
from app.viewport.projection import ray
from app.viewport.scene_overlay import Stage, point_of
from app.viewport.slicing import Slice
from app.viewport.thumbnails import Thumbnails
from app.viewport.view_requests import Asking
from core.base.colormaps import DEPTH_REACH
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
)
from core.protocol import Thumbnails as Arrived
from core.protocol.pixel_ring import PreviewRing


class Viewport:
    """Lives in the child window "viewport". ``send`` gets a `SetView` whenever camera, size, mode
    or level change: with ``moving`` while they change, and once without when they rest; and what
    is done with the mouse to the scene itself. ``tell`` gets what the
    person should know; ``wake``: see `Canvas`."""

    def __init__(
        self,
        send: Callable[[Command], None],
        tell: Callable[[Notice], None],
        wake: Callable[[], None],
    ) -> None:
        self.shown = Shown()
        self._send, self._tell, self._told = send, tell, False
        self._asking = Asking(send)
        self.stage = Stage(self._set_region)
        self.looking = Looking(self.stage, self._moved)
        self.thumbnails = Thumbnails()
        self._picked: Callable[[Picked], None] | None = None
        self.showing = Showing()
        self._stale = False
        self._small = False
        with dpg.child_window(tag="viewport", no_scrollbar=True, no_scroll_with_mouse=True):
            self._canvas = Canvas(wake)
            self.over = Over(self.looking)
        dpg.bind_item_theme("viewport", "canvas")
        self._hands = Hands(self.stage.region, self)

    # --- what is shown -----------------------------------------------------------------

    def opened(self, opened: Opened) -> None:
        """Look at a newly opened scene from afar, past its first photo."""
        self.stage.solve(None)  # the camera from before that is of another scene
        self.stage.open(opened)
        self.thumbnails.open(opened)
        self.looking.open(opened)
        self.clear(opened)
        self.ask()

    def arranged(self, arranged: Arrangement) -> None:
        """The region, the frame or the unit is another one now: keep looking at the same."""
        self.stage.arrange(arranged)
        self.looking.arrange(arranged)
        self._stale = True
        self.ask()

    def watch(self, solving: PosesSoFar | None) -> None:
        """Show the poses found so far; None: what is open again."""
        if solving is self.stage.solving:
            return
        if solving is not None and self.stage.solving is None:
            self.looking.step_aside()
        elif solving is None:
            self.looking.step_back()
        self.stage.solve(solving)
        self._stale = True

    def pick(self, then: Callable[[Picked], None] | None) -> None:
        """Call ``then`` with what lies under the next click; None: pick nothing after all."""
        self._picked = then

    def picked(self, picked: Picked) -> None:
        """The answer to a click."""
        then, self._picked = self._picked, None
        if then is not None:
            then(picked)
        self._stale = True

    def show_region(self, shown: bool) -> None:
        """Whether the region and its handles are there to be dragged."""
        self.stage.region.shown = shown
        self._stale = True

    def mark(self, places: tuple[Point, ...]) -> None:
        """Draw these ``places``, joined by a line."""
        self.stage.markers = places
        self._stale = True

    def _set_region(self, box: Box) -> None:
        self._send(EditScene(RegionEdit(tuple(box.frame_from_cube.ravel().tolist()))))

    def clear(self, opened: Opened | None) -> None:
        """There is no surface (any more): show the cameras of ``opened``, or nothing."""
        self.stage.opened = opened
        if opened is not None:
            self.stage.cameras_shown = self.stage.points_shown = True
        self.showing.clear()
        self.shown = self.showing.newest
        self._stale = True

    def resize(self, width: int, height: int) -> None:
        """Take ``width`` x ``height`` pixels of the window."""
        if (width, height) != self._size:
            self._canvas.resize((width, height))
            self.looking.size = width, height
            self.over.since = self.view_id + 1
            self._touch()

    def set_look(
        self,
        mode: PreviewMode,
        levels: int | None,
        duty_cycle: float,
        cut: Slice,
        mesh: MeshPreviewOptions,
    ) -> None:
        """Change what is drawn of the scene, and for how much of the time; see `SetView`. ``cut``
        is where the plane of a slice lies."""
        if self._asking.look(mode, levels, duty_cycle, cut, mesh):
            self.showing.look(mode)
            self._touch()

    def approach(self) -> None:
        """A surface is about to appear: look through the first photo, unless the person has
        already chosen a view."""
        stage = self.stage
        stage.region.shown = stage.cameras_shown = stage.points_shown = False
        self.looking.approach()

    def take_thumbnails(self, arrived: Arrived) -> None:
        """Here are small pictures of some photos."""
        self.thumbnails.take(arrived)
        self.stage.set_thumbnails(self.thumbnails.pictures)
        self._stale = True

    @property
    def look(self) -> tuple[PreviewMode, int | None]:
        """The mode and the levels (None: all) that are shown."""
        return self._asking.mode, self._asking.levels

    def show(self, preview: PreviewReady, ring: PreviewRing) -> None:
        """Put the pixels that ``preview`` announces on screen."""
        waited = self._asking.waited_ms(preview.view_id)
        self._stale |= self.showing.take_picture(preview, ring, self._asking.mode, waited)

    def show_mesh(self, ready: MeshReady) -> None:
        """Draw the mesh that ``ready`` announces from now on."""
        self._stale |= self.showing.take_mesh(ready, self._asking.mode)

    def restyle(self) -> None:
        """The theme is another one now."""
        self.stage.restyle()
        self._touch()

    def redraw(self) -> None:
        """Something on the stage has changed."""
        self._stale = True

    @property
    def _size(self) -> tuple[int, int]:
        return self._canvas.size

    @property
    def _shows_surface(self) -> bool:
        return self.showing.anything and self.stage.solving is None

    def _paint(self) -> None:
        """Paint what there is to see now: at rest in full, in motion as large as is quick."""
        moving = not self._asking.resting
        if not (self._stale or (self._small and not moving)) or not self._canvas.free:
            return
        share = self._canvas.share(moving)
        self._stale, self._small = False, share < 1
        mode = self._asking.mode
        # what stands around would hide what is compared, and a slice is flat
        alone = self._shows_surface and (bool(self.looking.photo) or mode == "slice")
        self._canvas.paint(
            self.showing.frame(
                self.looking.camera,
                self.stage,
                self._size,
                share,
                mode,
                alone=alone,
                deep=not moving and self.showing.shows(self.view_id),
            )
        )

    # --- what is asked for -------------------------------------------------------------

    @property
    def view_id(self) -> int:
        """Of the view asked for last."""
        return self._asking.view_id

    @property
    def active(self) -> bool:
        """Whether the person is moving the camera right now."""
        return self.held or not self._asking.resting or self._canvas.active

    @property
    def held(self) -> bool:
        """Whether the mouse holds something of it."""
        return self._hands.kind is not None

    def ask(self) -> None:
        """Ask for the present view again, for instance of a new worker."""
        self._asking.again()

    def _touch(self) -> None:
        self._asking.change()
        self._stale = True

    def _moved(self) -> None:
        self.over.since = self.view_id + 1
        self._touch()

    def update(self, enabled: bool) -> None:
        """Once per frame: follow the mouse, ask for a view when something changed, and show what
        there is."""
        frame = self._canvas.update()
        if self._canvas.trouble and not self._told:
            self._told = True
            self._tell(Notice(verbatim(say("failures.no_gl", trouble=self._canvas.trouble))))
        if frame is not None and isinstance(frame.about, Shown):
            self.shown = frame.about
        if not enabled:
            self._hands.let_go()
            self._asking.stop()
            self._paint()
            return
        before, looking = self._hands.kind, self.looking
        looking.go(self._hands.follow(looking.camera, self._size))
        if before == "region":
            self._stale = True
        if before is not None and self._hands.kind is None:
            self._asking.rest()
        self._asking.update(looking.camera, self._size, self.showing.newest.view_id, looking.photo)
        self._paint()
        self._annotate()

    def _annotate(self) -> None:
        asking, opened = self._asking, self.stage.opened
        apart = asking.cut.apart(self.looking.camera, self._size[1])
        words = f"{apart:g} {asking.cut.unit}".strip()
        mode = asking.mode if self._shows_surface else "color"
        n_levels = opened.n_levels if opened else 1
        away = np.linalg.norm(self.looking.camera.scene_from_camera[:3, 3])
        depths = (asking.cut.scale * max(away + way * DEPTH_REACH, 0) for way in (-1, 1))
        near, far = (f"{depth:.3g} {asking.cut.unit}".strip() for depth in depths)
        self.over.legend = Legend(
            mode, n_levels, words, bool(self.looking.photo), (near, far), self.looking.camera.axes
        )
        self.over.update()

    def clicked(self, x: float, y: float) -> None:
        """As `Answers` says."""
        if self._picked is not None:
            origin, direction = ray(x, y, self.looking.camera, self._size)
            self._send(Pick(point_of(origin), point_of(direction)))
            return
        number = self.stage.camera_at(x, y, self.looking.camera, self._size)
        if number is not None:
            self.looking.go_to(number)

    def grabbed(self, x: float, y: float) -> bool:
        """As `Answers` says."""
        return self.over.grab(x)

    def dragged(self, dx: float, dy: float) -> None:
        """As `Answers` says."""
        self.over.drag(dx)

    def double_clicked(self, x: float, y: float) -> None:
        """Turn about what is there from now on."""
        if self._picked is None and self.stage.opened is not None and self.stage.solving is None:
            self.pick(self._turn_about)
            self.clicked(x, y)

    def _turn_about(self, picked: Picked) -> None:
        if picked.point is not None:
            self.looking.go(self.looking.camera.pivoted(np.array(picked.point)))

    def depth_at(self, x: float, y: float) -> float | None:
        """As `Answers` says."""
        return self._canvas.depth_at(x, y, self.looking.camera)

    def handles(self) -> list[tuple[float, float] | None]:
        """Where in the window the region's handles can be grabbed, None for those that cannot."""
        if self.stage.region.box is None:
            return []
        pixels, free = self.stage.region.places(self.looking.camera, self._size)
        left, top = dpg.get_item_rect_min("canvas_area")
        return [(left + x, top + y) if f else None for (x, y), f in zip(pixels.tolist(), free)]
