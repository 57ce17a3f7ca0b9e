"""New, open, save and close, and what is remembered of that from run to run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.platform.dialogs import DialogPurpose, InputKind
from app.state import AppState
from app.store.recent import add_recent, load_recents, make_recent, save_recents
from app.store.recovery import RecoveryMarker, UnsavedWork, find_unsaved_work
from app.text.catalog import tr
from app.text.status import unsaved_text
from app.widgets.question import ask_question
from core.protocol import Close, Command, Failure, Opened, Save, Saved


class ProjectHost(Protocol):
    """What projects need from the window."""

    state: AppState
    """What the window knows."""

    def send(self, command: Command) -> None:
        """Hand ``command`` to the worker."""

    def open_path(self, path: str, group: int = 0, photos: str = "") -> None:
        """Open what lies at ``path``."""

    def pick_path(self, purpose: DialogPurpose, start: str, then: Callable[[str], None]) -> None:
        """Show a file dialog; ``then`` gets the path."""

    def quit(self) -> None:
        """End the window."""


class ProjectActions:
    """Actions on projects, recent scenes, and recovery after a crash."""

    def __init__(self, window: ProjectHost) -> None:
        self._window = window
        self.recents = load_recents()
        self._marker = RecoveryMarker()
        self._after_save: Callable[[], None] | None = None

    # --- what a person asks ------------------------------------------------------------

    def browse_input(self, what: InputKind) -> None:
        """Show the dialog to choose what to open, and open that."""
        self._window.pick_path("file" if what == "video" else "folder", "", self._window.open_path)

    def new_scene(self) -> None:
        """Close the scene; asks first if something is unsaved."""
        if self._window.state.may("close"):
            self._confirm_discard(lambda keep: self._window.send(Close(keep)))

    def save_project(self) -> None:
        """Save the project to its folder, or to one that is chosen."""
        state = self._window.state
        if not state.may("save"):
            return
        if state.project:
            self._window.send(Save(state.project))
        else:
            self.save_project_as()

    def save_project_as(self) -> None:
        """Choose a folder and save the project there."""
        state = self._window.state
        if state.opened is None or not state.may("save"):
            return
        name = Path(state.opened.path).stem or "scene"
        start = state.project or str(Path.home() / f"{name}-project")
        self._window.pick_path(
            "save", start, lambda path: self._window.send(Save(project_folder(path, name)))
        )

    def locate_photos(self) -> None:
        """Choose where the photos of a project are now, and open it again."""
        project = self._window.state.project_without_photos
        self._window.pick_path(
            "folder",
            str(Path(project).parent),
            lambda path: self._window.open_path(project, photos=path),
        )

    def close_window(self) -> None:
        """Close the window; asks first if something is unsaved."""

        def leave(keep: bool) -> None:
            if not keep:
                self._window.send(Close(keep=False))
            self._marker.clear()
            self._window.quit()

        self._confirm_discard(leave)

    def _confirm_discard(self, action: Callable[[bool], None]) -> None:
        """Ask what to do with unsaved work; ``action`` gets whether to keep it."""
        words = unsaved_text(self._window.state)
        if not words:
            action(True)
            return

        def save_first() -> None:
            self._after_save = lambda: action(True)
            self.save_project()

        ask_question(
            tr("questions.close"),
            words,
            [
                (tr("questions.close_save"), "question_save", save_first),
                (tr("questions.close_discard"), "question_drop", lambda: action(False)),
                (tr("questions.cancel"), "question_cancel", lambda: None),
            ],
        )

    # --- what is kept --------------------------------------------------------------------

    def offer_recovery(self) -> None:
        """Ask about work that a crash left, if there is any."""
        work = find_unsaved_work()
        if work is not None:
            self._ask_recovery(work)

    def _ask_recovery(self, work: UnsavedWork) -> None:
        at = time.strftime(tr("dates.saved_at"), time.localtime(work.saved_at)).lstrip("0")
        answers = [
            (tr("questions.recover_save"), "recover", lambda: self._window.open_path(work.autosave))
        ]
        if work.project:
            answers.append(
                (
                    tr("questions.recover_project"),
                    "open_saved",
                    lambda: self._window.open_path(work.project),
                )
            )
        answers.append((tr("questions.recover_none"), "begin_new", lambda: None))
        ask_question(
            tr("questions.recover"), tr("questions.recover_text", name=work.name, at=at), answers
        )

    def on_event(self, event: object) -> None:
        """Remember what was opened and saved, and mark unsaved work."""
        state, after_save = self._window.state, self._after_save
        if isinstance(event, Opened):
            self._add_recent(event)
        elif isinstance(event, Saved) and not event.automatic:
            if state.opened is not None:
                self._add_recent(state.opened, event.path)
            if after_save is not None:
                self._after_save = None
                after_save()
        elif isinstance(event, Failure) and event.task == "save":
            self._after_save = None
        if state.unsaved and state.opened is not None:
            name = Path(state.project or state.opened.path).name
            self._marker.write(name, state.opened.autosave, state.project)
        elif state.engine == "ready":
            self._marker.clear()

    def _add_recent(self, opened: Opened, saved_to: str = "") -> None:
        newest = make_recent(opened, saved_to, time.time())
        self.recents = add_recent(self.recents, newest)
        save_recents(self.recents)


def project_folder(chosen: str, name: str) -> str:
    """Return the folder to save to: ``chosen``, or a new one in it if other things lie there.

    Args:
        chosen: The folder that was chosen.
        name: Of the scene.
    """
    folder = Path(chosen)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "project.json").is_file():
        return str(folder / f"{name}-project")
    return chosen
