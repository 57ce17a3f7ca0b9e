"""The window: `reduce` keeps what is known, the panels draw it, the worker does the work."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from app import theme
from app.keys import bind_keys, shift_held
from app.panels.layout import Layout
from app.platform import scaling
from app.platform.dialogs import DialogPurpose, FileDialogs, InputKind
from app.platform.frame_pacer import FramePacer
from app.platform.glfw import Glfw
from app.platform.gui import dpg
from app.platform.scaling import px
from app.platform.screen import screen_scale, screen_size
from app.projects import ProjectActions
from app.state import AppState, MessagesDismissed, OpenRequested, WorkerLost, reduce
from app.store.settings import Settings, load_settings, save_settings
from app.text import catalog
from app.text.catalog import tr
from app.text.status import short_path
from app.ui_probe import UiProbe
from app.viewport.viewport import Viewport
from app.widgets.question import ask_question
from app.worker_client import WorkerClient
from core.base.cores import usable_cores
from core.base.interrupts import Interrupted
from core.base.text import verbatim
from core.config.run import OpenOptions
from core.engine import worker
from core.protocol import (
    Action,
    Arrangement,
    Command,
    Export,
    Failure,
    MeshReady,
    Open,
    Opened,
    Pause,
    PhotoReady,
    Picked,
    Redo,
    Thumbnails,
    Undo,
    WriteVideo,
)

_log = logging.getLogger("gradina.window")
TITLE = "Gradina"
SIZE = (1440, 900)
TITLE_BAR = 40
"""Pixels that the desktop may add above the window."""
CLOSE_S = 2.0
SAVE_S = 20.0
"""a worker that has trained saves before it ends; the closed window waits this long at most"""
DRAG_REDRAW_S = 1.0
"""between drawings of the panels while the mouse turns the view"""


def run_window(
    path: Path | None, *, device: str = "auto", session: str = "core.session.session:Session"
) -> int:
    """Show the window until it is closed; returns the exit code. ``path`` is opened at once.

    Raises UserError when there is no display to show it on.
    """
    screen = screen_size(path)
    # Mesa draws with as many threads as there are cores; they would wait for those that train
    os.environ.setdefault("LP_NUM_THREADS", str(max(usable_cores() // 2 - 1, 0)))
    worker.start_log()
    dpg.create_context()
    window = None
    try:
        window = _Window(device, session, screen)
        window.run(path)
    finally:
        dpg.destroy_context()
        if window is not None:
            window.wait_for_worker()  # it may have to save, but nobody has to look at that
    return 0


class _Window:
    """Implements `Host` for the panels."""

    def __init__(self, device: str, session: str, screen: tuple[int, int] | None) -> None:
        self.state = AppState()
        self._settings = load_settings()
        catalog.set_language(self._settings.language)
        scaling.set_scale(self._settings.scale or screen_scale())
        theme.apply_theme(self._settings.theme, scaling.scale())
        dpg.configure_app(manual_callback_management=True)
        wanted = self._settings.window or (px(SIZE[0]), px(SIZE[1]))
        width, height = (min(want, have) for want, have in zip(wanted, screen or wanted))
        roomy = screen or (wanted[0], wanted[1] + px(TITLE_BAR))
        self._fills_screen = wanted[0] > roomy[0] or wanted[1] + px(TITLE_BAR) > roomy[1]
        x, y = ((have - got) // 2 for have, got in zip(screen or SIZE, (width, height)))
        dpg.create_viewport(
            title=TITLE,
            width=width,
            height=height,
            x_pos=x,
            y_pos=y,
            min_width=900,
            min_height=560,
            vsync=False,
            disable_close=True,
        )
        dpg.set_exit_callback(lambda: self._projects.close_window())
        dpg.set_viewport_clear_color(list(theme.PANEL))
        dpg.setup_dearpygui()
        self._glfw: Glfw | None = None
        self._client = WorkerClient(session, device, self._wake)
        self._dialogs = FileDialogs()
        # Not a "primary" window: that one paints a background, and software GL pays per layer.
        with dpg.window(
            tag="root",
            no_background=True,
            no_title_bar=True,
            no_move=True,
            no_resize=True,
            no_scrollbar=True,
            no_scroll_with_mouse=True,
            no_bring_to_front_on_focus=True,
            pos=(0, 0),
        ):
            self._viewport = Viewport(self.send, self._apply, self._wake)
            self._layout = Layout(
                self,
                self._viewport,
                self._settings,
                lambda: self._apply(MessagesDismissed()),
                self._set_settings,
            )
        dpg.bind_item_theme("root", "root_theme")
        bind_keys(
            {
                "reset_view": self._viewport.controller.reset_view,
                "frame": self._viewport.controller.frame_scene,
                "side": self._viewport.controller.look_from_side,
                "projection": self._viewport.controller.toggle_projection,
                "photo": self._viewport.controller.step_photo,
                "compare": self._viewport.photo_overlay.toggle_compare,
                "error": self._layout.view.toggle_error,
                "photo_list": self._layout.photo_list.toggle_window,
                "add_keyframe": self._layout.video.add_keyframe,
                "region": self._toggle_region,
                "cancel_picking": self._layout.scene.cancel_picking,
                "train_or_pause": self._train_or_pause,
                "mode": self._layout.view.set_mode,
                "new": self.new_scene,
                "open": lambda: self.browse_input("folder"),
                "save": lambda: self.save_project_as() if shift_held() else self.save_project(),
                "undo": lambda: self._send_if_allowed("undo", Undo()),
                "redo": lambda: self._send_if_allowed("redo", Redo()),
            }
        )
        self._projects = ProjectActions(self)
        self._last_export: Export | WriteVideo | None = None
        self._closing = False
        self._probe = UiProbe()
        self._dropped: deque[str] = deque()
        self._pacer = FramePacer()
        self._drawn: AppState | None = None
        self._drawn_at = 0.0

    # --- what the panels ask -----------------------------------------------------------

    def send(self, command: Command) -> None:
        """Hand ``command`` to the worker."""
        if isinstance(command, Export | WriteVideo):
            self._last_export = command
        if self.state.engine != "lost" or isinstance(command, Open):
            self._client.send(command)

    def _confirm_overwrite(self, file: str) -> None:
        """What is to be written would take the place of a person's own ``file``."""
        command = self._last_export
        if command is None:
            return
        ask_question(
            tr("questions.replace"),
            tr("questions.replace_text", file=short_path(file)),
            [
                (
                    tr("questions.replace_yes"),
                    "question_replace",
                    lambda: self.send(msgspec.structs.replace(command, force=True)),
                ),
                (tr("questions.cancel"), "question_cancel", lambda: None),
            ],
        )

    def open_path(self, path: str, group: int = 0, photos: str = "") -> None:
        """Open whatever lies at ``path``; ``group`` and ``photos`` as in `OpenOptions`."""
        cleaned = path.strip().strip("\"'").encode(errors="replace").decode()
        if not cleaned:
            self._apply(Failure(verbatim(tr("failures.no_path"))))
            return
        cleaned = str(Path(cleaned).expanduser().absolute())
        self._apply(OpenRequested(cleaned))
        dpg.set_value("path", short_path(cleaned))
        self.send(
            Open(
                cleaned,
                OpenOptions(
                    self._layout.source.recursive,
                    self._layout.poses.quality,
                    group,
                    self._layout.poses.video_frames,
                    photos,
                ),
            )
        )

    def pick_path(self, purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
        """Let the person choose a path."""
        self._dialogs.show_dialog(purpose, start, then)

    def browse_input(self, what: InputKind) -> None:
        """Let the person choose what to open."""
        if what == "prompt":
            self._layout.prompt.show_window()
        else:
            self._projects.browse_input(what)

    def new_scene(self) -> None:
        self._projects.new_scene()

    def save_project(self) -> None:
        self._projects.save_project()

    def save_project_as(self) -> None:
        self._projects.save_project_as()

    def locate_photos(self) -> None:
        """Let the person choose where the photos of a project are now."""
        self._projects.locate_photos()

    def quit(self) -> None:
        """End, whatever is unsaved."""
        self._closing = True

    def _set_settings(self, settings: Settings) -> None:
        before, self._settings = self._settings, settings
        save_settings(settings)
        if settings.theme != before.theme:
            self._viewport.restyle()

    def _send_if_allowed(self, action: Action, command: Command) -> None:
        if self.state.may(action):
            self.send(command)

    def _toggle_region(self) -> None:
        self._viewport.show_region(not self._viewport.overlay.region.shown)
        self._layout.scene.draw_panel(self.state)

    def _train_or_pause(self) -> None:
        if self.state.may("pause"):
            self.send(Pause())
        elif self.state.may("start") or self.state.may("resume"):
            self._layout.training.start()

    # --- the loop ----------------------------------------------------------------------

    def run(self, path: Path | None) -> None:
        """Show the window until it is closed."""
        dpg.show_viewport()
        if self._fills_screen:
            dpg.maximize_viewport()
        dpg.render_dearpygui_frame()
        self._glfw = Glfw()
        self._glfw.on_drop(self._dropped.extend)
        self._client.start()
        self._layout.start.show_recents(self._projects.recents)
        if path is not None:
            self.open_path(str(path))
        else:
            self._projects.offer_recovery()
        try:
            while dpg.is_dearpygui_running() and not self._closing:
                self._frame()
        except Interrupted as stop:
            if self.state.unsaved:
                stop.add_note(tr("questions.at_next_start"))
            raise
        finally:
            self._save_layout()
            self._glfw = None
            self._dialogs.close()
            self._probe.close()

    def _save_layout(self) -> None:
        save_settings(
            msgspec.structs.replace(
                self._settings,
                panel=self._layout.panel,
                folded=self._layout.folded,
                window=(dpg.get_viewport_width(), dpg.get_viewport_height()),
            )
        )

    def wait_for_worker(self) -> None:
        """Let the worker end, and save first if it has trained."""
        self._client.stop(SAVE_S if self.state.stats is not None else CLOSE_S)

    def _frame(self) -> None:
        self._pacer.begin_frame()
        self._run_callbacks()
        for event in self._client.events():
            self._apply(event)
        self._dialogs.poll()
        if self._dropped:
            self.open_path(self._dropped.popleft())
            self._dropped.clear()
        self._layout.arrange(self.state)
        self._viewport.set_partial_poses(self.state.partial_poses)
        something = self.state.opened is not None or self.state.partial_poses is not None
        self._viewport.update(enabled=something)
        self._draw_panels()
        with self._pacer.measure_draw():
            dpg.render_dearpygui_frame()
        self._probe.write(self.state, self._viewport, self._pacer.frame_times, self._client.pid)
        assert self._glfw is not None
        self._pacer.wait_next_frame(
            self._glfw, self._viewport.animating, self.state.state == "training"
        )

    def _draw_panels(self) -> None:
        """As the state is now; while the mouse turns the view seldom, since it takes as long as a
        frame."""
        now = time.perf_counter()
        late = self._drawn_at + (DRAG_REDRAW_S if self._viewport.dragging else 0.0)
        if self.state is not self._drawn and now >= late:
            self._drawn, self._drawn_at = self.state, now
            self._layout.draw_panels(self.state)
            self._pacer.request_frames()

    def _run_callbacks(self) -> None:
        try:
            dpg.run_callbacks(dpg.get_callback_queue())
        except Exception as error:  # a bug in a panel must not take the window away
            _log.exception("in a callback")
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            text = tr("failures.unexpected", what=what, log=worker.log_path())
            self._apply(Failure(verbatim(text)))

    def _apply(self, event: object) -> None:
        before, self.state = self.state, reduce(self.state, event)  # type: ignore[arg-type]
        if isinstance(event, Opened):
            self._viewport.on_opened(event)
        elif isinstance(event, Arrangement):
            self._viewport.on_arranged(event)
        elif isinstance(event, MeshReady):
            self._viewport.load_mesh(event)
        elif isinstance(event, Picked):
            self._viewport.on_picked(event)
        elif isinstance(event, Thumbnails):
            self._viewport.add_thumbnails(event)
        elif isinstance(event, Failure) and event.replaces:
            self._confirm_overwrite(event.replaces)
        elif isinstance(event, PhotoReady) and self._client.ring is not None:
            self._viewport.photo_overlay.load_photo(event, self._client.ring)
        elif self.state.opened is None and before.opened is not None:
            self._viewport.clear(None)
        elif self.state.state == "ready" and before.state != "ready":
            self._viewport.clear(self.state.opened)
        elif self.state.state == "training" and before.state != "training":
            self._viewport.on_training_started()
        self._projects.on_event(event)
        self._layout.start.show_recents(self._projects.recents)
        self._layout.on_event(event, before, self.state)
        if isinstance(event, WorkerLost):
            return
        ring = self._client.ring
        if self.state.preview is not before.preview and self.state.preview and ring is not None:
            self._viewport.load_preview(self.state.preview, ring)

    def _wake(self) -> None:
        glfw = self._glfw  # called from another thread while the window may be closing
        if glfw is not None:
            glfw.wake()
