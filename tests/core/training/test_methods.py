"""The methods go the whole way, on the embedded sample and in a real session; that of the surface
does in `test_session`."""

import json
import math
from dataclasses import replace
from typing import get_args

import msgspec
import numpy as np
import pytest
import torch

from core import protocol as m
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.evaluation.surface_metrics import read_surface
from core.field.methods import METHODS
from core.sample import FOLDER
from core.session import training_loop
from core.training.memory_forecast import fit_to_memory, halved_batch
from core.training.presets import PRESETS, run_config
from tests.core.session.watched import Watched, view
from tests.core.shaded_ball import CPU, quick_conversion

NAMES = list(METHODS)
STEPS = 30


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    draft = PRESETS["draft"]
    field = replace(draft.field, n_levels=6, log2_hashmap_size=13, finest_resolution=96)
    train = replace(
        draft.train,
        n_rays=256,
        samples_per_step=1024,
        density_samples=4096,
        max_photo_side=80,
        occupancy_resolution=32,
        density_until=0.6,
        levels_from=0.6,
        levels_until=0.8,
    )
    monkeypatch.setitem(PRESETS, "draft", replace(draft, field=field, train=train))
    monkeypatch.setattr(training_loop, "STATS_EVERY_S", 0.0)
    quick_conversion(monkeypatch)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("methods")


@pytest.mark.parametrize("method", [name for name in NAMES if name != "surface"])
@pytest.mark.slow
def test_a_method_goes_the_whole_way(method, home):
    run = Watched(home / method / "autosave", hold_out=True)
    run.do(m.Open(str(FOLDER)), "ready")
    events = run.do(m.Start(RunOptions("draft", steps=STEPS, method=method)), "finished")
    stats = [e for e in events if isinstance(e, m.TrainingStats) and e.losses]
    first, last = (np.mean([e.psnr for e in some]) for some in (stats[:4], stats[-4:]))
    assert last > first + 0.7, "the photos are explained better and better"
    assert {e.phase for e in stats} == {"radiance"}
    assert math.isnan(stats[-1].inv_s)
    assert not {"eikonal", "curvature"} & set(stats[-1].losses), "a density keeps no distances"

    model = run.session.trainer.model
    for i, mode in enumerate(("color", "normals", "depth", "level", "slice", "error")):
        run.pictures.clear()
        run.do(replace_view(view(10 + i), mode=mode))
        run.work(lambda: any(final for *_, final in run.pictures))
    run.pictures.clear()
    run.do(replace_view(view(20), levels=1))
    run.work(lambda: any(final for *_, final in run.pictures))

    project = home / method / "project"
    run.do(m.Save(str(project)))
    assert f'"method": "{method}"' in (project / "config.json").read_text()
    again = Watched(home / method / "again")
    again.do(m.Open(str(project)), "finished")
    opened = next(e for e in again.events if isinstance(e, m.Opened))
    assert opened.choice.method == method
    assert set(opened.methods) == set(NAMES)
    for name, value in model.state_dict().items():
        assert value.equal(again.session.trainer.model.state_dict()[name]), name
    for watched in (run, again):
        mesh = home / method / f"{watched is run}.ply"
        options = MeshOptions(resolution=48, format="ply", density=0.6)
        watched.do(m.Export(str(mesh), options), "finished")
    vertices, faces = read_surface(mesh)
    np.testing.assert_array_equal(vertices, read_surface(home / method / "True.ply")[0])
    assert len(faces) > 100
    about = json.loads(mesh.with_name("False.ply.json").read_text())
    assert any("approximate" in note for note in about["notes"])
    for watched in (run, again):
        watched.session.close()


def replace_view(seen, **changes):
    return m.SetView(msgspec.structs.replace(seen.view, **changes))


def test_a_density_is_cut_where_it_is_asked_to_be(home):
    """A ball whose density falls from its middle: level = 4 · (r - 0.3), density 30 at r = 0.3."""
    from core.meshing.surface.level_set import LevelSet
    from core.rendering.volume import density, density_logit_of

    radius = np.random.default_rng(0).uniform(0.05, 0.95, 400)
    points = np.random.default_rng(1).normal(size=(400, 3))
    points *= (radius / np.linalg.norm(points, axis=1))[:, None]
    for wanted in (30.0, 3.0):
        zero = density_logit_of(wanted)
        assert float(density(torch.tensor(zero))) == pytest.approx(wanted)
        edge = 0.3 + zero / 4
        cut = LevelSet(lambda x, zero=zero: 4 * (np.linalg.norm(x, axis=1) - 0.3) - zero)
        found = cut(points.astype(np.float32))
        sure = np.abs(radius - edge) > 1e-4
        np.testing.assert_array_equal((found < 0)[sure], (radius < edge)[sure])
        assert (np.abs(found) < np.abs(radius - edge) + 0.05).all(), "no surface is skipped"


@pytest.mark.parametrize("method", NAMES)
def test_a_run_that_does_not_fit_is_made_smaller_until_it_cannot(method):
    config = run_config(RunOptions("standard", method=method))
    assert config.method == method
    least, told = fit_to_memory(config, [], True, CPU, 0.0)
    assert halved_batch(least) is None
    assert METHODS[method].smaller(least.field) is None
    assert told


def test_the_command_line_offers_what_there_is():
    from core.config.run import MethodName

    assert list(get_args(MethodName)) == NAMES
