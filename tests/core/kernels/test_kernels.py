"""Every backend agrees with the reference."""

import math

import pytest
import torch

from core.kernels import GridLayout, reference
from tests.core.kernels.cases import LAYOUT, WEIGHTS, off_walls, packed, points, random

GRIDS = [pytest.param(f, w, id=f"{f}-features-{w.sum():g}-levels") for f in LAYOUT for w in WEIGHTS]
each_grid = pytest.mark.parametrize(("n_features", "weights"), GRIDS)


def agree(found, expected):
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=2e-4)


def test_the_small_grid_has_both_kinds_of_levels():
    assert LAYOUT[2].dense.tolist() == [True, True, False, False]


@each_grid
def test_encode(backend, device, n_features, weights):
    layout, x = LAYOUT[n_features], points()
    table, grad = random(layout.n_rows, n_features), random(len(x), layout.width)
    on = [t.to(device) for t in (x, table, weights, grad)]
    agree(backend.encode(on[0], on[1], layout, on[2]), reference.encode(x, table, layout, weights))
    agree(
        backend.encode_backward(on[0], on[3], on[1], layout, on[2]),
        reference.encode_backward(x, grad, table, layout, weights),
    )


@each_grid
def test_encode_gradient(backend, device, n_features, weights):
    layout, x = LAYOUT[n_features], points()
    x[200:] = x[200:].where(off_walls(x[200:], layout), torch.tensor(0.3))  # two-sided slope there
    table, v, grad = (
        random(layout.n_rows, n_features),
        random(len(x), layout.width),
        random(len(x), 3, seed=2),
    )
    on = [t.to(device) for t in (x, v, table, weights, grad)]
    agree(
        backend.encode_gradient(on[0], on[1], on[2], layout, on[3]),
        reference.encode_gradient(x, v, table, layout, weights),
    )
    found = backend.encode_gradient_backward(on[0], on[1], on[4], on[2], layout, on[3])
    expected = reference.encode_gradient_backward(x, v, grad, table, layout, weights)
    agree(found[0], expected[0])
    torch.testing.assert_close(found[1].cpu(), expected[1], rtol=1e-3, atol=1e-2)  # sums of many


def ray_bundle(n=300):
    origins = torch.nn.functional.normalize(random(n, 3), dim=-1) * 1.5
    aims = random(n, 3, seed=3) * 0.4
    directions = torch.nn.functional.normalize(aims - origins, dim=-1)
    directions[0] = torch.tensor([0.0, 0.0, 1.0])
    near = torch.rand(n, generator=torch.manual_seed(4)) * 0.5 + 0.3
    return origins, directions, near, near + 2.0


@pytest.mark.parametrize("occupied_share", [0.0, 0.1, 1.0])
def test_march(backend, device, occupied_share):
    origins, directions, near, far = ray_bundle()
    far[5] = near[5] - 1  # a ray that misses
    occupied = torch.rand(8, 8, 8, generator=torch.manual_seed(5)) < occupied_share
    dt = 0.013
    results = []
    for kernels, place in ((backend, device), (reference, torch.device("cpu"))):
        on = [t.to(place) for t in (origins, directions, near, far, occupied)]
        starts, ends, ray_starts = (t.cpu() for t in kernels.march(*on, dt))
        torch.testing.assert_close(ends, starts + dt)
        ray = torch.repeat_interleave(torch.arange(len(near)), ray_starts.diff())
        step = ((starts - near[ray]) / dt).round().long()
        assert (starts.diff()[ray.diff() == 0] > 0).all()
        results.append(set(zip(ray.tolist(), step.tolist())))
    # rounding may decide otherwise only where the middle of a step is on a wall between cells
    for ray, step in results[0] ^ results[1]:
        middle = origins[ray] + directions[ray] * (near[ray] + (step + 0.5) * dt)
        assert ((middle * 4 - (middle * 4).round()).abs() < 1e-4).any()
    assert (len(results[1]) > 0) == (occupied_share > 0)


