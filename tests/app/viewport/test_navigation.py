"""Mouse and keys in the viewport of the real window; only the session is a toy."""

import numpy as np
import pytest

from tests.app.driver import open_capture


def test_a_drag_turns_the_view_and_home_brings_it_back(launch, capture):
    window = open_capture(launch, capture)
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
    window = open_capture(launch, capture)
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
    window = open_capture(launch, capture)
    with window.watching() as seen:
        for way in (1, -1):
            window.drag(150 * way, 20)
            window.wait_final_preview()
    assert len(seen) > 10
    assert min(seen) > 0.8 * np.median(seen)


def test_keys_fly_choose_sides_and_the_projection(launch, capture):
    window = open_capture(launch, capture)

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
    window = open_capture(launch, capture)
    left, top, width, height = window.ui["widgets"]["canvas_area"]
    window.move(left + 0.55 * width, top + 0.45 * height)
    window.double_click()
    window.wait(lambda ui: ui["pivot"] == pytest.approx([0.1, -0.6, 0.2]), "the place as pivot")


def test_mode_and_detail_ask_for_another_view(launch, capture):
    window = open_capture(launch, capture)
    before, pixels = window.ui["view_id"], window.viewport_pixels()
    window.key("2")
    ui = window.wait_final_preview(after=before)
    assert np.abs(window.viewport_pixels().astype(int) - pixels).mean() > 3
    for slider in ("detail_levels", "preview_duty"):
        window.click(slider)
        ui = window.wait_final_preview(after=ui["view_id"])


@pytest.mark.slow
def test_the_keys_look_through_the_photos_and_drive_the_training(launch, capture):
    window = open_capture(launch, capture)
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
