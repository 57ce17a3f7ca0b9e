"""Panels of the real window, driven by a real mouse; only the session is a toy."""

import time
from pathlib import Path

from tests.app.driver import open_capture
from tests.app.screen import wait_until


def test_start_pause_reset_in_quick_succession_never_wedges(launch, capture):
    window = open_capture(launch, capture)
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
    window = open_capture(launch, capture)
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
    window = open_capture(launch, capture)
    window.click("start")
    window.wait_state("training")
    assert "warm_start" not in window.ui["widgets"], "hidden, and beside it"
    left, top, width, height = window.ui["widgets"]["start"]
    window.move(left + width / 2, top + height / 2)
    ui = window.wait(lambda ui: "start_tip_text" in ui["widgets"], "the reason why it is greyed")
    assert [name for name in ui["widgets"] if name.endswith("_tip_text")] == ["start_tip_text"]


def test_export_writes_the_file_and_says_what(launch, capture):
    window = open_capture(launch, capture)
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


def test_the_pose_doctor_tells_of_each_photo_and_opens_another_group(launch, capture):
    window = open_capture(launch, capture)
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
