"""Films along a path of views, and pictures of the present one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import say
from app.viewport.film_path import FilmPath
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.scene_overlay import upright_axes
from app.viewport.viewport import Viewport
from app.widgets.widgets import Host, button, enable, section
from core.geometry.view import MESH_MODES, PreviewMode, VideoOptions
from core.protocol import Arrangement, Opened, SetCameraPath, WriteVideo

SIZES = {
    "1280 x 720": (1280, 720),
    "1920 x 1080": (1920, 1080),
    "3840 x 2160": (3840, 2160),
    "1080 x 1080": (1080, 1080),
    "1080 x 1920": (1080, 1920),
}
RATES = ("24", "25", "30", "60")
DRAWN: tuple[PreviewMode, ...] = ("color", "clay", "normals", "depth")


class FilmPanel:
    """Keeps the path, which ``viewport`` shows and plays."""

    def __init__(self, host: Host, viewport: Viewport) -> None:
        self._host, self._viewport = host, viewport
        self._path = FilmPath()
        self._playing: tuple[float, OrbitCamera] | None = None
        self._name, self._state = "film", AppState()
        with section("film"):
            with dpg.group(horizontal=True):
                button("add_view", self.add)
                button("remove_view", self._remove)
                dpg.add_text("", tag="film_views")
            with dpg.group(horizontal=True):
                dpg.add_input_float(
                    tag="film_seconds",
                    default_value=6.0,
                    min_value=0.5,
                    max_value=600.0,
                    step=0,
                    width=64,
                    min_clamped=True,
                    max_clamped=True,
                    format="%.1f",
                    callback=self._set,
                )
                dpg.add_text(say("film.seconds"))
                dpg.add_combo(
                    RATES, tag="film_rate", default_value="30", width=54, callback=self._set
                )
                dpg.add_text(say("film.rate"))
            with dpg.group(horizontal=True):
                dpg.add_combo(list(SIZES), tag="film_size", default_value="1280 x 720", width=120)
                dpg.add_checkbox(tag="film_closed", callback=self._set)
            with dpg.group(horizontal=True):
                button("film_play", self._play)
                button("film_write", self._film)
                button("picture_write", self._picture)

    def add(self) -> None:
        """The film passes the present view, too."""
        if self._viewport.stage.opened is not None:
            self._plan(self._path.added(self._viewport.looking.camera))

    def _remove(self) -> None:
        self._plan(replace(self._path, views=self._path.views[:-1]))

    def _set(self) -> None:
        self._plan(
            replace(
                self._path,
                seconds=dpg.get_value("film_seconds"),
                rate=int(dpg.get_value("film_rate")),
                closed=dpg.get_value("film_closed"),
            )
        )

    def _plan(self, path: FilmPath) -> None:
        """The person has made the path this one."""
        self._be(path)
        if self._state.may("set_camera_path"):
            self._host.send(SetCameraPath(path.camera_path))

    def _be(self, path: FilmPath) -> None:
        self._path, self._playing = path, None
        self._viewport.stage.camera_path = path.line()
        self._viewport.redraw()
        self.draw(self._state)

    def opened(self, opened: Opened) -> None:
        """Another scene has a path of its own, or none yet."""
        self._name = Path(opened.path).stem or "film"
        path = FilmPath.of(opened.camera_path, upright_axes(opened.arranged))
        dpg.set_value("film_seconds", path.seconds)
        dpg.set_value("film_rate", str(path.rate))
        dpg.set_value("film_closed", path.closed)
        self._be(path)

    def arranged(self, arranged: Arrangement) -> None:
        """The scene is another one now: the path leads past the same."""
        moved = np.reshape(arranged.moved, (4, 4))
        self._be(self._path.carried(moved, upright_axes(arranged)))

    def _play(self) -> None:
        now = time.perf_counter(), self._viewport.looking.camera
        self._playing = None if self._playing else now

    def update(self) -> None:
        """Once per frame: go on playing, unless the person has moved the camera."""
        if self._playing is None:
            return
        began, shown = self._playing
        share = (time.perf_counter() - began) / self._path.seconds
        if share >= 1 or shown != self._viewport.looking.camera:
            self._playing = None
            return
        camera = self._path.at(share)
        self._viewport.looking.go(camera)
        self._playing = began, camera

    def _film(self) -> None:
        self._ask(".mp4", self._path, self._path.n_frames)

    def _picture(self) -> None:
        self._ask(".png", FilmPath().added(self._viewport.looking.camera), 1)

    def _ask(self, suffix: str, path: FilmPath, n_frames: int) -> None:
        width, height = SIZES[dpg.get_value("film_size")]
        mode, levels = self._viewport.look
        if mode in MESH_MODES or mode not in DRAWN:
            mode = "color"
        chosen = path.camera_path
        options = VideoOptions(
            chosen.views,
            chosen.fov_y,
            width,
            height,
            n_frames,
            chosen.rate,
            chosen.closed,
            mode,
            levels,
        )

        def write(to: str) -> None:
            file = Path(to).expanduser()
            file = file if file.suffix.lower() == suffix else Path(f"{file}{suffix}")
            self._host.send(WriteVideo(str(file), options))

        self._host.pick("save", str(Path.home() / f"{self._name}{suffix}"), write)

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        self._state, n = state, len(self._path.views)
        nothing = "" if state.opened is not None else say("why.nothing_open")
        few = "" if n > 1 else say("why.few_views")
        dpg.set_value("film_views", say("film.views", n))
        enable("add_view", nothing)
        enable("remove_view", "" if n else say("why.no_view"))
        enable("film_play", nothing or few)
        enable("film_write", state.reason("write_video") or few)
        enable("picture_write", state.reason("write_video"))
