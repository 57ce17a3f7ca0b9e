"""Where things stand: messages and viewport on the left, one side panel, the status below."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from app import theme
from app.gui import dpg
from app.keys import toggle_help
from app.panels.mesh import MeshPanel, ProjectPanel
from app.panels.poses import PosesPanel
from app.panels.scene import ScenePanel
from app.panels.source import MessageBar, SourcePanel
from app.panels.training import TrainingPanel
from app.panels.view import ViewPanel
from app.panels.widgets import Host, button
from app.state import AppState
from app.status import status_line
from app.viewport import Viewport
from core.messages import Cancel

STATUS_HEIGHT = 46
HINT_SIZE = (520, 146)
SAMPLE = files("assets") / "sample"


class Layout:
    """Builds all widgets inside the window "root", around the viewport made before it."""

    def __init__(self, host: Host, viewport: Viewport, dismiss: Callable[[], None]) -> None:
        self._host = host
        self._viewport = viewport
        self.messages = MessageBar(host, dismiss)
        with dpg.child_window(tag="side", width=theme.PANEL_WIDTH, always_use_window_padding=True):
            self.source = SourcePanel(host, lambda: self.poses.toggle())
            self.scene = ScenePanel(host, viewport)
            self.training = TrainingPanel(host)
            self.view = ViewPanel(self._look, viewport.reset)
            self.mesh = MeshPanel(host, lambda: self.view.levels)
            self.project = ProjectPanel(host)
        self.poses = PosesPanel(host, viewport.look_through)
        self._build_status()
        self._build_hint()
        for tag in ("side", "status_bar", "hint"):
            dpg.bind_item_theme(tag, "padded")
        self._arranged: tuple[object, ...] = ()

    def _build_status(self) -> None:
        with (
            dpg.child_window(
                tag="status_bar", height=STATUS_HEIGHT, no_scrollbar=True,
                always_use_window_padding=True,
            ),
            dpg.table(header_row=False),
        ):
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True)
            with dpg.table_row():
                dpg.add_text("", tag="status")
                with dpg.group(horizontal=True):
                    dpg.add_progress_bar(tag="task_progress", width=180, height=26, show=False)
                    button("Cancel", "cancel", self._cancel, width=80, show=False)
                    button("Keys", "keys", toggle_help, width=56)

    def _build_hint(self) -> None:
        with dpg.child_window(
            tag="hint", width=HINT_SIZE[0], height=HINT_SIZE[1], no_scrollbar=True,
            always_use_window_padding=True,
        ):
            dpg.add_text("Turn photos into a surface", tag="hint_title")
            dpg.add_text(
                "Drop a folder of photos here, or choose one: twenty or more sharp photos from "
                "all around, each overlapping the next.",
                color=theme.TEXT_DIM, wrap=HINT_SIZE[0] - 30,
            )
            dpg.add_spacer(height=4)
            with dpg.group(horizontal=True):
                button("Choose a folder…", "hint_browse", self._browse, width=170)
                if SAMPLE.is_dir():
                    button("Open the sample", "hint_sample", self._open_sample, width=150)
        dpg.bind_item_font("hint_title", "font_title")
        dpg.bind_item_theme("hint_browse", "primary")

    def _cancel(self) -> None:
        self._host.send(Cancel())

    def _browse(self) -> None:
        self._host.pick("folder", "", self._host.open)

    def _open_sample(self) -> None:
        self._host.open(str(SAMPLE))

    def _look(self) -> None:
        self._viewport.set_look(self.view.mode, self.view.levels, self.view.share)

    def arrange(self, state: AppState) -> None:
        """Fit everything into the window; cheap when nothing changed."""
        gap = theme.GAP
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        left = width - theme.PANEL_WIDTH - 3 * gap
        arranged = (width, height, state.failure, state.notices, state.offer)
        if arranged == self._arranged:
            return
        self._arranged = arranged
        top = self.messages.draw(state, left)
        below = height - 2 * gap
        y = gap + (top + gap if top else 0)
        view_height = below - y - STATUS_HEIGHT
        dpg.configure_item("root", width=width, height=height)
        dpg.configure_item("message_bar", pos=(gap, gap))
        dpg.configure_item("viewport", pos=(gap, y), width=left, height=view_height)
        self._viewport.resize(left, view_height)
        dpg.configure_item("status_bar", pos=(gap, below + gap - STATUS_HEIGHT), width=left)
        dpg.configure_item("side", pos=(left + 2 * gap, gap), height=below)
        dpg.configure_item("hint", pos=(
            gap + (left - HINT_SIZE[0]) // 2, y + (view_height - HINT_SIZE[1]) // 2
        ))

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        for panel in (
            self.source, self.poses, self.scene, self.training, self.view, self.mesh, self.project,
        ):
            panel.draw(state)
        self._look()
        dpg.set_value("status", status_line(state))
        task = state.task
        dpg.configure_item("task_progress", show=task is not None)
        dpg.configure_item("cancel", show=state.may("cancel"))
        if task is not None:
            dpg.set_value("task_progress", task.fraction)
            dpg.configure_item("task_progress", overlay=f"{100 * task.fraction:.0f} %")
        dpg.configure_item("hint", show=state.opened is None and task is None)
