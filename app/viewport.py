"""The preview and what stands around it: its texture, its camera, and what is on its stage."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.asking import Asking
from app.canvas import Canvas
from app.gui import dpg
from app.hands import Hands
from app.legend import Legend
from app.orbit_camera import OrbitCamera
from app.over import Over, Place
from app.projection import ray
from app.showing import Showing, Shown
from app.slicing import Slice
from app.stage import Stage, point_of, upright_axes
from app.thumbnails import Thumbnails
from core.geometry.box import Box
from core.messages import (
    Arrange,
    Arranged,
    Command,
    MeshReady,
    Notice,
    Opened,
    PhotoReady,
    Pick,
    Picked,
    Point,
    PreviewMode,
    PreviewReady,
    Region,
    Solving,
)
from core.messages import Thumbnails as Arrived
from core.preview_ring import PreviewRing

NO_GL = (
    "The graphics driver offers no OpenGL 3.3, so cameras, points, the region and meshes cannot be "
    "shown. Install or update it"
)
NO_SLICE = Slice()


class Viewport:
    """Lives in the child window "viewport". ``send`` gets a `SetView` whenever camera, size, mode
    or level change: with ``moving`` while they change, and once without when they rest; and what
    is done with the mouse to the scene itself. ``tell`` gets what the
    person should know; ``wake``: see `Canvas`."""

    def __init__(
        self, send: Callable[[Command], None], tell: Callable[[Notice], None],
        wake: Callable[[], None],
    ) -> None:
        self.camera = OrbitCamera()
        self.shown = Shown()
        self._send, self._tell, self._told = send, tell, False
        self._asking = Asking(send)
        self._home = self.camera
        self._overview = self.camera
        self.stage = Stage(self._set_region)
        self._before = self.camera
        self._first: tuple[str, OrbitCamera] | None = None
        self._through = self._first
        self._photo_since = 0
        self.thumbnails = Thumbnails()
        self._picked: Callable[[Picked], None] | None = None
        self.showing = Showing()
        self._stale = False
        self._small = False
        with dpg.child_window(tag="viewport", no_scrollbar=True, no_scroll_with_mouse=True):
            self._canvas = Canvas(wake)
            self.over = Over()
        dpg.bind_item_theme("viewport", "canvas")
        self._hands = Hands(self.stage.region, self)

    # --- what is shown -----------------------------------------------------------------

    def opened(self, opened: Opened) -> None:
        """Look at a newly opened scene from afar, past its first photo."""
        self.stage.solve(None)  # the camera from before that is of another scene
        self.stage.open(opened)
        self._first = self._through = None
        self.thumbnails.open(opened)
        self.camera = OrbitCamera(axes=upright_axes(opened.arranged), fov_y=opened.fov_y)
        if len(self.stage.cameras):
            camera = self._camera_of(0)
            self._first = opened.names[0], camera
        else:
            camera = self.camera.framed()
        self._home = camera
        self._overview = self.camera = camera.orbited(0.0, 0.15).zoomed(2.2)
        self.clear(opened)
        self.ask()

    def arranged(self, arranged: Arranged) -> None:
        """The region, the frame or the unit is another one now: keep looking at the same."""
        moved, axes = np.reshape(arranged.moved, (4, 4)), upright_axes(arranged)
        self.stage.arrange(arranged)
        looking_home, photo = self.camera == self._overview, self.photo
        self._home = self._home.carried(moved, axes)
        self._overview = self._overview.carried(moved, axes)
        self._move(self._overview if looking_home else self.camera.carried(moved, axes))
        self._first = self._first and (self._first[0], self._home)
        self._through = (photo, self.camera) if photo else None
        self._stale = True
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
        self._send(Arrange(Region(tuple(box.frame_from_cube.ravel().tolist()))))

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
            self._photo_since = self.view_id + 1
            self._touch()

    def set_look(
        self, mode: PreviewMode, levels: int | None, share: float, cut: Slice = NO_SLICE,
        cells: int = 256, faces: int | None = None,
    ) -> None:
        """Change what is drawn of the scene, and for how much of the time; see `SetView`. ``cut``
        is where the plane of a slice lies."""
        if self._asking.look(mode, levels, share, cut, cells, faces):
            self.showing.look(mode)
            self._touch()

    def reset(self) -> None:
        self._through = self._first
        self._move(self._home)

    def approach(self) -> None:
        """A surface is about to appear: look through the first photo, unless the person has
        already chosen a view."""
        stage = self.stage
        stage.region.shown = stage.cameras_shown = stage.points_shown = False
        if self.camera == self._overview:
            self.reset()

    def next_photo(self, step: int) -> None:
        """Look through the next photo, or the one before (``step`` -1)."""
        n = len(self.stage.cameras)
        if self.stage.opened is not None and n:
            self._look_through(((self.stage.chosen or 0) + step) % n)

    def look_through(self, name: str) -> None:
        """Look through the photo ``name``, if it is one of those that are used."""
        opened = self.stage.opened
        if opened is not None and name in opened.names:
            self._look_through(opened.names.index(name))

    def _look_through(self, number: int) -> None:
        assert self.stage.opened is not None
        self.stage.chosen = number
        self._stale = True
        camera = self._camera_of(number)
        self._through = self.stage.opened.names[number], camera
        self._move(camera)

    def _camera_of(self, number: int) -> OrbitCamera:
        """At the place of a photo, with all of it in view."""
        angle, aspect = self.stage.lenses[number]
        wider = max(aspect * self._size[1] / self._size[0], 1.0) if min(self._size) > 1 else 1.0
        angle = 2 * math.atan(math.tan(angle / 2) * wider)
        camera = replace(self.camera, parallel=False)
        return camera.looking_through(self.stage.cameras[number], angle)

    @property
    def photo(self) -> str:
        """The name of the photo that is looked through, "" for any other view."""
        through = self._through
        return through[0] if through is not None and through[1] == self.camera else ""

    def toggle_photo(self) -> None:
        """Show the photo that is looked through itself, or the rendering again."""
        if not self.photo and not self.over.whole:
            self.next_photo(0)
        self.over.whole = not self.over.whole

    def toggle_split(self) -> None:
        """Show the photo beside the rendering, or no longer."""
        if not self.photo and not self.over.split:
            self.next_photo(0)
        self.over.split, self.over.whole = not self.over.split, False

    def photo_ready(self, ready: PhotoReady, ring: PreviewRing) -> None:
        """Here is the photo that is looked through."""
        if ready.view_id >= self._photo_since:  # else it is seen from elsewhere or larger now
            self.over.take(ready, ring, self._place)

    def take_thumbnails(self, arrived: Arrived) -> None:
        """Here are small pictures of some photos."""
        self.thumbnails.take(arrived)
        self.stage.set_thumbnails(self.thumbnails.pictures)
        self._stale = True

    @property
    def _place(self) -> Place:
        return Place(self.photo, self.camera, self._size)

    def go(self, camera: OrbitCamera) -> None:
        """Look through ``camera`` from now on."""
        self._move(camera)

    @property
    def look(self) -> tuple[PreviewMode, int | None]:
        """The mode and the levels (None: all) that are shown."""
        return self._asking.mode, self._asking.levels

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
        waited = self._asking.waited_ms(preview.view_id)
        self._stale |= self.showing.take_picture(preview, ring, self._asking.mode, waited)

    def show_mesh(self, ready: MeshReady) -> None:
        """Draw the mesh that ``ready`` announces from now on."""
        self._stale |= self.showing.take_mesh(ready, self._asking.mode)

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
        alone = self._shows_surface and (bool(self.photo) or mode == "slice")
        self._canvas.paint(self.showing.frame(
            self.camera, self.stage, self._size, share, mode, alone=alone,
            deep=not moving and self.showing.shows(self.view_id),
        ))

    # --- what is asked for -------------------------------------------------------------

    @property
    def view_id(self) -> int:
        """Of the view asked for last."""
        return self._asking.view_id

    @property
    def active(self) -> bool:
        """Whether the person is moving the camera right now."""
        return (
            self._hands.kind is not None or not self._asking.resting or self._canvas.active
        )

    def ask(self) -> None:
        """Ask for the present view again, for instance of a new worker."""
        self._asking.again()

    def _touch(self) -> None:
        self._asking.change()
        self._stale = True

    def _move(self, camera: OrbitCamera) -> None:
        if camera != self.camera:
            self.camera = camera
            self._photo_since = self.view_id + 1
            self._touch()

    def update(self, enabled: bool) -> None:
        """Once per frame: follow the mouse, ask for a view when something changed, and show what
        there is."""
        frame = self._canvas.update()
        if self._canvas.trouble and not self._told:
            self._told = True
            self._tell(Notice(f"{NO_GL} ({self._canvas.trouble})"))
        if frame is not None and isinstance(frame.about, Shown):
            self.shown = frame.about
        if not enabled:
            self._hands.let_go()
            self._asking.stop()
            self._paint()
            return
        before = self._hands.kind
        self._move(self._hands.follow(self.camera, self._size))
        if before == "region":
            self._stale = True
        if before is not None and self._hands.kind is None:
            self._asking.settle()
        self._asking.update(self.camera, self._size, self.showing.newest.view_id, self.photo)
        self._paint()
        self._annotate()

    def _annotate(self) -> None:
        asking, opened = self._asking, self.stage.opened
        apart = asking.cut.apart(self.camera, self._size[1])
        words = f"{apart:g} {asking.cut.unit}".strip()
        mode = asking.mode if self._shows_surface else "color"
        self.over.legend = Legend(mode, opened.n_levels if opened else 1, words, bool(self.photo))
        self.over.update(self._place)

    def clicked(self, x: float, y: float) -> None:
        """As `Answers` says."""
        if self._picked is not None:
            origin, direction = ray(x, y, self.camera, self._size)
            self._send(Pick(point_of(origin), point_of(direction)))
            return
        number = self.stage.camera_at(x, y, self.camera, self._size)
        if number is not None:
            self._look_through(number)

    def grabbed(self, x: float, y: float) -> bool:
        """As `Answers` says."""
        return self.over.grab(x, self._place)

    def dragged(self, dx: float, dy: float) -> None:
        """As `Answers` says."""
        self.over.drag(dx, self._size[0])

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
        return self._canvas.depth_at(x, y, self.camera)

    def handles(self) -> list[tuple[float, float] | None]:
        """Where in the window the region's handles can be grabbed, None for those that cannot."""
        if self.stage.region.box is None:
            return []
        pixels, free = self.stage.region.places(self.camera, self._size)
        left, top = dpg.get_item_rect_min("canvas_area")
        return [(left + x, top + y) if f else None for (x, y), f in zip(pixels.tolist(), free)]
