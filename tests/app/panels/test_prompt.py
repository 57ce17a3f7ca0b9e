"""A scene begun from a sentence in the real window, with the real worker and a tiny network."""

import pytest

from core.config.prompt import read_prompt
from tests.app.test_projects import REAL
from tests.core.tiny_clip import tiny_clip


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_sentence_is_typed_and_trained(launch, tmp_path):
    pytest.importorskip("transformers")
    weights, home = tiny_clip(tmp_path / "clip"), tmp_path / "home"
    window = launch(None, REAL, home)
    window.wait(lambda ui: ui["engine"] == "ready", "the engine", seconds=120)
    window.click("start_prompt")
    window.click("prompt")
    window.type("a red ball")
    window.pass_frames()
    window.press_at("prompt_create")
    window.wait(lambda ui: "prompt_failure" in ui["widgets"], "word of the missing folder")
    window.click("clip_folder")
    window.type(str(weights))
    window.pass_frames()
    window.press_at("prompt_create")
    ready = window.wait(lambda ui: ui["state"] == "ready", "the scene", seconds=120)
    assert ready["failure"] == ""
    assert "prompt_window" not in ready["widgets"]
    (sentence,) = home.rglob("prompt.json")
    assert read_prompt(sentence).text == "a red ball"
    window.click("start")
    ui = window.wait(lambda ui: ui["step"] > 2, "training", seconds=240)
    window.screenshot(tmp_path / "shot.png")
    assert ui["failure"] == ""
    window.click("pause")
    window.wait_state("paused")
    assert window.discard() == 0
    assert window.errors() == ""

    again = launch(None, REAL, home)
    again.wait(lambda ui: ui["engine"] == "ready", "the engine", seconds=120)
    again.click("start_prompt")
    again.click("prompt")
    again.type("a blue vase")
    again.pass_frames()
    again.press_at("prompt_create")
    again.wait(lambda ui: ui["state"] == "ready", "the folder is remembered", seconds=120)
    assert again.close() == 0
