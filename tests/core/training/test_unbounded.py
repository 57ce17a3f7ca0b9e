"""Runs whose field is of all of space, by each method."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from core import protocol as m
from core.base.jobs import run_task as driven
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.evaluation.surface_metrics import read_surface
from core.field.methods import METHODS
from core.output.views import score_photos
from core.session import training_loop
from core.training.presets import PRESETS, for_scene, run_config
from tests.core.session.watched import Watched, view
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball

STEPS = 40


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setitem(PRESETS, "draft", WARM)
    monkeypatch.setattr(training_loop, "STATS_EVERY_S", 0.0)
    quick_conversion(monkeypatch)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A ball before a coloured sky."""
    return shaded_ball(tmp_path_factory.mktemp("ball"), n=10, masks=False)


def trained(photos, home, method, steps=STEPS) -> Watched:
    run = Watched(home / "autosave", hold_out=True)
    run.do(m.Open(str(photos)), "ready")
    run.do(m.Start(RunOptions("draft", steps=steps, method=method, unbounded=True)), "finished")
    return run


def psnr(run: Watched) -> float:
    trainer = run.session.trainer
    scores = driven(score_photos(trainer, trainer.scene.held_out))
    return float(np.mean([s.psnr for s in scores]))


def test_photos_that_are_cut_out_have_nothing_behind():
    wanted = run_config(RunOptions("draft", unbounded=True))
    assert wanted.field.unbounded
    assert for_scene(wanted, has_masks=False).field.unbounded
    assert not for_scene(wanted, has_masks=True).field.unbounded
    assert RunOptions.of(for_scene(wanted, has_masks=False)).unbounded


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.slow
def test_a_method_goes_the_whole_way(method, photos, tmp_path):
    run = trained(photos, tmp_path, method)
    model = run.session.trainer.model
    assert model.background is None
    assert model.proposal is not None
    run.pictures.clear()
    for mode in ("color", "normals", "error"):
        run.do(m.SetView(msgspec.structs.replace(view(1).view, mode=mode)))
        run.work(lambda: any(final for *_, final in run.pictures))
    project = tmp_path / "project"
    run.do(m.Save(str(project)))
    again = Watched(tmp_path / "again", hold_out=True)
    again.do(m.Open(str(project)), "finished")
    assert next(e for e in again.events if isinstance(e, m.Opened)).choice.unbounded
    for name, value in model.state_dict().items():
        assert value.equal(again.session.trainer.model.state_dict()[name]), name
    assert psnr(again) == psnr(run)
    run.session.close()
    again.session.close()


@pytest.mark.slow
def test_the_sky_is_learnt_and_the_mesh_is_of_the_region_alone(photos, tmp_path):
    run = trained(photos, tmp_path, "surface", 200)
    assert psnr(run) > 20
    run.pictures.clear()
    run.do(m.SetView(msgspec.structs.replace(view(1).view, mode="color")))
    run.work(lambda: any(final for *_, final in run.pictures))
    mesh = tmp_path / "mesh.ply"
    run.do(m.Export(str(mesh), MeshOptions(resolution=48, format="ply")))
    run.work(mesh.is_file)
    vertices, _ = read_surface(mesh)
    box = run.session.trainer.scene.region_in_scene
    to_scene = run.session.trainer.scene.scene_from_input
    places = vertices @ to_scene[:3, :3].T + to_scene[:3, 3]
    assert box.contains(places).mean() > 0.99
    run.session.close()


@pytest.mark.slow
def test_a_run_that_begins_with_another_one_keeps_what_lies_behind(photos, tmp_path, monkeypatch):
    roomy = replace(WARM, field=replace(WARM.field, log2_hashmap_size=14))
    monkeypatch.setitem(PRESETS, "draft", roomy)
    run = trained(photos, tmp_path, "ngp", 200)
    old, known = run.session.trainer.model, psnr(run)
    choice = RunOptions("draft", steps=1000, method="surface", unbounded=True)
    run.do(m.WarmStart(choice), "training")
    run.steps(1)
    new = run.session.trainer.model
    far = 5 * torch.nn.functional.normalize(torch.randn(500, 3), dim=-1)
    with torch.no_grad():
        off = (new.radiance.implicit_value(far) - old.radiance.implicit_value(far)).abs().mean()
    assert float(off) < 0.1
    fresh = Watched(tmp_path / "fresh", hold_out=True)
    fresh.do(m.Open(str(photos)), "ready")
    fresh.do(m.Start(choice), "training")
    fresh.steps(1)
    nothing = psnr(fresh)
    fresh.session.close()
    assert known > nothing + 8
    assert psnr(run) > nothing + 4
    run.session.close()
