"""The real window, a real mouse, a real worker process; only the session is a toy."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.app.driver import ROOT, alive, wait_until
from tests.app.xdnd import drop


def _opened(launch, capture, **environment):
    """A window with a scene open, seen through its first photo."""
    window = launch(capture, **environment)
    window.wait_state("ready")
    window.wait_final_preview()
    window.key("Home")
    window.wait_final_preview(after=window.ui["view_id"])
    return window


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


def test_a_dropped_folder_is_opened(launch, tmp_path):
    folder = tmp_path / "my photos ä"
    folder.mkdir()
    window = launch()
    drop(window.display, int(window.window), [folder])
    window.wait_state("ready")
    assert window.ui["status"].startswith("my photos ä is open")


def test_a_drag_turns_the_view_and_home_brings_it_back(launch, capture):
    window = _opened(launch, capture)
    first, pixels = window.ui["view_id"], window.viewport_pixels()
    assert pixels.std() > 10, "the preview is on screen"
    window.drag(160, 40)
    ui = window.wait_final_preview(after=first)
    turned = window.viewport_pixels()
    assert np.abs(turned.astype(int) - pixels).mean() > 3
    assert ui["latency_ms"] > 0
    window.key("Home")
    window.wait_final_preview(after=ui["view_id"])
    assert np.abs(window.viewport_pixels().astype(int) - pixels).mean() < 0.5


def test_wheel_zooms_and_right_drag_pans(launch, capture):
    window = _opened(launch, capture)
    window.key("b")  # the region's lines are not what is looked at
    first = window.viewport_pixels()
    before = window.ui["view_id"]
    window.wheel(3)
    ui = window.wait_final_preview(after=before)
    closer = window.viewport_pixels()

    def ball(pixels):
        return (pixels.max(-1) > 60).sum()

    assert ball(closer) > 1.3 * ball(first)
    window.drag(100, 0, button=3)
    window.wait_final_preview(after=ui["view_id"])
    columns = [
        np.nonzero((p.max(-1) > 60).any(0))[0].mean() for p in (closer, window.viewport_pixels())
    ]
    assert columns[1] - columns[0] == pytest.approx(100, abs=20)


def test_nothing_flashes_between_moving_and_resting_pictures(launch, capture):
    window = _opened(launch, capture)
    with window.watching() as seen:
        for way in (1, -1):
            window.drag(150 * way, 20)
            window.wait_final_preview()
    assert len(seen) > 10
    assert min(seen) > 0.8 * np.median(seen)


def test_keys_fly_choose_sides_and_the_projection(launch, capture):
    window = _opened(launch, capture)

    def camera():
        return np.reshape(window.look()["camera"], (4, 4))

    before = camera()
    window.hold("w", 0.6)
    ui = window.wait_final_preview(after=window.ui["view_id"])
    ahead = before[:3, :3].T @ (camera()[:3, 3] - before[:3, 3])
    assert ahead[2] > 0.1
    assert ahead[:2] == pytest.approx([0, 0], abs=1e-6)
    window.key("KP_7")
    ui = window.wait_final_preview(after=ui["view_id"])
    assert camera()[:3, 2] == pytest.approx([0, 0, -1], abs=1e-6)
    assert not ui["parallel"]
    window.key("p")
    ui = window.wait(lambda ui: ui["parallel"], "a parallel view")


def test_a_double_click_turns_about_what_is_there(launch, capture):
    window = _opened(launch, capture)
    left, top, width, height = window.ui["widgets"]["canvas_area"]
    window.move(left + 0.55 * width, top + 0.45 * height)
    window.double_click()
    window.wait(lambda ui: ui["pivot"] == pytest.approx([0.1, -0.6, 0.2]), "the place as pivot")


def test_mode_and_detail_ask_for_another_view(launch, capture):
    window = _opened(launch, capture)
    before, pixels = window.ui["view_id"], window.viewport_pixels()
    window.key("2")
    ui = window.wait_final_preview(after=before)
    assert np.abs(window.viewport_pixels().astype(int) - pixels).mean() > 3
    for slider in ("detail_levels", "preview_duty"):
        window.click(slider)
        ui = window.wait_final_preview(after=ui["view_id"])


def test_the_windows_own_file_dialog_is_typed_into_and_accepts_return(launch, capture):
    window = _opened(launch, capture, PATH="")
    window.key("ctrl+s")
    window.wait(lambda ui: ui["dialog"], "the dialog")
    window.key("t")  # a letter, no command
    window.key("Return")
    ui = window.wait(lambda ui: ui["project"], "the project")
    assert Path(ui["project"]).name == "capture-project"
    assert ui["state"] == "ready"


@pytest.mark.skipif(shutil.which("zenity") is None, reason="zenity is not installed")
def test_the_desktops_file_dialog_is_left_and_then_answered(launch, capture, tmp_path):
    window = _opened(launch, capture)
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


def test_start_pause_reset_in_quick_succession_never_wedges(launch, capture):
    window = _opened(launch, capture)
    for name in ("start", "pause", "start", "reset", "start"):
        window.click(name, wait_s=0.0)
    time.sleep(1.0)
    # A click that came before the worker's answer met a disabled button; nothing may be stuck.
    if "start" in window.wait(lambda ui: "start" in ui["widgets"], "a report")["allowed"]:
        window.click("start")
    window.wait_state("training")
    window.wait(lambda ui: ui["step"] > 0 and ui["history"] > 0, "training goes on")
    window.click("pause")
    ui = window.wait_state("paused")
    assert ui["failure"] == ""
    window.click("reset")
    ui = window.wait_state("ready")
    assert (ui["step"], ui["history"]) == (0, 0)


def test_what_a_choice_means_is_said_before_a_run_below_buttons_that_stay(launch, capture):
    window = _opened(launch, capture)
    words, buttons = ("method_text", "preset_text"), ("start", "pause", "reset")
    said = window.wait(lambda ui: all(name in ui["widgets"] for name in words), "what they mean")
    window.click("start")
    window.wait_state("training")
    trains = window.wait(
        lambda ui: not any(name in ui["widgets"] for name in words), "room for the curves"
    )
    assert [trains["widgets"][b] for b in buttons] == [said["widgets"][b] for b in buttons]
    window.click("pause")
    window.wait_state("paused")
    window.click("reset")
    window.wait(lambda ui: all(name in ui["widgets"] for name in words), "them said again")


def test_the_mouse_over_a_button_is_told_of_that_button_alone(launch, capture):
    window = _opened(launch, capture)
    window.click("start")
    window.wait_state("training")
    assert "warm_start" not in window.ui["widgets"], "hidden, and beside it"
    left, top, width, height = window.ui["widgets"]["start"]
    window.move(left + width / 2, top + height / 2)
    ui = window.wait(lambda ui: "start_tip_text" in ui["widgets"], "the reason why it is greyed")
    assert [name for name in ui["widgets"] if name.endswith("_tip_text")] == ["start_tip_text"]


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
    window = _opened(launch, capture)
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
    window = _opened(launch, capture)
    window.click("start")
    ui = window.wait_state("training")
    os.kill(window.process.pid, signal.SIGKILL)
    window.process.wait()
    assert wait_until(lambda: not alive(ui["worker_pid"]), 2.0)
    assert "leaked" not in window.errors()


def test_closing_while_training_saves_first(launch, capture):
    window = _opened(launch, capture)
    window.click("start")
    window.wait_state("training")
    assert window.close() == 0
    assert int((capture / "closed").read_text()) > 0


def test_export_writes_the_file_and_says_what(launch, capture):
    window = _opened(launch, capture)
    window.click("start")
    window.wait_state("training")
    window.click("export")
    ui = window.wait(lambda ui: ui["exported"], "the mesh")
    exported = Path(ui["exported"])
    assert exported.read_text().startswith("v ")
    window.wait(lambda ui: "toast_0_text" in ui["widgets"], "a word of it in passing")

    exported.write_text("a person's own")
    window.click("export")
    window.wait(lambda ui: "question_replace" in ui["widgets"], "the question")
    window.click("question_cancel")
    window.wait(lambda ui: "question_cancel" not in ui["widgets"], "the question to go")
    assert exported.read_text() == "a person's own"
    window.click("export")
    window.wait(lambda ui: "question_replace" in ui["widgets"], "the question again")
    window.click("question_replace")
    assert wait_until(lambda: exported.read_text().startswith("v "), 10.0)


@pytest.mark.parametrize("to", ["the window", "all of it"])
def test_a_signal_closes_the_window_and_saves_the_work(launch, capture, to):
    window = _opened(launch, capture)
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


@pytest.mark.slow
def test_the_keys_look_through_the_photos_and_drive_the_training(launch, capture):
    window = _opened(launch, capture)
    window.drag(160, 40)
    first = window.wait_final_preview()["view_id"]
    turned = window.viewport_pixels()
    window.key("bracketright")  # the toy has one photo: its own view again
    window.wait_final_preview(after=first)
    assert np.abs(window.viewport_pixels().astype(int) - turned).mean() > 3
    window.key("v")
    for shown in (True, False, True, False):
        window.wait(lambda ui, shown=shown: ui["photo_shown"] == shown, "the photo blinks")
    window.key("v")
    window.key("t")
    window.wait_state("training")
    window.key("t")
    window.wait_state("paused")
    window.key("h")
    window.wait(lambda ui: "shortcut_list" in ui["widgets"], "the list of keys")


def test_the_pose_doctor_tells_of_each_photo_and_opens_another_group(launch, capture):
    window = _opened(launch, capture)
    window.click("open_poses")
    ui = window.wait(lambda ui: "photo_group" in ui["widgets"], "the doctor")
    assert "poses_advice" in ui["widgets"]
    assert ui["group"] == 0
    left, top, _, height = ui["widgets"]["photo_group"]
    window.click("photo_group")
    window.move(left + 40, top + 2.2 * height)  # the second of what unfolds below
    window.press()
    window.release()
    window.wait(lambda ui: ui["group"] == 1, "the other group")
