"""The whole product on its own sample: real window, real worker, real training."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import protocol as m
from core.geometry.box import Box
from core.training.presets import PRESETS
from tests.app.driver import ROOT
from tests.app.screen import alive
from tests.core.session.watched import Watched
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball

SAMPLE = ROOT / "assets" / "sample"
REAL = "core.session.session:Session"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_sample_trains_follows_the_mouse_exports_and_survives_a_crash(launch):
    window = launch(SAMPLE, session=REAL)
    ready = window.wait(lambda ui: ui["state"] == "ready", "the sample", seconds=120)
    assert ready["failure"] == ""
    window.click("start")
    window.wait(lambda ui: ui["step"] > 60 and ui["view_id"] > 0, "training", seconds=240)
    shown = window.ui["view_id"]
    window.drag(120, 30)
    turned = window.wait(lambda ui: ui["view_id"] > shown, "the turned view", seconds=60)
    assert turned["state"] == "training"
    window.click("pause")
    window.wait_state("paused")
    window.click("export")
    exported = window.wait(lambda ui: ui["exported"] or ui["failure"], "a mesh", seconds=180)
    assert exported["failure"] == ""
    assert Path(exported["exported"]).stat().st_size > 1000
    os.kill(exported["worker_pid"], signal.SIGKILL)
    lost = window.wait(lambda ui: ui["engine"] == "lost", "the loss is noticed")
    assert lost["resume_path"]
    window.click("resume")
    back = window.wait(
        lambda ui: ui["state"] in ("ready", "paused"), "the offered thing opens", seconds=120
    )
    assert alive(back["worker_pid"])
    assert window.close() == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_region_is_dragged_and_typed_and_a_length_measured(launch):
    window = launch(SAMPLE, session=REAL)
    window.wait(lambda ui: ui["state"] == "ready" and ui["region"], "the sample", seconds=120)
    proposed = Box(np.reshape(window.ui["region"], (4, 4)))
    window.click("scene")
    # the middle one of three
    window.retype("region_size", f"{0.5 * proposed.half[1]:.4f}", "Tab")
    typed = window.wait(
        lambda ui: ui["region"] != proposed.frame_from_cube.ravel().tolist(), "another region"
    )
    box = Box(np.reshape(typed["region"], (4, 4)))
    assert typed["failure"] == ""
    change = box.half / proposed.half  # the scene's frame follows: the region fills its ball
    assert change / change[0] == pytest.approx([1, change[1] / change[0], 1], abs=1e-3)
    assert change[1] < 0.7 * change[0]
    assert box.radius == pytest.approx(1)
    window.click("region_reset")
    back = window.wait(lambda ui: ui["region"] != typed["region"], "the proposed region")
    half = Box(np.reshape(back["region"], (4, 4))).half
    assert half / half[0] == pytest.approx(proposed.half / proposed.half[0], abs=1e-4)

    x, y = back["handles"][2]  # of the upper side
    window.move(x, y)
    window.press()
    for step in range(1, 5):
        window.move(x, y - 10 * step)
    window.release()
    taller = window.wait(lambda ui: ui["region"] != back["region"], "a taller region")
    change = Box(np.reshape(taller["region"], (4, 4))).half / half
    assert change[2] > 1.05 * change[0]
    assert change[1] == pytest.approx(change[0], abs=1e-3)

    window.click("start")
    window.wait(lambda ui: ui["step"] > 60 and ui["view_id"] > 0, "training", seconds=180)
    window.click("pause")
    window.wait_state("paused")
    window.click("measure")
    left, top, width, height = window.ui["widgets"]["canvas_area"]
    for i, dy in enumerate((-0.1, 0.1)):
        window.move(left + width / 2, top + height * (0.5 + dy))
        window.press()
        window.release()
        window.wait(lambda ui, i=i: ui["n_markers"] == i + 1, "a place that is picked")
    window.click("set_scale")
    window.wait(lambda ui: ui["unit"] == "m", "the unit")
    assert window.discard() == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_photos_are_looked_through_compared_ranked_and_left_out(launch):
    window = launch(SAMPLE, session=REAL)
    window.wait(
        lambda ui: ui["state"] == "ready" and ui["thumbnails"] == 42, "the sample", seconds=120
    )
    window.key("bracketright")
    ui = window.wait(lambda ui: ui["photo"], "a photo's camera", seconds=60)
    window.key("g")
    window.wait(lambda ui: ui["photo_shown"], "the photo itself", seconds=60)
    with Image.open((SAMPLE / ui["photo"]).with_suffix(".webp")) as photo:  # cut out
        truth = np.asarray(photo.convert("RGBA"), float)
    whole = truth[..., :3] * truth[..., 3:] / 255 + 255 - truth[..., 3:]
    window.wait(lambda ui: "toast_0_text" not in ui["widgets"], "what was opened is no longer told")
    time.sleep(1)  # for the frame that shows it
    row = window.viewport_pixels().astype(float)
    height, width = row.shape[:2]
    square = row[:, (width - height) // 2 : (width + height) // 2]
    large = Image.fromarray(whole.round().astype(np.uint8)).resize((height, height))
    wrong = np.abs(square - np.asarray(large, float))[40:, 20:-20]  # but for the caption
    assert wrong.mean() < 4, "the photo fills the view from top to bottom, undistorted"

    window.key("g")
    window.wait(lambda ui: not ui["photo_shown"], "the scene again")
    window.click("start")
    window.wait(lambda ui: ui["step"] > 5, "training", seconds=180)
    window.key("i")
    window.wait(
        lambda ui: ui["scores"] > 0 and "photo_row_used_0" in ui["widgets"], "a score", seconds=180
    )
    window.click("photo_row_used_0")
    out = window.wait(lambda ui: ui["excluded"], "a photo that is left out", seconds=60)
    assert len(out["excluded"]) == 1
    assert out["state"] == "training"
    window.key("ctrl+z")
    window.wait(lambda ui: not ui["excluded"], "that undone", seconds=60)
    window.key("i")
    window.key("t")
    window.wait_state("paused")
    before = window.look()["view_id"]
    for key in ("6", "8", "7"):
        window.key(key)
        before = window.wait(
            lambda ui, before=before: ui["view_id"] > before, f"mode {key}", seconds=120
        )["view_id"]
    assert window.wait(lambda ui: ui["mesh_faces"] is not None, "a size", seconds=120)
    window.key("c")
    window.wait(lambda ui: ui["photo_shown"], "photo and error side by side", seconds=60)
    assert window.look()["failure"] == ""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_refined_mesh_is_cancelled_and_then_made(launch, tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "draft", WARM)
    quick_conversion(monkeypatch)
    run = Watched(tmp_path / "autosave")
    run.train(shaded_ball(tmp_path / "ball"), steps=80)
    run.do(m.Save(str(tmp_path / "project")))
    run.session.close()
    window = launch(tmp_path / "project", session=REAL)
    window.wait_state("finished")
    for folded in ("training", "view"):  # the mesh's part is below them
        window.click(folded)
    window.press_at("mesh_resolution", 0.02)  # 64 cells or so
    window.click("refine")
    window.click("export")
    window.wait(lambda ui: ui["task"] == "export", "its beginning")
    window.click("cancel")
    stopped = window.wait(lambda ui: ui["task"] is None, "its end", seconds=60)
    assert (stopped["exported"], stopped["failure"], stopped["state"]) == (None, "", "finished")
    window.click("export")
    made = window.wait(lambda ui: ui["exported"] or ui["failure"], "the mesh", seconds=400)
    assert made["failure"] == ""
    about = json.loads(Path(made["exported"] + ".json").read_text())
    assert about["settings"]["refine"]
    assert any("held" in note for note in about["notes"]), "whether photos agree with it better"
