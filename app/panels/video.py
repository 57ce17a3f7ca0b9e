"""Videos along a camera path, and images of the current view."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import tr
from app.viewport.keyframe_path import KeyframePath
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.scene_overlay import upright_axes
from app.viewport.viewport import Viewport
from app.widgets.widgets import Host, add_button, section, set_enabled
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
RENDERED_MODES: tuple[PreviewMode, ...] = ("color", "clay", "normals", "depth")
"""Display modes that videos can have; others are rendered in colour."""


class VideoPanel:
    """Edits the camera path, which the viewport shows and plays."""

    def __init__(self, host: Host, viewport: Viewport) -> None:
        self._host, self._viewport = host, viewport
        self._path = KeyframePath()
        self._playing: tuple[float, OrbitCamera] | None = None
        self._name, self._state = "video", AppState()
        with section("video"):
            with dpg.group(horizontal=True):
                add_button("add_keyframe", self.add_keyframe)
                add_button("remove_keyframe", self._remove_keyframe)
                dpg.add_text("", tag="keyframe_count")
            with dpg.group(horizontal=True):
                dpg.add_input_float(
                    tag="video_seconds",
                    default_value=6.0,
                    min_value=0.5,
                    max_value=600.0,
                    step=0,
                    width=64,
                    min_clamped=True,
                    max_clamped=True,
                    format="%.1f",
                    callback=self._on_settings_changed,
                )
                dpg.add_text(tr("video.seconds"))
                dpg.add_combo(
                    RATES,
                    tag="video_rate",
                    default_value="30",
                    width=54,
                    callback=self._on_settings_changed,
                )
                dpg.add_text(tr("video.rate"))
            with dpg.group(horizontal=True):
                dpg.add_combo(list(SIZES), tag="video_size", default_value="1280 x 720", width=120)
                dpg.add_checkbox(tag="video_loop", callback=self._on_settings_changed)
            with dpg.group(horizontal=True):
                add_button("video_play", self._toggle_playback)
                add_button("render_video", self._render_video)
                add_button("render_image", self._render_image)

    def add_keyframe(self) -> None:
        """Append the current view to the camera path."""
        if self._viewport.overlay.opened is not None:
            self._set_path(self._path.with_keyframe(self._viewport.controller.camera))

    def _remove_keyframe(self) -> None:
        self._set_path(replace(self._path, keyframes=self._path.keyframes[:-1]))

    def _on_settings_changed(self) -> None:
        self._set_path(
            replace(
                self._path,
                seconds=dpg.get_value("video_seconds"),
                rate=int(dpg.get_value("video_rate")),
                closed=dpg.get_value("video_loop"),
            )
        )

    def _set_path(self, path: KeyframePath) -> None:
        """Show ``path``, which was edited, and send it."""
        self._show_path(path)
        if self._state.may("set_camera_path"):
            self._host.send(SetCameraPath(path.camera_path))

    def _show_path(self, path: KeyframePath) -> None:
        self._path, self._playing = path, None
        self._viewport.overlay.camera_path = path.polyline()
        self._viewport.redraw()
        self.draw_panel(self._state)

    def on_opened(self, opened: Opened) -> None:
        """Show the camera path of another scene."""
        self._name = Path(opened.path).stem or "video"
        path = KeyframePath.from_camera_path(opened.camera_path, upright_axes(opened.arrangement))
        dpg.set_value("video_seconds", path.seconds)
        dpg.set_value("video_rate", str(path.rate))
        dpg.set_value("video_loop", path.closed)
        self._show_path(path)

    def on_arranged(self, arranged: Arrangement) -> None:
        """Move the camera path along with the scene."""
        moved = np.reshape(arranged.scene_from_old_scene, (4, 4))
        self._show_path(self._path.transformed(moved, upright_axes(arranged)))

    def _toggle_playback(self) -> None:
        now = time.perf_counter(), self._viewport.controller.camera
        self._playing = None if self._playing else now

    def advance_playback(self) -> None:
        """Move the camera while the path plays, unless it was moved by hand; once per frame."""
        if self._playing is None:
            return
        began, shown = self._playing
        progress = (time.perf_counter() - began) / self._path.seconds
        if progress >= 1 or shown != self._viewport.controller.camera:
            self._playing = None
            return
        camera = self._path.camera_at(progress)
        self._viewport.controller.set_camera(camera)
        self._playing = began, camera

    def _render_video(self) -> None:
        self._choose_file(".mp4", self._path, self._path.n_frames)

    def _render_image(self) -> None:
        self._choose_file(".png", KeyframePath().with_keyframe(self._viewport.controller.camera), 1)

    def _choose_file(self, suffix: str, path: KeyframePath, n_frames: int) -> None:
        width, height = SIZES[dpg.get_value("video_size")]
        mode, levels = self._viewport.display_mode
        if mode in MESH_MODES or mode not in RENDERED_MODES:
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

        self._host.pick_path("save", str(Path.home() / f"{self._name}{suffix}"), write)

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        self._state, n = state, len(self._path.keyframes)
        nothing = "" if state.opened is not None else tr("why.nothing_open")
        few = "" if n > 1 else tr("why.few_keyframes")
        dpg.set_value("keyframe_count", tr("video.keyframes", n))
        set_enabled("add_keyframe", nothing)
        set_enabled("remove_keyframe", "" if n else tr("why.no_keyframe"))
        set_enabled("video_play", nothing or few)
        set_enabled("render_video", state.reason("write_video") or few)
        set_enabled("render_image", state.reason("write_video"))
