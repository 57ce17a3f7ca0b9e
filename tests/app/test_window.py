"""The real window, a real mouse, a real worker process; only the session is a toy."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.driver import ROOT, open_capture
from tests.app.screen import alive, wait_until
from tests.app.xdnd import drop


def test_an_empty_window_invites_and_closes_cleanly(launch, no_leftovers):
    window = launch()
    ui = window.wait(lambda ui: ui["engine"] == "ready", "the engine")
    assert ui["state"] == "empty"
    assert "start_photos" in ui["widgets"]
    worker = ui["worker_pid"]
    assert alive(worker)
    assert window.close() == 0
    assert wait_until(lambda: not alive(worker), 2.0)
    assert window.errors() == ""


def test_a_dropped_folder_isopen_capture(launch, tmp_path):
    folder = tmp_path / "my photos ä"
    folder.mkdir()
    window = launch()
    drop(window.display, int(window.window), [folder])
    window.wait_state("ready")
    assert window.ui["status"].startswith("my photos ä is open")


def test_the_windows_own_file_dialog_is_typed_into_and_accepts_return(launch, capture):
    window = open_capture(launch, capture, PATH="")
    window.key("ctrl+s")
    window.wait(lambda ui: ui["dialog"], "the dialog")
    window.key("t")  # a letter, no command
    window.key("Return")
    ui = window.wait(lambda ui: ui["project"], "the project")
    assert Path(ui["project"]).name == "capture-project"
    assert ui["state"] == "ready"


@pytest.mark.skipif(shutil.which("zenity") is None, reason="zenity is not installed")
def test_the_desktops_file_dialog_is_left_and_then_answered(launch, capture, tmp_path):
    window = open_capture(launch, capture)
    window.key("ctrl+s")
    window.dialog("^Save")
    window.pass_frames()
    window.key("Escape")
    window.pass_frames()
    assert not window.look()["project"]
    window.key("ctrl+s")
    window.dialog("^Save")
    window.key("ctrl+a")
    window.type(str(tmp_path / "mine"))
    window.key("Return")
    ui = window.wait(lambda ui: ui["project"], "the project")
    assert ui["project"] == str(tmp_path / "mine")
    assert ui["state"] == "ready"


def test_a_bad_path_is_said_in_one_line_and_dismissed(launch, capture):
    window = launch()
    window.click("path")
    window.type("/no/such/bad folder")
    window.key("Return")
    ui = window.wait(lambda ui: ui["failure"], "the failure")
    assert ui["failure"].startswith("/no/such/bad folder")
    assert "\n" not in ui["failure"]
    assert "message" in ui["widgets"]
    window.click("dismiss")
    ui = window.wait(lambda ui: not ui["failure"], "a clean window")
    assert "message" not in ui["widgets"]


def test_a_bug_in_the_session_is_logged_and_said(launch):
    window = launch(Path("/bug"))
    ui = window.wait(lambda ui: ui["failure"], "the failure")
    log = Path(ui["failure"].rpartition("see log ")[2])
    assert "a bug on purpose" in log.read_text()
    assert "Traceback" in log.read_text()
    assert alive(ui["worker_pid"])


def test_a_killed_worker_leaves_the_window_offering_to_resume(launch, capture, no_leftovers):
    window = open_capture(launch, capture)
    (capture / "autosave").mkdir()
    window.click("start")
    ui = window.wait(lambda ui: ui["autosave"], "an autosave")
    os.kill(ui["worker_pid"], signal.SIGKILL)
    lost = window.wait(lambda new: new["engine"] == "lost", "the loss is noticed")
    assert lost["resume_path"] == str(capture / "autosave")
    assert "signal 9" in lost["failure"]
    window.click("resume")
    back = window.wait(lambda new: new["state"] == "ready" and new["final"], "a new worker")
    assert back["worker_pid"] != ui["worker_pid"]
    assert (back["failure"], back["resume_path"]) == ("", "")
    assert window.close() == 0


def test_a_killed_window_ends_its_worker_within_two_seconds(launch, capture, no_leftovers):
    window = open_capture(launch, capture)
    window.click("start")
    ui = window.wait_state("training")
    os.kill(window.process.pid, signal.SIGKILL)
    window.process.wait()
    assert wait_until(lambda: not alive(ui["worker_pid"]), 2.0)
    assert "leaked" not in window.errors()


def test_closing_while_training_saves_first(launch, capture):
    window = open_capture(launch, capture)
    window.click("start")
    window.wait_state("training")
    assert window.close() == 0
    assert int((capture / "closed").read_text()) > 0


@pytest.mark.parametrize("to", ["the window", "all of it"])
def test_a_signal_closes_the_window_and_saves_the_work(launch, capture, to):
    window = open_capture(launch, capture)
    window.click("start")
    ui = window.wait(lambda ui: ui["state"] == "training", "training")
    if to == "all of it":
        os.kill(ui["worker_pid"], signal.SIGTERM)
    window.process.send_signal(signal.SIGTERM)
    assert window.process.wait(30) == 128 + signal.SIGTERM
    assert window.errors() == "SIGTERM\n"
    assert int((capture / "closed").read_text()) > 0, "the worker has saved"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize("name", [None, ":987"])
def test_no_display_is_one_clear_line(name):
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    if name:
        environment["DISPLAY"] = name
    code = """
from app.window import run_window
from core.base.errors import UserError
try:
    run_window(None)
except UserError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("No display")
    assert "reconstruct PATH -o DIR" in done.stdout
    assert done.stdout.count("\n") == 1
