"""The topology warm-up: fog that rays see into, and space that stays empty."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.config import FieldConfig, TrainConfig
from core.field.color import ColorNetwork
from core.rendering.occupancy import OccupancyGrid
from core.rendering.sampling import march, march_through_fog
from core.rendering.volume import composite, fog_alpha
from core.training import losses, schedule
from tests.core.shaded_ball import TINY, ball_store, ball_trainer

CPU = torch.device("cpu")
TRAIN = TrainConfig(
    fog_until=0.2, fog_gone=0.4, empty_until=0.6, fog_freedom=0.25, initial_inv_s=50.0,
    settled_inv_s=200.0, final_inv_s=800.0, view_from=0.3, view_until=0.5,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as made:
        yield made


def ball(radius: float):
    return lambda x: x.norm(dim=-1) - radius


def test_the_fog_is_full_then_fades_and_is_gone():
    assert [schedule.fog(TRAIN, p) for p in (0, 0.2, 0.3, 0.4, 1)] == pytest.approx(
        [1, 1, 0.5, 0, 0])
    without = TrainConfig(fog_until=0.0)
    assert not any(schedule.fog(without, p) for p in np.linspace(0, 1, 11))


def test_the_sharpness_settles_while_the_fog_fades():
    curve = [schedule.inv_s(TRAIN, p) for p in (0, 0.2, 0.3, 0.4, 0.7, 1)]
    assert curve == pytest.approx([50, 50, 100, 200, 400, 800])


def test_terms_are_light_in_the_fog_and_views_come_after_it():
    assert [schedule.firmness(TRAIN, p) for p in (0, 0.19, 0.2, 1)] == [0.25, 0.25, 1, 1]
    assert [schedule.view_dependence(TRAIN, p) for p in (0, 0.3, 0.4, 0.5, 1)] == pytest.approx(
        [0, 0, 0.5, 1, 1])
    assert [schedule.keeps_empty(TRAIN, p) for p in (0.1, 0.2, 0.5, 0.6)] == [
        False, True, True, False]


def test_fog_is_thick_inside_and_absent_outside():
    lengths = torch.tensor([0.1, 0.1, 0.1])
    alphas = fog_alpha(torch.tensor([-5.0, 0.0, 5.0]), lengths, 20.0)
    expected = [1 - np.exp(-2.0), 1 - np.exp(-1.0), 0.0]  # density inv_s, half of it, none
    assert alphas.tolist() == pytest.approx(expected, abs=1e-6)
    assert fog_alpha(torch.tensor([-5.0]), lengths[:1], 20.0, 0.0).item() == 0


def test_marching_through_fog_keeps_what_carries_weight():
    grid = OccupancyGrid(16, CPU)
    origins = torch.tensor([[0.0, 0.0, -3.0], [0.3, 0.1, -3.0]])
    directions = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    every = march(origins, directions, grid, 0.02)
    sdf = ball(0.5)(every.positions(origins, directions))
    alphas = fog_alpha(sdf, every.t_ends - every.t_starts, 30.0)
    weights, _ = composite(alphas, alphas[:, None], every.ray_starts)
    kept, asked = march_through_fog(origins, directions, grid, 0.02, None, ball(0.5), 30.0, 1e-3)
    assert asked == len(every.t_starts)
    assert kept.t_starts.tolist() == every.t_starts[weights > 1e-3].tolist()
    assert 0 < len(kept.t_starts) < asked


def test_space_known_to_be_empty_is_away_from_the_surface_and_stays_empty():
    grid = OccupancyGrid(32, CPU)
    grid.mark_empty(ball(0.4), 0.0)
    points = grid.empty_points(2000)
    cell = 2 / 32
    assert len(points) == 2000
    assert (points.norm(dim=-1) > 0.4 + cell).all(), "two cells of grace around the surface"
    grid.update(lambda x: torch.zeros(len(x)), 100.0)  # a field that sees a surface everywhere
    assert not (grid.occupied & grid.known_empty).any()
    assert grid.occupied.any()


def test_no_space_known_to_be_empty_gives_no_points():
    assert len(OccupancyGrid(8, CPU).empty_points(10)) == 0


def test_the_empty_term_counts_only_what_is_too_near():
    sdf = torch.tensor([0.5, 0.03, -0.01])
    assert losses.empty_loss(sdf, 0.05).item() == pytest.approx((0.02 + 0.06) / 3)


def test_without_view_dependence_a_place_has_one_colour():
    torch.manual_seed(0)
    network = ColorNetwork(FieldConfig())
    place = torch.rand(1, 3).expand(8, 3)
    normals = torch.tensor([[0.0, 0.0, 1.0]]).expand(8, 3)
    features = torch.rand(1, 15).expand(8, 15)
    directions = torch.nn.functional.normalize(torch.randn(8, 3), dim=-1)

    def spread() -> float:
        return network(place, normals, directions, features, None).std(0).max().item()

    assert spread() > 1e-4
    network.view_dependence = 0.0
    assert spread() < 1e-6


def test_a_run_holds_empty_space_for_its_time(store):
    train = replace(
        TINY.train, fog_until=0.2, fog_gone=0.4, empty_until=0.6, empty_margin=0.0,
        initial_inv_s=60.0,
    )
    trainer = ball_trainer(store, replace(TINY, train=train))
    held = []
    while not trainer.finished:
        trainer.step()
        held.append((trainer.progress, bool(trainer.occupancy.known_empty.any())))
    assert any(flag for _, flag in held)
    assert not any(flag for progress, flag in held if progress <= 0.2 or progress > 0.65)
