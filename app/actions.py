"""What panels, keys and dialogs can ask of the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from app.keys import bind_keys, shift_held
from app.panels.layout import Layout
from app.platform.dialogs import DialogPurpose, FileDialogs, InputKind
from app.platform.gui import dpg
from app.projects import ProjectActions
from app.state import AppEvent, AppState, OpenRequested
from app.text.catalog import tr
from app.text.status import short_path
from app.viewport.viewport import Viewport
from app.widgets.question import ask_question
from app.worker_client import WorkerClient
from core.base.text import verbatim
from core.config.opening import OpenOptions
from core.protocol import (
    Action,
    Command,
    Export,
    Failure,
    Open,
    Pause,
    Redo,
    Undo,
    WriteVideo,
)


class WindowActions:
    """Sends commands, opens paths and dialogs. Implements `Host` and `ProjectHost`."""

    def __init__(self, client: WorkerClient, apply_event: Callable[[AppEvent], None]) -> None:
        """Create the actions of a window.

        Args:
            client: Takes the commands.
            apply_event: Gets the events of the window itself.
        """
        self.state = AppState()
        """What the window knows."""
        self.dialogs = FileDialogs()
        self.projects = ProjectActions(self)
        self.closing = False
        """Whether the window is to end."""
        self._client, self._apply_event = client, apply_event
        self._last_export: Export | WriteVideo | None = None
        self._layout: Layout | None = None

    def bind(self, layout: Layout, viewport: Viewport) -> None:
        """Bind the keys to what the panels and the viewport do."""
        self._layout = layout

        def toggle_region() -> None:
            viewport.show_region(not viewport.overlay.region.shown)
            layout.scene.draw_panel(self.state)

        def train_or_pause() -> None:
            if self.state.may("pause"):
                self.send(Pause())
            elif self.state.may("start") or self.state.may("resume"):
                layout.training.start()

        bind_keys(
            {
                "reset_view": viewport.controller.reset_view,
                "frame": viewport.controller.frame_scene,
                "side": viewport.controller.look_from_side,
                "projection": viewport.controller.toggle_projection,
                "photo": viewport.controller.step_photo,
                "compare": viewport.photo_overlay.toggle_compare,
                "error": layout.view.toggle_error,
                "photo_list": layout.photo_list.toggle_window,
                "add_keyframe": layout.video.add_keyframe,
                "region": toggle_region,
                "cancel_picking": layout.scene.cancel_picking,
                "train_or_pause": train_or_pause,
                "mode": layout.view.set_mode,
                "new": self.new_scene,
                "open": lambda: self.browse_input("folder"),
                "save": lambda: self.save_project_as() if shift_held() else self.save_project(),
                "undo": lambda: self._send_if_allowed("undo", Undo()),
                "redo": lambda: self._send_if_allowed("redo", Redo()),
            }
        )

    def send(self, command: Command) -> None:
        """Hand ``command`` to the worker; a lost worker is only restarted to open something."""
        if isinstance(command, Export | WriteVideo):
            self._last_export = command
        if self.state.engine != "lost" or isinstance(command, Open):
            self._client.send(command)

    def _send_if_allowed(self, action: Action, command: Command) -> None:
        if self.state.may(action):
            self.send(command)

    def confirm_overwrite(self, file: str) -> None:
        """Ask whether the last export may replace ``file``, which Gradina did not write."""
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
        """Open a capture, a video, a project or a text prompt.

        Args:
            path: As typed, chosen or dropped.
            group: Number of the group of photos to use.
            photos: Folder of a project's photos; "" where the project says.
        """
        assert self._layout is not None
        cleaned = path.strip().strip("\"'").encode(errors="replace").decode()
        if not cleaned:
            self._apply_event(Failure(verbatim(tr("failures.no_path"))))
            return
        cleaned = str(Path(cleaned).expanduser().absolute())
        self._apply_event(OpenRequested(cleaned))
        dpg.set_value("path", short_path(cleaned))
        source, poses = self._layout.source, self._layout.poses
        options = OpenOptions(source.recursive, poses.quality, group, poses.video_frames, photos)
        self.send(Open(cleaned, options))

    def pick_path(self, purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
        """Show a file dialog; ``then`` gets the path unless it is cancelled."""
        self.dialogs.show_dialog(purpose, start, then)

    def browse_input(self, what: InputKind) -> None:
        """Show the dialog to choose what to open."""
        if what == "prompt":
            assert self._layout is not None
            self._layout.prompt.show_window()
        else:
            self.projects.browse_input(what)

    def new_scene(self) -> None:
        """Close the scene."""
        self.projects.new_scene()

    def save_project(self) -> None:
        """Save the project to its folder."""
        self.projects.save_project()

    def save_project_as(self) -> None:
        """Choose a folder and save the project there."""
        self.projects.save_project_as()

    def locate_photos(self) -> None:
        """Choose where the photos of a project are now, and open it again."""
        self.projects.locate_photos()

    def quit(self) -> None:
        """End the window, whatever is unsaved."""
        self.closing = True
