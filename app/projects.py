"""New, open, save and close, and what is kept of that from run to run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.platform.dialogs import Kind, Purpose
from app.state import AppState
from app.store.recent import load_recents, recent_of, save_recents, with_newest
from app.store.recovery import Unfinished, Word, unfinished
from app.text.catalog import say
from app.text.status import lost_without_saving
from app.widgets.question import ask
from core.protocol import Close, Command, Failure, Opened, Save, Saved


class Window(Protocol):
    """What is asked of the window."""

    state: AppState

    def send(self, command: Command) -> None: ...
    def open(self, path: str, group: int = 0, photos: str = "") -> None: ...
    def pick(self, purpose: Purpose, start: str, then: Callable[[str], None]) -> None: ...
    def quit(self) -> None: ...


class Projects:
    def __init__(self, window: Window) -> None:
        self._window = window
        self.recents = load_recents()
        self._word = Word()
        self._once_saved: Callable[[], None] | None = None

    # --- what a person asks ------------------------------------------------------------

    def choose(self, what: Kind) -> None:
        """Let the person choose what to open."""
        self._window.pick("file" if what == "film" else "folder", "", self._window.open)

    def new(self) -> None:
        if self._window.state.may("close"):
            self._unless_lost(lambda keep: self._window.send(Close(keep)))

    def save(self) -> None:
        state = self._window.state
        if not state.may("save"):
            return
        if state.project:
            self._window.send(Save(state.project))
        else:
            self.save_as()

    def save_as(self) -> None:
        state = self._window.state
        if state.opened is None or not state.may("save"):
            return
        name = Path(state.opened.path).stem or "scene"
        start = state.project or str(Path.home() / f"{name}-project")
        self._window.pick(
            "save", start, lambda path: self._window.send(Save(project_folder(path, name)))
        )

    def find_photos(self) -> None:
        """Open the project again whose photos are elsewhere, once their folder is chosen."""
        project = self._window.state.photos_of
        self._window.pick(
            "folder",
            str(Path(project).parent),
            lambda path: self._window.open(project, photos=path),
        )

    def close(self) -> None:
        """Close the window, and ask first where something would be lost."""

        def leave(keep: bool) -> None:
            if not keep:
                self._window.send(Close(keep=False))
            self._word.take_back()
            self._window.quit()

        self._unless_lost(leave)

    def _unless_lost(self, action: Callable[[bool], None]) -> None:
        """``action`` gets whether to keep what is unsaved."""
        words = lost_without_saving(self._window.state)
        if not words:
            action(True)
            return

        def save_first() -> None:
            self._once_saved = lambda: action(True)
            self.save()

        ask(
            say("questions.close"),
            words,
            [
                (say("questions.close_save"), "question_save", save_first),
                (say("questions.close_drop"), "question_drop", lambda: action(False)),
                (say("questions.cancel"), "question_cancel", lambda: None),
            ],
        )

    # --- what is kept --------------------------------------------------------------------

    def offer_recovery(self) -> None:
        """Ask about work that a crash left, if there is any."""
        work = unfinished()
        if work is not None:
            self._ask_about(work)

    def _ask_about(self, work: Unfinished) -> None:
        at = time.strftime(say("dates.saved_at"), time.localtime(work.saved_at)).lstrip("0")
        answers = [
            (say("questions.recover_save"), "recover", lambda: self._window.open(work.autosave))
        ]
        if work.project:
            answers.append(
                (
                    say("questions.recover_project"),
                    "open_saved",
                    lambda: self._window.open(work.project),
                )
            )
        answers.append((say("questions.recover_new"), "begin_new", lambda: None))
        ask(
            say("questions.recover"), say("questions.recover_words", name=work.name, at=at), answers
        )

    def heard(self, event: object) -> None:
        """Follow what was opened and saved."""
        state, once_saved = self._window.state, self._once_saved
        if isinstance(event, Opened):
            self._remember(event)
        elif isinstance(event, Saved) and not event.automatic:
            if state.opened is not None:
                self._remember(state.opened, event.path)
            if once_saved is not None:
                self._once_saved = None
                once_saved()
        elif isinstance(event, Failure) and event.task == "save":
            self._once_saved = None
        if state.unsaved and state.opened is not None:
            name = Path(state.project or state.opened.path).name
            self._word.leave(name, state.opened.autosave, state.project)
        elif state.engine == "ready":
            self._word.take_back()

    def _remember(self, opened: Opened, saved_to: str = "") -> None:
        newest = recent_of(opened, saved_to, time.time())
        self.recents = with_newest(self.recents, newest)
        save_recents(self.recents)


def project_folder(chosen: str, name: str) -> str:
    """Where to save when a person chose ``chosen``: there, or in a folder of its own where other
    things lie."""
    folder = Path(chosen)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "project.json").is_file():
        return str(folder / f"{name}-project")
    return chosen
