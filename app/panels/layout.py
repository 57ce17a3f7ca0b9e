"""Places everything: toolbar, messages, viewport and status line left, side panel right."""

from __future__ import annotations

from collections.abc import Callable

from app import theme
from app.keys import toggle_shortcut_list
from app.panels.log import LogPanel
from app.panels.mesh import MeshPanel
from app.panels.overlays import OverlaysPanel
from app.panels.photo_list import PhotoListPanel, photo_caption
from app.panels.poses import PosesPanel
from app.panels.prompt import PromptPanel
from app.panels.scene import ScenePanel
from app.panels.settings import SettingsPanel
from app.panels.source import MessageBar, SourcePanel
from app.panels.start_page import StartPage
from app.panels.toolbar import Toolbar
from app.panels.training import TrainingPanel
from app.panels.video import VideoPanel
from app.panels.view import ViewPanel
from app.platform.gui import dpg
from app.platform.scaling import px, rescale, scale
from app.state import AppState, MessagesDismissed
from app.store.settings import Settings
from app.text.catalog import localize, tr
from app.text.status import status_line
from app.viewport.viewport import Viewport
from app.widgets.toasts import Toasts
from app.widgets.widgets import Host, add_button, apply_texts, bar_height, set_shown
from core.protocol import (
    Arrangement,
    Cancel,
    Exported,
    InputDetected,
    Notice,
    Opened,
    Saved,
    VideoWritten,
)

SECTIONS = ("source", "scene", "training", "view", "overlays", "video", "mesh")
"""Tags of the sections of the side panel."""
MAX_PANEL_FRACTION = 0.5
"""Maximum width of the side panel as a fraction of the window's."""


