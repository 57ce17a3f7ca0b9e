"""Where things stand: messages and viewport on the left, one side panel, the status below."""

from __future__ import annotations

from collections.abc import Callable

from app import theme
from app.keys import toggle_help
from app.panels.film import FilmPanel
from app.panels.log import LogPanel
from app.panels.mesh import MeshPanel
from app.panels.options import OptionsPanel
from app.panels.photos import PhotosPanel, caption
from app.panels.poses import PosesPanel
from app.panels.scene import ScenePanel
from app.panels.sentence import SentencePanel
from app.panels.source import MessageBar, SourcePanel
from app.panels.stage import StagePanel
from app.panels.start import StartPage
from app.panels.toolbar import Toolbar
from app.panels.training import TrainingPanel
from app.panels.view import ViewPanel
from app.platform.gui import dpg
from app.platform.scaling import px, rescale, scale
from app.state import AppState, Dismissed
from app.store.settings import Settings
from app.text.catalog import say, words
from app.text.status import status_line
from app.viewport.viewport import Viewport
from app.widgets.toasts import Toasts
from app.widgets.widgets import Host, bar_height, button, dress, reveal
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

SECTIONS = ("source", "scene", "training", "view", "stage", "film", "mesh")
WIDEST = 0.5
"""Of the window, for the side panel."""


class Layout:
    """Builds all widgets inside the window "root", around the viewport made before it."""

    def __init__(
        self,
        host: Host,
        viewport: Viewport,
        settings: Settings,
        dismiss: Callable[[], None],
        changed: Callable[[Settings], None],
    ) -> None:
        self._host = host
        self._viewport = viewport
        self.messages = MessageBar(host, dismiss)
        with dpg.child_window(tag="side", width=theme.PANEL_WIDTH, always_use_window_padding=True):
            self.source = SourcePanel(host, lambda: self.poses.toggle())
            self.scene = ScenePanel(host, viewport)
            self.training = TrainingPanel(host)
            self.view = ViewPanel(
                self._look,
                viewport.looking.reset,
                compare=viewport.over.toggle,
                album=lambda: self.photos.toggle(),
            )
            self.stage = StagePanel(viewport)
            self.film = FilmPanel(host, viewport)
            self.mesh = MeshPanel(host, lambda: self.view.levels, self._look)
        with dpg.child_window(tag="finish", no_scrollbar=True, always_use_window_padding=True):
            dpg.move_item("export", parent="finish")  # stays in reach whatever is unfolded
        self.poses = PosesPanel(host, viewport.looking.through)
        self.photos = PhotosPanel(host, viewport.looking.through)
        self.sentence = SentencePanel(host)
        self.log = LogPanel()
        self.options = OptionsPanel(settings, changed)
        self.toolbar = Toolbar(host, self.log.toggle, self.options.toggle)
        self.start = StartPage(host)
        self.toasts = Toasts()
        self._build_status()
        dpg.add_button(tag="splitter", width=theme.GAP, label="")
        dpg.bind_item_theme("splitter", "handle")
        for tag in ("side", "finish", "status_bar"):
            dpg.bind_item_theme(tag, "padded")
        self._arranged: tuple[object, ...] = ()
        self._panel = settings.panel
        for tag in SECTIONS:
            dpg.set_value(tag, tag not in settings.folded)
        dress()
        rescale(
            "side",
            "message_bar",
            "status_bar",
            "toolbar",
            "hint",
            "log",
            "settings",
            "doctor",
            "album",
            "imagine",
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
                    button("cancel", self._cancel, width=80, show=False)
                    button("keys", toggle_help, width=94)

    def _cancel(self) -> None:
        self._host.send(Cancel())

    def _look(self) -> None:
        view = self.view
        self.mesh.refresh()
        self._viewport.set_look(view.mode, view.levels, view.duty_cycle, view.cut, self.mesh.look)
        self.stage.tell(self.mesh.live)

    @property
    def panel(self) -> int:
        """Width of the side panel, before scaling."""
        return self._panel

    @property
    def folded(self) -> tuple[str, ...]:
        """Sections of it that are folded."""
        return tuple(tag for tag in SECTIONS if not dpg.get_value(tag))

    def arrange(self, state: AppState) -> None:
        """Fit everything into the window; cheap when nothing changed."""
        self.stage.update()
        self.film.update()
        gap = theme.GAP
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        self._follow_splitter(width)
        panel = max(min(px(self._panel), round(WIDEST * width)), px(theme.PANEL_WIDTH))
        left = width - panel - 3 * gap
        bar = status = bar_height()
        self.toasts.draw(gap + left, height - gap - status)
        arranged = (
            width,
            height,
            panel,
            state.failure,
            state.offer,
            state.photos_of,
            self.start.recents,
        )
        if arranged == self._arranged:
            return
        self._arranged = arranged
        top = self.messages.draw(state, left)
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
        self.start.place(gap, y, left, view_height)

    def _follow_splitter(self, width: int) -> None:
        if dpg.is_item_active("splitter"):
            x, _ = dpg.get_mouse_pos(local=False)
            wanted = round((width - x - 1.5 * theme.GAP) / scale())
            self._panel = max(wanted, theme.PANEL_WIDTH)

    def heard(self, event: object, before: AppState, state: AppState) -> None:
        """Tell of ``event``, which made ``state`` of the state ``before``, in passing."""
        texts: tuple[str, ...] = ()
        match event:
            case Opened():
                texts = tuple(map(words, event.notices))
                self.film.opened(event)
            case InputDetected():
                texts = ("\n".join(map(words, event.lines)),)
            case Arrangement():
                self.film.arranged(event)
            case Notice():
                texts = (words(event.text),)
            case Exported():
                texts = (say("told.mesh", path=event.path), *map(words, event.notes))
            case VideoWritten(n_frames=n):
                texts = (say("told.film" if n > 1 else "told.picture", path=event.path),)
            case Saved(automatic=False):
                texts = (say("told.saved", path=event.path),)
            case Saved():
                self.log.add(say("told.autosaved", path=event.path))
            case Dismissed():
                self.toasts.clear()
        for text in texts:
            self.toasts.say(text)
            self.log.add(text)
        if state.failure and state.failure != before.failure:
            self.log.add(state.failure)
        if state.state != before.state:
            self.log.add(status_line(state))

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        for panel in (
            self.toolbar,
            self.source,
            self.poses,
            self.scene,
            self.training,
            self.view,
            self.film,
            self.mesh,
        ):
            panel.draw(state)
        self.photos.draw(state, self._viewport.thumbnails.pictures)
        self._viewport.over.caption = lambda name: caption(state, name)
        self._look()
        dpg.set_value("status", status_line(state))
        task = state.task
        dpg.configure_item("task_progress", show=task is not None)
        reveal("cancel", state.may("cancel"))
        if task is not None:
            dpg.set_value("task_progress", task.fraction)
            dpg.configure_item("task_progress", overlay=f"{100 * task.fraction:.0f}%")
        self.start.show(state.opened is None and task is None)
