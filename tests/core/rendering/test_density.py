"""The density of the warm-up: what it is, what a march through it keeps, where it is looked for."""

import math

import pytest
import torch
from torch.nn import functional as F

from core.rendering.occupancy import ALPHA_DECAY, NEGLIGIBLE_ALPHA, OccupancyGrid
from core.rendering.sampling import DENSITY_STEP, march, march_through_density
from core.rendering.volume import MAX_DENSITY, composite, density, density_alpha

CPU = torch.device("cpu")


def ball(x):
    return x.norm(dim=-1) - 0.5


def test_density_falls_with_the_level_and_is_capped():
    levels = torch.linspace(-1, 1, 201)
    found = density(levels)
    assert density(torch.tensor([0.0, 0.1, 0.2])).tolist() == pytest.approx(
        [30, 30 / math.e, 30 / math.e**2]
    )
    assert (found.diff() <= 0).all()
    capped = levels < -math.log(MAX_DENSITY / 30) / 10
    assert (found[capped] == MAX_DENSITY).all()
    assert (found[~capped] < MAX_DENSITY).all()
    assert 0 < capped.sum() < 201
    assert (found > 0).all()


def test_opacity_is_what_a_step_through_the_density_stops():
    levels, lengths = torch.tensor([0.0, 0.0, 5.0, -5.0]), torch.tensor([0.1, 0.0, 0.1, 0.01])
    assert density_alpha(levels, lengths).tolist() == pytest.approx(
        [1 - math.exp(-3), 0, 0, 1 - math.exp(-2.2)], abs=1e-6
    )
    # two steps of half the length stop as much as one
    halves = density_alpha(levels, lengths / 2)
    torch.testing.assert_close(1 - (1 - halves) ** 2, density_alpha(levels, lengths))


@pytest.mark.parametrize("threshold", [1e-3, 1e-2])
def test_marching_through_density_keeps_all_but_the_threshold_of_the_weight(threshold):
    grid = OccupancyGrid(16, CPU)
    torch.manual_seed(0)
    origins = 3 * F.normalize(torch.randn(50, 3), dim=-1)
    directions = F.normalize(0.3 * torch.randn(50, 3) - origins, dim=-1)
    jitter = torch.rand(50)
    every = march(origins, directions, grid, DENSITY_STEP, jitter)
    levels = ball(every.positions(origins, directions))
    alphas = density_alpha(levels, every.t_ends - every.t_starts)
    weights, _ = composite(alphas, alphas[:, None], every.ray_starts)
    kept, asked = march_through_density(
        origins, directions, grid, DENSITY_STEP, jitter, ball, threshold
    )
    assert asked == len(every.t_starts)
    carries = weights > threshold
    assert kept.t_starts.tolist() == every.t_starts[carries].tolist()
    assert kept.ray_indices.tolist() == every.ray_indices[carries].tolist()
    assert 0 < len(kept.t_starts) < 0.5 * asked
    lost = torch.zeros(50).index_add(0, every.ray_indices[~carries], weights[~carries])
    assert (lost <= threshold * every.ray_starts.diff()).all()


def test_of_a_density_that_is_almost_nothing_the_heaviest_steps_are_asked():
    """Else nobody would ever ask it again. Nearly clear, but less so in a ball."""
    grid = OccupancyGrid(16, CPU)
    torch.manual_seed(0)
    origins = 3 * F.normalize(torch.randn(80, 3), dim=-1)
    directions = F.normalize(0.1 * torch.randn(80, 3) - origins, dim=-1)
    kept, _ = march_through_density(
        origins, directions, grid, DENSITY_STEP, None, lambda x: 0.9 + 0.2 * ball(x).sign(), 2e-3
    )
    assert len(kept.t_starts) == 80 // 8
    assert (ball(kept.positions(origins, directions)) < 0).all()


def test_an_opaque_film_hides_what_is_behind_it_from_the_march():
    """Along +X through a film at x = 0 and a block from x = 0.5."""

    def level(x):
        solid = (x[:, 0].abs() < 0.05) | (x[:, 0] > 0.5)
        return torch.where(solid, -1.0, 2.0)

    origin, direction = torch.tensor([[-3.0, 0, 0]]), torch.tensor([[1.0, 0, 0]])
    kept, _ = march_through_density(
        origin, direction, OccupancyGrid(16, CPU), DENSITY_STEP, None, level, 1e-6
    )
    x = kept.positions(origin, direction)[:, 0]
    # the film's optical depth is 22: e^-22 is left of the light
    assert len(x)
    assert (x.abs() < 0.05).all()


def left_of(limit):
    """Half opaque where x < limit, clear elsewhere."""
    return lambda x: 0.5 * (x[:, 0] < limit)


def test_occupancy_remembers_density_for_a_while_and_forgets_it():
    grid = OccupancyGrid(8, CPU)
    grid.update_density(left_of(2.0))  # everywhere
    in_ball = grid.occupied.clone()
    assert in_ball[1:-1, 4, 4].all()
    assert not in_ball[0, 0, 0], "a corner is beyond the ball"
    looks = 0
    while grid.occupied[4:].any():
        grid.update_density(left_of(0.0))
        looks += 1
        assert grid.occupied[:4].equal(in_ball[:4]), "what is still there stays"
        assert looks < 50
    # 0.5 · 0.8ⁿ < 0.05 from n = 11 on
    assert looks == math.ceil(math.log(NEGLIGIBLE_ALPHA / 0.5) / math.log(ALPHA_DECAY)) == 11
    grid.update_density(left_of(2.0))
    assert grid.occupied.equal(in_ball), "and what comes back is there at once"


def test_occupancy_looks_at_a_new_place_in_each_cell_every_time():
    """A speck that fills an eighth of its cell is found sooner or later."""
    grid = OccupancyGrid(8, CPU)
    torch.manual_seed(0)

    def speck(x):
        return 0.9 * ((x > 0.0) & (x < 0.125)).all(-1)

    found = []
    for _ in range(40):
        grid.update_density(speck)
        found.append(bool(grid.occupied[4, 4, 4]))
    assert not all(found[:5])
    assert any(found)
    others = grid.occupied.clone()
    others[4, 4, 4] = False
    assert not others.any()


def test_occupancy_of_a_thin_haze_keeps_its_thicker_half():
    """Nothing is above the negligible opacity, so the mean decides: warm-up begins in a haze."""
    grid = OccupancyGrid(8, CPU)
    grid.update_density(lambda x: 0.01 + 0.01 * (x[:, 0] < 0))
    assert grid.occupied[:4].any()
    assert not grid.occupied[4:].any()
