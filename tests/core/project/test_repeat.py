"""Each run leaves a line to type that repeats it."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

import main
from core import protocol as m
from core.base.errors import UserError
from core.config.run import RunOptions
from core.geometry.box import Box
from core.geometry.edits import KnownLength, QuarterTurn
from core.project.repeat import read_recipe
from core.project.store import load_project
from core.training.presets import PRESETS
from tests.core.session.test_undo import region
from tests.core.session.watched import STEPS, Watched
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in PRESETS:
        monkeypatch.setitem(PRESETS, name, WARM)
    quick_conversion(monkeypatch)
    watched = Watched(tmp_path / "autosave", hold_out=True)
    yield watched
    watched.session.close()


def test_the_command_that_a_window_leaves_repeats_its_run(run, tmp_path, capsys):
    photos = shaded_ball(tmp_path / "the ball")
    run.do(m.Open(str(photos)), "ready")
    run.do(region(run, 0.6))
    run.do(m.EditScene(QuarterTurn("x")))
    run.do(m.EditScene(KnownLength((0, 0, 0), (0.5, 0, 0), 12.0, "cm")))
    run.do(m.ExcludePhotos(("3.png",), True))
    run.do(m.Start(RunOptions("high", steps=STEPS, wild=True)), "finished")
    project = tmp_path / "my project"
    run.do(m.Save(str(project)))

    words = shlex.split((project / "command.txt").read_text())
    assert words[:2] == ["python", "main.py"]
    assert main.main([*words[2:], "--mesh-resolution", "24", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    out = Path(words[words.index("-o") + 1])
    first, again = load_project(project), load_project(out / "project")
    assert again.state.config == first.state.config
    assert report["steps"] == STEPS
    assert again.state.hold_out
    assert len(again.state.scene.held_out) == 1
    for field in ("scene_from_input", "upright_from_input"):
        np.testing.assert_array_equal(
            getattr(again.state.scene, field), getattr(first.state.scene, field)
        )
    assert isinstance(again.state.scene.region, Box)
    assert (again.state.scene.unit, again.state.scene.excluded) == ("cm", {"3.png"})
    for name, value in first.tensors.items():
        if name.startswith("model."):
            assert again.tensors[name].equal(value), name
    recipes = [read_recipe(folder / "config.json") for folder in (project, out / "project")]
    assert recipes[0] == recipes[1], "and leaves the same again"


@pytest.mark.parametrize("text", [None, "{}", "no json"])
def test_a_config_that_is_none_is_one_clear_line(tmp_path, text):
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"config\.json") as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value)
