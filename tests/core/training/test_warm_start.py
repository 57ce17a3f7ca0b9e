"""A new run that begins with what another one has learnt, in real sessions."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import main
from core import protocol as m
from core.base.jobs import run_task as driven
from core.config.run import RunOptions
from core.field.methods import METHODS
from core.output.views import score_photos
from core.project.store import load_project
from core.session import training_loop
from core.training import warm_start
from core.training.presets import PRESETS
from tests.core.session.watched import Watched
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball

FINER = replace(
    WARM,
    preset="standard",
    field=replace(WARM.field, n_levels=6, finest_resolution=96, log2_hashmap_size=13),
)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setitem(PRESETS, "draft", WARM)
    monkeypatch.setitem(PRESETS, "standard", FINER)
    monkeypatch.setattr(training_loop, "STATS_EVERY_S", 0.0)
    monkeypatch.setattr(warm_start, "FIT_STEPS", 100)
    quick_conversion(monkeypatch)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return shaded_ball(tmp_path_factory.mktemp("ball"), n=10)


def trained(photos, home, method) -> Watched:
    run = Watched(home / "autosave", hold_out=True)
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions("draft", steps=80, method=method)), "finished")
    return run


def psnr(run: Watched) -> float:
    trainer = run.session.trainer
    scores = driven(score_photos(trainer, trainer.scene.held_out))
    return float(np.mean([s.psnr for s in scores]))


@pytest.mark.parametrize("after", METHODS)
def test_every_method_can_begin_with_a_surface(after, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(warm_start, "FIT_STEPS", 3)
    run = trained(photos, tmp_path, "surface")
    run.do(m.WarmStart(RunOptions("draft", steps=1000, method=after)), "training")
    run.steps(1)
    assert run.session.trainer.config.method == after
    run.session.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("surface", "surface"),
        ("ngp", "surface"),
        ("surface", "ngp"),
    ],
)
@pytest.mark.slow
def test_a_finer_run_knows_from_its_first_step_what_the_one_before_learnt(
    before, after, photos, tmp_path
):
    run = trained(photos, tmp_path, before)
    known, old = psnr(run), run.session.trainer
    run.do(m.WarmStart(RunOptions("standard", steps=1000, method=after)), "training")
    run.steps(1)
    new = run.session.trainer
    assert new is not old
    assert new.config.method == after
    assert new.step_count <= 2
    assert new.progress > 0.25, "its schedules begin late"
    assert new.model.shape.n_levels == 6
    fresh = Watched(tmp_path / "fresh", hold_out=True)
    fresh.do(m.Open(str(photos)), "ready")
    fresh.do(m.Start(RunOptions("standard", steps=1000, method=after)), "training")
    fresh.steps(1)
    fog = psnr(fresh)
    fresh.session.close()
    assert psnr(run) > fog + 8
    if before == after:
        assert psnr(run) > known - 3
    else:  # a silhouette of few pixels moves with the method
        assert psnr(run) - fog > 0.5 * (known - fog)
    if after == "surface":
        x = torch.nn.functional.normalize(torch.randn(500, 3), dim=-1)
        radius = float(old.scene.region_in_scene.half.min())
        with torch.no_grad():
            there = new.model.shape.implicit_value(0.9 * x)
            middle = new.model.shape.implicit_value(torch.zeros(1, 3))
        assert radius > 0
        assert float(there.mean()) > 0 > float(middle)
    run.session.close()


@pytest.mark.slow
def test_what_the_command_line_begins_anew_leaves_the_first_run_and_can_be_repeated(
    photos, tmp_path, capsys
):
    run = trained(photos, tmp_path, "surface")
    first = tmp_path / "first"
    run.do(m.Save(str(first)))
    run.session.close()
    before = (first / "checkpoint.safetensors").read_bytes()
    out = tmp_path / "second"
    assert (
        main.main(
            [
                "reconstruct",
                "--from",
                str(first),
                "-o",
                str(out),
                "--preset",
                "standard",
                "--steps",
                "10",
                "--mesh-resolution",
                "24",
                "--json",
            ]
        )
        == 0
    )
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["steps"] == 10
    assert report["photos_held_out"] == 2
    assert (first / "checkpoint.safetensors").read_bytes() == before
    words = shlex.split((out / "project" / "command.txt").read_text())
    assert main.main([*words[2:], "--mesh-resolution", "24"]) == 0
    again = Path(words[words.index("-o") + 1]) / "project"
    a, b = load_project(out / "project"), load_project(again)
    assert a.state.parent_project == str(first)
    assert all(b.tensors[n].equal(v) for n, v in a.tensors.items() if n.startswith("model."))


def test_the_window_keeps_the_run_that_it_left(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("core.base.paths.autosave_root", lambda: tmp_path / "saves")
    run = Watched(None)
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions("draft", steps=60)), "finished")
    run.do(m.WarmStart(RunOptions("draft", steps=20, method="ngp")), "finished")
    places = sorted(p.name for p in (tmp_path / "saves").iterdir())
    assert len(places) == 2
    kept, now = (load_project(tmp_path / "saves" / name).state for name in reversed(places))
    assert (kept.config.method, now.config.method) == ("surface", "ngp")
    assert Path(now.parent_project).name == places[1]
    run.session.close()


def test_there_must_be_something_to_begin_with(photos, tmp_path, capsys):
    run = Watched(tmp_path / "autosave")
    run.do(m.Open(str(photos)), "ready")
    failure = next(e for e in run.do(m.WarmStart()) if isinstance(e, m.Failure))
    assert "nothing to begin with" in str(failure.text)
    run.session.close()
    assert main.main(["reconstruct", "-o", str(tmp_path / "out")]) == 1
    assert "There is nothing to reconstruct. Name a folder of photos" in capsys.readouterr().err
