"""Undo, closing, a crash and what comes back after it: the real window and the real worker."""

import os
import signal
from pathlib import Path

import pytest

from core.protocol import Open, Save
from core.session.session import Session
from tests.app.driver import TOY
from tests.core.shaded_ball import shaded_ball

REAL = "core.session.session:Session"


def saved_project(photos: Path, folder: Path) -> Path:
    """An untrained project of ``photos``."""
    session = Session(lambda event: None, device="cpu", autosave_to=folder.parent / "auto")
    session.handle(Open(str(photos)))
    while session.work() or session.state != "ready":
        pass
    session.handle(Save(str(folder)))
    session.close()
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_edits_are_undone_asked_about_and_come_back_after_a_crash(launch, tmp_path):
    project = saved_project(shaded_ball(tmp_path / "ball"), tmp_path / "mine")
    home = tmp_path / "home"
    window = launch(project, REAL, home)
    ready = window.wait(lambda ui: ui["state"] == "ready", "the project", seconds=120)
    assert (ready["project"], ready["unsaved"], ready["undo"]) == (str(project), False, "")
    window.click("scene")
    window.click("rotate_z")
    turned = window.wait(lambda ui: ui["undo"], "something to undo")
    assert turned["undo"] == "the rotation about Z"
    assert turned["unsaved"]
    window.key("ctrl+z")
    window.wait(lambda ui: ui["redo"] == "the rotation about Z" and not ui["undo"], "the undo")
    window.click("redo")
    window.wait(lambda ui: ui["undo"] and not ui["redo"], "the redo")

    window.ask_to_close()
    window.wait(lambda ui: "question_cancel" in ui["widgets"], "the question")
    window.click("question_cancel")
    window.wait(lambda ui: "question_cancel" not in ui["widgets"], "no question")
    window.wait(lambda ui: ui["autosave"], "the automatic save")
    os.kill(window.process.pid, signal.SIGKILL)
    window.process.wait()

    again = launch(None, REAL, home)
    again.click("recover")
    back = again.wait(lambda ui: ui["state"] == "ready", "the work", seconds=120)
    assert back["unsaved"], "it is in no project of the person's own yet"
    assert again.discard() == 0

    third = launch(None, REAL, home)
    ui = third.wait(lambda ui: ui["engine"] == "ready", "the engine", seconds=120)
    assert "recover" not in ui["widgets"], "it is offered once"
    assert "recent_0" in ui["widgets"], "the project is on the start page"
    assert third.close() == 0


def test_layout_and_theme_are_kept(launch, capture, tmp_path):
    home = tmp_path / "home"
    window = launch(None, TOY, home)
    window.wait(lambda ui: ui["engine"] == "ready", "the engine")
    window.click("view")
    folded = window.wait(lambda ui: "preview_duty" not in ui["widgets"], "a folded section")
    left, top, width, height = folded["widgets"]["splitter"]
    window.move(left + width / 2, top + height / 2)
    window.press()
    for step in range(1, 6):
        window.move(left + width / 2 - 16 * step, top + height / 2)
    window.release()
    window.wait(lambda ui: ui["widgets"]["splitter"][0] < left - 40, "a wider panel")
    window.click("show_settings")
    window.wait(lambda ui: "theme" in ui["widgets"], "the settings")
    x, y, w, h = window.ui["widgets"]["theme"]
    window.move(x + 0.9 * w, y + h / 2)
    window.press()
    window.release()
    window.wait(lambda ui: ui["theme"] == "light", "the light theme")
    assert window.close() == 0
    again = launch(None, TOY, home)
    ui = again.wait(
        lambda ui: abs(ui["widgets"]["splitter"][0] - (left - 80)) < 5, "the panel as it was"
    )
    assert ui["theme"] == "light"
    assert "preview_duty" not in ui["widgets"]


def test_windows_grow_with_the_text(launch, tmp_path):
    home, widths = tmp_path / "home", []
    for _ in range(2):
        window = launch(None, TOY, home)
        window.wait(lambda ui: ui["engine"] == "ready", "the engine")
        window.click("show_log")
        ui = window.wait(lambda ui: "log" in ui["widgets"], "the log")
        widths.append(ui["widgets"]["log"][2])
        window.click("show_log")
        window.click("show_settings")
        window.choose("scale", 3)  # half as large again, from the next start on
        window.pass_frames()
        assert window.close() == 0
    assert widths[1] == 1.5 * widths[0]
