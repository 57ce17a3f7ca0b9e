"""What a run is said to take, against what it takes."""

from dataclasses import replace

import pytest
import torch

from core.base.parallel import num_workers
from core.field import methods
from core.field.model import SceneModel
from core.geometry.cameras import Intrinsics
from core.training import memory_forecast as f
from core.training.presets import PRESETS
from core.training.step import loss_and_grads, sample_rays_of_shard
from tests.core.shaded_ball import CPU, TINY, WARM, ball_store, ball_trainer

LENS = Intrinsics(4000, 3000, 3000.0, 3000.0, 2000.0, 1500.0)
DRAFT = PRESETS["draft"]


def test_photos_and_parameters_are_counted():
    told = f.forecast(DRAFT, [LENS] * 10, True, CPU)
    assert told.photos == 10 * 4 * 800 * 600
    model = SceneModel(DRAFT, 10, True)
    model.use_sdf()  # when there are most of them
    parameters = sum(p.numel() for p in model.parameters())
    assert told.tables == 4 * parameters
    assert told.optimizer == 4 * parameters * (
        2 + num_workers(CPU)
    )  # two moments; each lane's gradient
    assert told.device == told.tables + told.optimizer + told.activations + told.base


@pytest.mark.parametrize("config", [TINY, WARM], ids=["surface", "density"])
def test_samples_take_about_what_a_step_saves_for_its_way_back(tmp_path, config):
    with ball_store(tmp_path) as store:
        trainer = ball_trainer(store, config)
        batch = trainer.supervision.sample_batches(
            trainer.model, config.train, trainer.n_rays, 0.0
        )[0]
        found = sample_rays_of_shard(trainer.model, trainer.occupancy, batch, config.train, 0.0)
        saved = {}

        def keep(tensor):
            storage = tensor.untyped_storage()
            saved[storage.data_ptr()] = storage.nbytes()
            return tensor

        owned = {p.untyped_storage().data_ptr() for p in trainer.model.parameters()}
        parameters = [p for group in trainer.optimizer.param_groups for p in group["params"]]
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            lane = loss_and_grads(trainer.model, batch, found, config.train, 0.0, parameters, 1.0)
    measured = sum(size for at, size in saved.items() if at not in owned)
    surface, density = f._floats_per_sample(trainer.model, config.field)
    n = lane.n_kept + (0 if config is WARM else len(batch.regularizer_points))
    told = 4 * n * (density if config is WARM else surface)
    assert 0.5 < told / measured < 2


def test_a_run_that_fits_is_left_alone():
    assert f.fit_to_memory(DRAFT, [LENS], True, CPU, 64e9) == (DRAFT, [])


def test_the_batch_is_lowered_before_the_tables_and_nothing_for_ever():
    high = PRESETS["high"]
    need = f.forecast(high, [LENS], True, CPU).device
    lowered, told = f.fit_to_memory(high, [LENS], True, CPU, need - 1)
    assert lowered.train.samples_per_step == high.train.samples_per_step // 2
    assert lowered.field == high.field
    assert [*map(str, told)] == ["16384 samples per step instead of 32768"]
    least, told = f.fit_to_memory(high, [LENS], True, CPU, 0)
    assert least.train.samples_per_step == f.MIN_SAMPLES
    assert least.field.log2_hashmap_size == methods.SMALLEST_TABLE
    assert str(told[1]) == "tables of 2^15 rows instead of tables of 2^19 rows"
    assert least.train == replace(
        high.train,
        samples_per_step=high.train.samples_per_step // 64,
        density_samples=high.train.density_samples // 64,
        n_rays=high.train.n_rays // 64,
    )


def test_there_is_a_budget_here():
    assert 1e8 < f.budget(CPU) < 1e14


def test_sizes_for_people():
    assert (f.format_bytes(38.4e6), f.format_bytes(1.24e9)) == ("38 MB", "1.2 GB")
