"""All of space in a ball, pieces of cones in it, and what fields are told of those."""

import math

import pytest
import torch
from torch.autograd.functional import jacobian

from core.field.contraction import REACH, ContractedRay, Frustums, contract
from core.field.hash_grid import HashGrid
from core.field.nerf import positional_encoding
from core.kernels import GridLayout


def directions_and_origins(n):
    torch.manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(n, 3), dim=-1)
    return directions, 2 * torch.randn(n, 3)


def test_a_length_along_a_ray_is_the_integral_of_the_shrinking():
    directions, origins = directions_and_origins(20)
    passage = ContractedRay.of(origins, directions)
    t = torch.linspace(0.1, 9, 40001).expand(20, -1)
    r = (origins[:, None] + directions[:, None] * t[..., None]).norm(dim=-1)
    summed = torch.trapezoid(1 / r.clamp(min=1) ** 2, t)
    ends = passage.length(torch.tensor([[0.1, 9.0]]).expand(20, 2))
    torch.testing.assert_close(ends[:, 1] - ends[:, 0], summed, rtol=1e-4, atol=1e-4)


def test_a_frustum_is_as_wide_as_the_points_in_it():
    """Moments of points drawn in a cone, against those in closed form."""
    torch.manual_seed(0)
    n, near, far, width = 400_000, 1.0, 1.6, 0.3
    radius = width * 2 / math.sqrt(12)
    t = near * (1 + torch.rand(n) * ((far / near) ** 3 - 1)) ** (1 / 3)  # as cross-sections grow
    angle, r = 2 * math.pi * torch.rand(n), radius * t * torch.rand(n).sqrt()
    wide = Frustums.of(
        torch.tensor([[0.0, 0, 1]]), *(torch.tensor([x]) for x in (near, far, width))
    )
    assert float(wide.along) == pytest.approx(float(t.var()), rel=0.01)
    assert float(wide.across) == pytest.approx(float((r * angle.cos()).var()), rel=0.01)


def test_variances_go_through_the_slope_of_the_contraction():
    directions, positions = directions_and_origins(30)
    wide = Frustums(directions, torch.rand(30) * 0.1, torch.rand(30) * 0.1)
    found = wide.variances(positions)
    for i in range(30):
        slope = jacobian(contract, positions[i : i + 1])[0, :, 0]
        d = directions[i]
        across = torch.eye(3) - torch.outer(d, d)
        spread = wide.along[i] * torch.outer(d, d) + wide.across[i] * across
        torch.testing.assert_close(found[i], (slope @ spread @ slope.T).diag())
        volume = torch.linalg.det(slope).abs() ** (1 / 3)
        torch.testing.assert_close(wide.size(positions)[i], wide.across[i].sqrt() * volume)


def test_the_integrated_encoding_of_a_point_is_the_plain_one():
    x = torch.rand(100, 3) * 2 - 1
    off = [
        (positional_encoding(x, 10, torch.full((100, 3), v)) - positional_encoding(x, 10))
        .abs()
        .max()
        for v in (1e-4, 1e-6, 1e-8, 0.0)
    ]
    assert off[0] > off[1] > off[2] > off[3] == 0
    assert off[2] < 0.02


def test_the_integrated_encoding_is_the_mean_over_what_it_stands_for():
    torch.manual_seed(0)
    x, variance = torch.tensor([[0.3, -0.2, 0.7]]), torch.tensor([[0.01, 0.003, 0.0]])
    around = x + variance.sqrt() * torch.randn(200_000, 3)
    torch.testing.assert_close(
        positional_encoding(x, 3, variance)[0],
        positional_encoding(around, 3).mean(0),
        atol=0.01,
        rtol=0,
    )


def test_levels_of_a_grid_count_in_full_for_a_point_and_not_for_what_holds_many_cells():
    grid = HashGrid(GridLayout.create(6, 2, 10, 4, 128), REACH)
    seen = grid.seen(torch.tensor([1e-9, 0.01, 0.1, 10.0]))
    assert torch.equal(seen[0], torch.ones(6))
    assert (seen.diff(dim=0) <= 0).all(), "the wider, the less"
    assert (seen.diff(dim=1) <= 0).all(), "the finer, the less"
    assert seen[3].max() < 0.1
    x = torch.rand(50, 3) * 4 - 2
    with torch.no_grad():
        torch.testing.assert_close(grid(x, 6.0, torch.full((50,), 1e-9)), grid(x, 6.0))


def test_a_grid_of_contracted_space_has_its_own_place_for_each_point():
    layout = GridLayout.create(1, 2, 12, 8, 8)
    near, wide = HashGrid(layout), HashGrid(layout, REACH)
    wide.load_state_dict(near.state_dict())
    x = torch.rand(50, 3) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(wide(2 * x, 1.0), near(x, 1.0))
    assert wide.cell_size(1) == 2 * near.cell_size(1)