@pytest.mark.parametrize("near", [0.02, 0.3])
def test_approach(backend, device, near):
    origins, directions, t, t_end = ray_bundle()
    t_end[5] = t[5] - 1  # a ray that misses
    middles = (torch.arange(12) + 0.5) / 6 - 1
    places = torch.stack(torch.meshgrid(middles, middles, middles, indexing="ij"), -1)
    distances = (places - torch.tensor([0.1, 0.0, -0.2])).norm(dim=-1) - 0.3
    arguments = [origins, directions, t, t_end, distances]
    expected = reference.approach(*arguments, near)
    found = backend.approach(*[a.to(device) for a in arguments], near).cpu()
    agree(found, expected)
    stopped = expected < t_end
    assert stopped.any()
    assert not stopped.all()
    assert (expected >= t).all()


def test_a_ray_approaches_a_plane_until_it_is_near(backend, device):
    """z = 0 as seen from z = -0.9: linear distances are interpolated exactly."""
    z = (torch.arange(10) + 0.5) / 5 - 1
    distances = -z.expand(10, 10, 10).contiguous()
    ray = torch.tensor([[0.3, 0.3, -0.9]]), torch.tensor([[0.0, 0.0, 1.0]])
    on = [a.to(device) for a in (*ray, torch.zeros(1), torch.tensor([2.0]), distances)]
    at = backend.approach(*on, 0.1)
    # 0.9, then 0.3 of what is left after each step: 0.27, then 0.081, the first below 0.1
    agree(at, torch.tensor([0.9 - 0.9 * 0.3**2]))
    on[2] = at
    agree(backend.approach(*on, 0.1), at.cpu())
    on[3] = torch.tensor([0.5], device=device)
    assert backend.approach(*on, 0.01) >= 0.5, "what lies behind the end is not looked at"


@pytest.mark.parametrize("band", [0.03, 0.15])
def test_march_near(backend, device, band):
    """By the lattice of a ball, which some rays miss and one begins inside of."""
    origins, directions, near, far = ray_bundle()
    origins[7], near[7] = torch.tensor([0.1, 0.0, -0.2]), 0.0
    far[5] = near[5] - 1  # a ray that misses
    middles = (torch.arange(24) + 0.5) / 12 - 1
    places = torch.stack(torch.meshgrid(middles, middles, middles, indexing="ij"), -1)
    distances = (places - torch.tensor([0.1, 0.0, -0.2])).norm(dim=-1) - 0.3
    dt = 0.013
    results, ends = [], []
    for kernels, place in ((backend, device), (reference, torch.device("cpu"))):
        on = [t.to(place) for t in (origins, directions, near, far, distances)]
        starts, stops, ray_starts, ended = (t.cpu() for t in kernels.march_near(*on, dt, band))
        torch.testing.assert_close(stops, starts + dt)
        ray = torch.repeat_interleave(torch.arange(len(near)), ray_starts.diff())
        step = ((starts - near[ray]) / dt).round().long()
        results.append(set(zip(ray.tolist(), step.tolist())))
        ends.append(ended)
    assert results[0] == results[1]
    assert ends[0].equal(ends[1])
    assert 10 < ends[1].sum() < 280
    assert ends[1][7]
    assert [step for ray, step in results[1] if ray == 7] == [0], "what is asked there may tell"
    assert not any(ray == 5 for ray, _ in results[1])


