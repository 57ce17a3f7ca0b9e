"""More steps where the first ones weighed, against running sums known in closed form."""

import math

import pytest
import torch

from core.rendering.hierarchical import even_edges, inverse_transform, march_hierarchically
from core.rendering.occupancy import OccupancyGrid
from core.rendering.volume import composite, density, density_alpha, density_logit_of

CPU = torch.device("cpu")


def test_even_steps_fill_a_ray_whatever_the_jitter():
    near, far = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.5])
    still = even_edges(near, far, 4, None)
    wanted = torch.tensor([[1, 1.5, 2, 2.5, 3], [2, 2.125, 2.25, 2.375, 2.5]])
    torch.testing.assert_close(still, wanted)
    for jitter in (0.0, 0.3, 0.999):
        moved = even_edges(near, far, 4, torch.full((2,), jitter))
        assert (moved[:, 0] == near).all()
        assert (moved[:, -1] == far).all()
        assert (moved.diff(dim=-1) >= 0).all()
        torch.testing.assert_close(moved[0, 1:-1], still[0, 1:-1] + (jitter - 0.5) * 0.5)


def test_places_follow_the_running_sum_of_the_weights():
    """Weights 2·t on [0, 1] have the sum t², whose inverse is √u."""
    edges = torch.linspace(0, 1, 513)[None]
    weights = edges[:, :-1] + edges[:, 1:]
    places = inverse_transform(edges, weights, 100, None)
    even = (torch.arange(100) + 0.5) / 100
    torch.testing.assert_close(places[0], even.sqrt(), atol=2e-3, rtol=0)
    two = inverse_transform(torch.tensor([[0.0, 1, 2]]), torch.tensor([[3.0, 1]]), 4, None)
    torch.testing.assert_close(two, torch.tensor([[1 / 6, 0.5, 5 / 6, 1.5]]))


def test_many_draws_have_the_shares_of_the_weights():
    edges, weights = torch.linspace(0, 1, 5)[None], torch.tensor([[0.1, 0.0, 0.6, 0.3]])
    jitter = torch.linspace(0, 0.999, 200)
    places = inverse_transform(edges.expand(200, -1), weights.expand(200, -1), 16, jitter)
    counts = torch.histc(places, 4, 0, 1) / places.numel()
    torch.testing.assert_close(counts, weights[0], atol=5e-3, rtol=0)
    assert (places.diff(dim=-1) >= 0).all()


def level_at(wanted):
    return -(wanted.clamp(min=1e-9) / 30).log() / 10


@pytest.mark.parametrize(
    ("medium", "opacity"),
    [
        (lambda x: torch.full((len(x),), 0.7), 1 - math.exp(-0.7 * 2)),  # all of the ball
        (lambda x: 3.0 * (x.abs() < 0.25).all(-1), 1 - math.exp(-3 * 0.5)),  # a box
        (lambda x: 150.0 * (x[:, 0].abs() < 0.01), 1 - math.exp(-150 * 0.02)),  # a thin wall
    ],
)
def test_light_through_a_medium_falls_as_it_must(medium, opacity):
    """Beer and Lambert: e^(-density · length), through the ball along x."""
    n = 64
    origins = torch.tensor([[-2.0, 0, 0]]).expand(n, 3).contiguous()
    directions = torch.tensor([[1.0, 0, 0]]).expand(n, 3).contiguous()
    jitter = torch.linspace(0, 0.99, n)
    grid = OccupancyGrid(16, CPU)
    coarse, steps = march_hierarchically(
        origins, directions, grid, (64, 128), jitter, lambda x: level_at(medium(x))
    )
    assert len(coarse.t_starts) == n * 64
    assert len(steps.t_starts) > n * 185, "but for such as have no length"
    lengths = steps.t_ends - steps.t_starts
    covered = torch.zeros(n).index_add(0, steps.ray_indices, lengths)
    torch.testing.assert_close(covered, torch.full((n,), 2.0))
    alphas = density_alpha(level_at(medium(steps.positions(origins, directions))), lengths)
    _, seen = composite(alphas, torch.ones(len(alphas), 1), steps.ray_starts)
    assert float(seen.mean()) == pytest.approx(opacity, abs=0.02)


def test_steps_in_empty_cells_are_left_out():
    grid = OccupancyGrid(8, CPU)
    grid.occupied[:4] = False  # x < 0
    origin, along = torch.tensor([[-2.0, 0.1, 0.1]]), torch.tensor([[1.0, 0, 0]])
    coarse, steps = march_hierarchically(
        origin, along, grid, (32, 32), None, lambda x: torch.full((len(x),), density_logit_of(1.0))
    )
    for found in (coarse, steps):
        assert len(found.t_starts)
        assert (found.positions(origin, along)[:, 0] > 0).all()


def test_a_level_stands_for_its_density():
    for wanted in (0.1, 30.0, 200.0):
        assert float(density(torch.tensor(density_logit_of(wanted)))) == pytest.approx(wanted)