class Layout:
    """All widgets inside the window "root", around the viewport."""

    def __init__(
        self,
        host: Host,
        viewport: Viewport,
        settings: Settings,
        dismiss: Callable[[], None],
        changed: Callable[[Settings], None],
    ) -> None:
        """Build all panels.

        Args:
            host: What panels may ask for.
            viewport: Built before.
            settings: Of the window.
            dismiss: Called to hide the message.
            changed: Gets settings that were changed.
        """
        self._host = host
        self._viewport = viewport
        self.messages = MessageBar(host, dismiss)
        with dpg.child_window(tag="side", width=theme.PANEL_WIDTH, always_use_window_padding=True):
            self.source = SourcePanel(host, lambda: self.poses.toggle_window())
            self.scene = ScenePanel(host, viewport)
            self.training = TrainingPanel(host)
            self.view = ViewPanel(
                self._update_display,
                viewport.controller.reset_view,
                compare=viewport.photo_overlay.toggle_compare,
                show_photo_list=lambda: self.photo_list.toggle_window(),
            )
            self.overlays = OverlaysPanel(viewport)
            self.video = VideoPanel(host, viewport)
            self.mesh = MeshPanel(host, lambda: self.view.levels, self._update_display)
        with dpg.child_window(tag="finish", no_scrollbar=True, always_use_window_padding=True):
            dpg.move_item("export", parent="finish")  # stays in reach whatever is unfolded
        self.poses = PosesPanel(host, viewport.controller.look_through)
        self.photo_list = PhotoListPanel(host, viewport.controller.look_through)
        self.prompt = PromptPanel(host)
        self.log = LogPanel()
        self.settings = SettingsPanel(settings, changed)
        self.toolbar = Toolbar(host, self.log.toggle_window, self.settings.toggle_window)
        self.start = StartPage(host)
        self.toasts = Toasts()
        self._build_status()
        dpg.add_button(tag="splitter", width=theme.GAP, label="")
        dpg.bind_item_theme("splitter", "handle")
        for tag in ("side", "finish", "status_bar"):
            dpg.bind_item_theme(tag, "padded")
        self._laid_out: tuple[object, ...] = ()
        self._panel = settings.panel
        for tag in SECTIONS:
            dpg.set_value(tag, tag not in settings.folded)
        apply_texts()
        rescale(
            "side",
            "message_bar",
            "status_bar",
            "toolbar",
            "start_page",
            "log",
            "settings",
            "poses",
            "photo_list",
            "prompt_window",
        )

    def _build_status(self) -> None:
        with (
            dpg.child_window(
                tag="status_bar",
                no_scrollbar=True,
                always_use_window_padding=True,
            ),
            dpg.table(header_row=False),
        ):
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True)
            with dpg.table_row():
                dpg.add_text("", tag="status")
                with dpg.group(horizontal=True):
                    dpg.add_progress_bar(tag="task_progress", width=180, show=False)
                    add_button("cancel", self._cancel, width=80, show=False)
                    add_button("shortcuts", toggle_shortcut_list, width=94)

    def _cancel(self) -> None:
        self._host.send(Cancel())

    def _update_display(self) -> None:
        view = self.view
        self.mesh.refresh()
        self._viewport.set_display(
            view.mode, view.levels, view.duty_cycle, view.scene_slice, self.mesh.preview_options
        )
        self.overlays.set_mesh_text(self.mesh.preview_text)

    @property
    def panel(self) -> int:
        """Width of the side panel, pixels before scaling."""
        return self._panel

    @property
    def folded(self) -> tuple[str, ...]:
        """Tags of the sections that are folded."""
        return tuple(tag for tag in SECTIONS if not dpg.get_value(tag))

    def arrange(self, state: AppState) -> None:
        """Fit everything into the window; cheap when nothing changed."""
        self.overlays.sync()
        self.video.advance_playback()
        gap = theme.GAP
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        self._follow_splitter(width)
        panel = max(min(px(self._panel), round(MAX_PANEL_FRACTION * width)), px(theme.PANEL_WIDTH))
        left = width - panel - 3 * gap
        bar = status = bar_height()
        self.toasts.draw_toasts(gap + left, height - gap - status)
        layout_key = (
            width,
            height,
            panel,
            state.failure,
            state.resume_path,
            state.project_without_photos,
            self.start.recents,
        )
        if layout_key == self._laid_out:
            return
        self._laid_out = layout_key
        top = self.messages.draw_message(state, left)
        below = height - 2 * gap
        y = 2 * gap + bar + (top + gap if top else 0)
        view_height = below - y - status
        dpg.configure_item("root", width=width, height=height)
        dpg.configure_item("toolbar", pos=(gap, gap))
        self.toolbar.resize(left)
        dpg.configure_item("message_bar", pos=(gap, 2 * gap + bar))
        dpg.configure_item("viewport", pos=(gap, y), width=left, height=view_height)
        self._viewport.resize(left, view_height)
        dpg.configure_item("status_bar", pos=(gap, below + gap - status), width=left, height=status)
        dpg.configure_item("splitter", pos=(gap + left, gap), height=below)
        side = left + 2 * gap
        dpg.configure_item("side", pos=(side, gap), width=panel, height=below - status - gap)
        dpg.configure_item("finish", pos=(side, below + gap - status), width=panel, height=status)
        self.start.place_page(gap, y, left, view_height)

    def _follow_splitter(self, width: int) -> None:
        if dpg.is_item_active("splitter"):
            x, _ = dpg.get_mouse_pos(local=False)
            wanted = round((width - x - 1.5 * theme.GAP) / scale())
            self._panel = max(wanted, theme.PANEL_WIDTH)

    def on_event(self, event: object, before: AppState, state: AppState) -> None:
        """Show ``event``, which changed the state from ``before``, as a toast and in the log."""
        texts: tuple[str, ...] = ()
        match event:
            case Opened():
                texts = tuple(map(localize, event.notices))
                self.video.on_opened(event)
            case InputDetected():
                texts = ("\n".join(map(localize, event.lines)),)
            case Arrangement():
                self.video.on_arranged(event)
            case Notice():
                texts = (localize(event.text),)
            case Exported():
                texts = (tr("messages.mesh", path=event.path), *map(localize, event.notes))
            case VideoWritten(n_frames=n):
                texts = (tr("messages.video" if n > 1 else "messages.image", path=event.path),)
            case Saved(automatic=False):
                texts = (tr("messages.saved", path=event.path),)
            case Saved():
                self.log.add(tr("messages.autosaved", path=event.path))
            case MessagesDismissed():
                self.toasts.clear()
            case _:
                pass
        for text in texts:
            self.toasts.add(text)
            self.log.add(text)
        if state.failure and state.failure != before.failure:
            self.log.add(state.failure)
        if state.state != before.state:
            self.log.add(status_line(state))

    def draw_panels(self, state: AppState) -> None:
        """Show ``state`` in all panels."""
        for panel in (
            self.toolbar,
            self.source,
            self.poses,
            self.scene,
            self.training,
            self.view,
            self.video,
            self.mesh,
        ):
            panel.draw_panel(state)
        self.photo_list.draw_panel(state, self._viewport.thumbnails.images)
        self._viewport.photo_overlay.photo_caption = lambda name: photo_caption(state, name)
        self._update_display()
        dpg.set_value("status", status_line(state))
        task = state.task
        dpg.configure_item("task_progress", show=task is not None)
        set_shown("cancel", state.may("cancel"))
        if task is not None:
            dpg.set_value("task_progress", task.fraction)
            dpg.configure_item("task_progress", overlay=f"{100 * task.fraction:.0f}%")
        self.start.show_page(state.opened is None and task is None)