def test_marching_near_a_plane_keeps_the_steps_around_it(backend, device):
    """z = 0 as seen from z = -0.9 by linear distances; 20 steps of 0.1, their middles at ±0.05."""
    z = (torch.arange(10) + 0.5) / 5 - 1
    distances = -z.expand(10, 10, 10).contiguous()
    ray = torch.tensor([[0.3, 0.3, -0.9]]), torch.tensor([[0.0, 0.0, 1.0]])
    on = [a.to(device) for a in (*ray, torch.zeros(1), torch.tensor([1.8]), distances)]
    starts, _, _, ended = backend.march_near(*on, 0.1, 0.2)
    agree(starts, torch.tensor([0.7, 0.8, 0.9, 1.0]))
    assert ended.tolist() == [True]
    on[3] = torch.tensor([1.05], device=device)
    starts, _, _, ended = backend.march_near(*on, 0.1, 0.2)
    agree(starts, torch.tensor([0.7, 0.8, 0.9]))
    assert ended.tolist() == [False], "it ran out before"


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_neus_weights(backend, device, ratio):
    ray_starts = packed()[2]
    starts = torch.linspace(0, 1, 48)
    sdf = 0.3 - 0.9 * (starts % 0.45)
    arguments = [sdf, starts, starts + 0.01, ray_starts]
    found = backend.neus_weights(*[t.to(device) for t in arguments], 40.0, ratio)
    expected = reference.neus_weights(*arguments, 40.0, ratio)
    assert expected.max() > 0.05
    agree(found, expected)


@pytest.mark.parametrize("channels", [1, 5])
def test_composite(backend, device, channels):
    alphas, values, ray_starts = packed(channels=channels)
    grad_weights, grad_out = random(48, seed=7), random(5, channels, seed=8)
    weights, out = reference.composite(alphas, values, ray_starts)
    found = backend.composite(*packed(device, channels))
    agree(found[0], weights)
    agree(found[1], out)
    expected = reference.composite_backward(
        alphas, values, weights, ray_starts, grad_weights, grad_out
    )
    on = [t.to(device) for t in (alphas, values, weights, ray_starts, grad_weights, grad_out)]
    for a, b in zip(backend.composite_backward(*on), expected):
        agree(a, b)


def test_nothing_in_gives_nothing_out(backend, device):
    layout, weights = LAYOUT[2], WEIGHTS[0].to(device)
    table = random(layout.n_rows, 2).to(device)
    x, wide = torch.empty(0, 3, device=device), torch.empty(0, layout.width, device=device)
    assert backend.encode(x, table, layout, weights).shape == (0, layout.width)
    assert not backend.encode_backward(x, wide, table, layout, weights).any()
    occupied = torch.ones(8, 8, 8, dtype=torch.bool, device=device)
    t_starts, t_ends, ray_starts = backend.march(x, x, x[:, 0], x[:, 0], occupied, 0.1)
    assert t_starts.shape == t_ends.shape == (0,)
    assert ray_starts.tolist() == [0]
    ray_starts = torch.zeros(4, dtype=torch.long, device=device)  # three rays without samples
    weights, out = backend.composite(x[:, 0], x, ray_starts)
    assert weights.shape == (0,)
    assert torch.equal(out.cpu(), torch.zeros(3, 3))


def test_the_far_corner_reads_nothing_beyond_the_table(backend, device):
    layout = GridLayout.create(1, 2, 12, 8, 8)
    table = torch.full((layout.n_rows + 200, 2), math.nan, device=device)
    table[: layout.n_rows] = 3
    found = backend.encode(
        torch.ones(1, 3, device=device),
        table[: layout.n_rows],
        layout,
        torch.ones(1, device=device),
    )
    assert found.tolist() == [[3, 3]]


def test_views_with_gaps_are_taken_as_what_they_show(backend, device):
    layout = LAYOUT[2]
    x, grad, table = points(), random(1500, layout.width), random(layout.n_rows, 2)
    on = [torch.stack([t, t.flip(0)], -1).to(device)[..., 0] for t in (x, grad, table)]
    agree(
        backend.encode(on[0], on[2], layout, WEIGHTS[0].to(device)),
        reference.encode(x, table, layout, WEIGHTS[0]),
    )
    agree(
        backend.encode_backward(on[0], on[1], on[2], layout, WEIGHTS[0].to(device)),
        reference.encode_backward(x, grad, table, layout, WEIGHTS[0]),
    )
