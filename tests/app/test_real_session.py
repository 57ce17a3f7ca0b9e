"""The whole product on its own sample: real window, real worker, real training."""

import os
import signal
from pathlib import Path

import pytest

from tests.app.driver import ROOT, alive

SAMPLE = ROOT / "assets" / "sample"
REAL = "core.session:Session"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_sample_trains_follows_the_mouse_exports_and_survives_a_crash(launch):
    window = launch(SAMPLE, session=REAL)
    ready = window.wait(lambda ui: ui["state"] == "ready", "the sample", seconds=120)
    assert ready["failure"] == ""
    window.click("start")
    window.wait(lambda ui: ui["step"] > 5 and ui["view_id"] > 0, "training", seconds=120)
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
    assert lost["offer"]
    window.click("resume")
    back = window.wait(
        lambda ui: ui["state"] in ("ready", "paused"), "the offered thing opens", seconds=120
    )
    assert alive(back["worker_pid"])
    assert window.close() == 0
