"""The window: `reduce` keeps its state, the panels draw it, the worker process does the work."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from pathlib import Path

import msgspec

from app import theme
from app.actions import WindowActions
from app.panels.layout import Layout
from app.platform import scaling
from app.platform.desktop import screen_scale, screen_size
from app.platform.frame_pacer import FramePacer
from app.platform.glfw import Glfw
from app.platform.gui import dpg
from app.platform.main_viewport import (
    create_main_viewport,
    main_viewport_size,
    show_main_viewport,
)
from app.state import AppEvent, AppState, MessagesDismissed, WorkerLost, reduce
from app.store.settings import Settings, load_settings, save_settings
from app.text import catalog
from app.text.catalog import tr
from app.ui_probe import UiProbe
from app.viewport.viewport import Viewport
from app.worker_client import WorkerClient
from core.base.cores import usable_cores
from core.base.interrupts import Interrupted
from core.base.text import verbatim
from core.engine import worker
from core.protocol import (
    Arrangement,
    Failure,
    MeshReady,
    Opened,
    PhotoReady,
    Picked,
    Thumbnails,
)

_log = logging.getLogger("gradina.window")
CLOSE_S = 2.0
"""The closed window waits this long for its worker to end."""
SAVE_S = 20.0
"""… or this long for one that has trained, which saves first."""
DRAG_REDRAW_S = 1.0
"""Seconds between drawings of the panels while the mouse turns the view."""


def run_window(
    path: Path | None, *, device: str = "auto", session: str = "core.session.session:Session"
) -> int:
    """Show the window until it is closed.

    Args:
        path: Opened at once.
        device: Where the worker computes: "auto", "cpu" or "cuda".
        session: Factory of the worker's session, "module:attribute".

    Returns:
        The exit status.

    Raises:
        UserError: There is no display.
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
    """Builds the widgets, and draws them frame by frame."""

    def __init__(self, device: str, session: str, screen: tuple[int, int] | None) -> None:
        self._settings = load_settings()
        catalog.set_language(self._settings.language)
        scaling.set_scale(self._settings.scale or screen_scale())
        theme.apply_theme(self._settings.theme, scaling.scale())
        dpg.configure_app(manual_callback_management=True)
        self._maximized = create_main_viewport(self._settings.window, screen)
        self._glfw: Glfw | None = None
        self._client = WorkerClient(session, device, self._wake)
        self._actions = WindowActions(self._client, self._apply)
        dpg.set_exit_callback(self._actions.projects.close_window)
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
            self._viewport = Viewport(self._actions.send, self._apply, self._wake)
            self._layout = Layout(
                self._actions,
                self._viewport,
                self._settings,
                lambda: self._apply(MessagesDismissed()),
                self._set_settings,
            )
        dpg.bind_item_theme("root", "root_theme")
        self._actions.bind(self._layout, self._viewport)
        self._probe = UiProbe()
        self._dropped: deque[str] = deque()
        self._pacer = FramePacer()
        self._drawn: AppState | None = None
        self._drawn_at = 0.0

    @property
    def _state(self) -> AppState:
        return self._actions.state

    def _set_settings(self, settings: Settings) -> None:
        before, self._settings = self._settings, settings
        save_settings(settings)
        if settings.theme != before.theme:
            self._viewport.restyle()

    def run(self, path: Path | None) -> None:
        """Show the window until it is closed; ``path`` is opened at once."""
        show_main_viewport(self._maximized)
        self._glfw = Glfw()
        self._glfw.on_drop(self._dropped.extend)
        self._client.start()
        self._layout.start.show_recents(self._actions.projects.recents)
        if path is not None:
            self._actions.open_path(str(path))
        else:
            self._actions.projects.offer_recovery()
        try:
            while dpg.is_dearpygui_running() and not self._actions.closing:
                self._frame(self._glfw)
        except Interrupted as stop:
            if self._state.unsaved:
                stop.add_note(tr("questions.at_next_start"))
            raise
        finally:
            self._save_layout()
            self._glfw = None
            self._actions.dialogs.close()
            self._probe.close()

    def _save_layout(self) -> None:
        save_settings(
            msgspec.structs.replace(
                self._settings,
                panel=self._layout.panel,
                folded=self._layout.folded,
                window=main_viewport_size(),
            )
        )

    def wait_for_worker(self) -> None:
        """Let the worker end, and save first if it has trained."""
        self._client.stop(SAVE_S if self._state.stats is not None else CLOSE_S)

    def _frame(self, glfw: Glfw) -> None:
        self._pacer.begin_frame()
        self._run_callbacks()
        for event in self._client.events():
            self._apply(event)
        self._actions.dialogs.poll()
        if self._dropped:
            self._actions.open_path(self._dropped.popleft())
            self._dropped.clear()
        self._layout.arrange(self._state)
        self._viewport.set_partial_poses(self._state.partial_poses)
        has_scene = self._state.opened is not None or self._state.partial_poses is not None
        self._viewport.update(enabled=has_scene)
        self._draw_panels()
        with self._pacer.measure_draw():
            dpg.render_dearpygui_frame()
        self._probe.write(self._state, self._viewport, self._pacer.frame_times, self._client.pid)
        self._pacer.wait_next_frame(glfw, self._viewport.animating, self._state.state == "training")

    def _draw_panels(self) -> None:
        """Draw the panels if the state is new; rarely during a drag, since it costs a frame."""
        now = time.perf_counter()
        due = self._drawn_at + (DRAG_REDRAW_S if self._viewport.dragging else 0.0)
        if self._state is not self._drawn and now >= due:
            self._drawn, self._drawn_at = self._state, now
            self._layout.draw_panels(self._state)
            self._pacer.request_frames()

    def _run_callbacks(self) -> None:
        try:
            dpg.run_callbacks(dpg.get_callback_queue())
        except Exception as error:  # a bug in a panel must not take the window away
            _log.exception("in a callback")
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            text = tr("failures.unexpected", what=what, log=worker.log_path())
            self._apply(Failure(verbatim(text)))

    def _apply(self, event: AppEvent) -> None:
        before = self._state
        state = self._actions.state = reduce(before, event)
        match event:
            case Opened():
                self._viewport.on_opened(event)
            case Arrangement():
                self._viewport.on_arranged(event)
            case MeshReady():
                self._viewport.load_mesh(event)
            case Picked():
                self._viewport.on_picked(event)
            case Thumbnails():
                self._viewport.add_thumbnails(event)
            case Failure(replaces=file) if file:
                self._actions.confirm_overwrite(file)
            case PhotoReady() if self._client.ring is not None:
                self._viewport.photo_overlay.load_photo(event, self._client.ring)
            case _:
                self._follow_state(before, state)
        self._actions.projects.on_event(event)
        self._layout.start.show_recents(self._actions.projects.recents)
        self._layout.on_event(event, before, state)
        ring = self._client.ring
        if isinstance(event, WorkerLost) or ring is None:
            return
        if state.preview is not before.preview and state.preview:
            self._viewport.load_preview(state.preview, ring)

    def _follow_state(self, before: AppState, state: AppState) -> None:
        """Clear the viewport where the scene or its model is gone; show a new model."""
        if state.opened is None and before.opened is not None:
            self._viewport.clear(None)
        elif state.state == "ready" and before.state != "ready":
            self._viewport.clear(state.opened)
        elif state.state == "training" and before.state != "training":
            self._viewport.on_training_started()

    def _wake(self) -> None:
        glfw = self._glfw  # called from another thread while the window may be closing
        if glfw is not None:
            glfw.wake()
