"""The reference agrees with autograd, and interpolation with arithmetic."""

import math
from itertools import pairwise

import pytest
import torch

from core.kernels import GridLayout, cpu, for_device, reference
from tests.core.kernels.cases import LAYOUT, WEIGHTS, off_walls, packed, points, random


def test_encode_backward_is_what_autograd_says():
    layout, x = LAYOUT[2], points(60).double()
    table = random(layout.n_rows, 2).double().requires_grad_()
    grad = random(60, layout.width).double()
    (expected,) = torch.autograd.grad(reference.encode(x, table, layout, WEIGHTS[1]), table, grad)
    found = reference.encode_backward(x, grad, table.detach(), layout, WEIGHTS[1])
    torch.testing.assert_close(found, expected)


def test_encode_gradient_and_its_backward_are_what_autograd_says():
    layout = LAYOUT[2]
    x = (torch.rand(60, 3, generator=torch.manual_seed(9)) * 0.98 + 0.01).double().requires_grad_()
    table = random(layout.n_rows, 2).double().requires_grad_()
    v = random(60, layout.width).double().requires_grad_()
    encoded = reference.encode(x, table, layout, WEIGHTS[1])
    (by_x,) = torch.autograd.grad(encoded, x, v, create_graph=True)
    found = reference.encode_gradient(x.detach(), v.detach(), table.detach(), layout, WEIGHTS[1])
    torch.testing.assert_close(found, by_x.detach())
    grad = random(60, 3, seed=2).double()
    expected = torch.autograd.grad(by_x, (v, table), grad)
    found = reference.encode_gradient_backward(
        x.detach(), v.detach(), grad, table.detach(), layout, WEIGHTS[1]
    )
    for a, b in zip(found, expected):
        torch.testing.assert_close(a, b)


def test_composite_backward_is_what_autograd_says():
    alphas, values, ray_starts = packed()
    alphas, values = alphas.double().requires_grad_(), values.double().requires_grad_()
    weights, out = [], []
    for a, b in pairwise(ray_starts):
        behind = torch.cat([torch.ones(1).double(), torch.cumprod(1 - alphas[a:b], 0)])[: b - a]
        weights.append(alphas[a:b] * behind)
        out.append(weights[-1] @ values[a:b])
    through = torch.cat(weights), torch.stack(out)
    for a, b in zip(reference.composite(alphas.detach(), values.detach(), ray_starts), through):
        torch.testing.assert_close(a, b.detach())
    grads = random(48).double(), random(5, 5).double()
    expected = torch.autograd.grad(through, (alphas, values), grads)
    found = reference.composite_backward(
        alphas.detach(), values.detach(), through[0].detach(), ray_starts, *grads
    )
    for a, b in zip(found, expected):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kernels", [reference, cpu])
def test_a_constant_grid_gives_the_constant_everywhere(kernels):
    layout = LAYOUT[2]
    table = torch.full((layout.n_rows, 2), 3.0)
    found = kernels.encode(points(), table, layout, WEIGHTS[1])
    expected = 3 * WEIGHTS[1].repeat_interleave(2)
    torch.testing.assert_close(found, expected.expand_as(found))


def test_interpolation_of_a_linear_function_is_exact():
    layout = GridLayout.create(1, 2, 12, 8, 8)
    z, y, x = torch.meshgrid(*[torch.arange(9) / 8] * 3, indexing="ij")
    table = torch.stack([1 + 2 * x - y + 3 * z, x], -1).view(-1, 2)
    p = points().clamp(0, 1)
    found = cpu.encode(p, table, layout, torch.ones(1))
    torch.testing.assert_close(found[:, 0], 1 + 2 * p[:, 0] - p[:, 1] + 3 * p[:, 2])
    torch.testing.assert_close(found[:, 1], p[:, 0])


def test_encode_gradient_is_the_central_difference_inside_a_cell():
    layout = LAYOUT[2]
    table, h = random(layout.n_rows, 2).double(), 1e-5
    x = torch.rand(200, 3, generator=torch.manual_seed(3)).double()
    x = x[off_walls(x, layout)[:, 0] & (x.min(1).values > h) & (x.max(1).values < 1 - h)]
    v = random(len(x), layout.width).double()
    found = reference.encode_gradient(x, v, table, layout, WEIGHTS[0])
    for axis, offset in enumerate(torch.eye(3).double() * h):
        after, before = (
            reference.encode(x + s * offset, table, layout, WEIGHTS[0]) for s in (1, -1)
        )
        torch.testing.assert_close(
            found[:, axis], ((after - before) * v).sum(1) / (2 * h), rtol=1e-6, atol=1e-6
        )


def test_outside_the_domain_there_is_no_slope():
    layout = LAYOUT[2]
    outside = torch.tensor([[-0.1, 0.5, 0.5], [1.2, 0.5, 0.5]])
    slope = reference.encode_gradient(
        outside, torch.ones(2, layout.width), random(layout.n_rows, 2), layout, WEIGHTS[0]
    )
    assert (slope[:, 0] == 0).all()
    assert (slope[:, 1:] != 0).all()


def test_hashed_neighbours_mostly_have_rows_of_their_own():
    layout = GridLayout.create(1, 2, 12, 64, 64)
    assert not layout.dense[0]
    hits = torch.zeros(layout.n_rows, 2)
    x = torch.rand(4000, 3, generator=torch.manual_seed(0))
    hits = cpu.encode_backward(x, torch.ones(4000, 2), hits, layout, torch.ones(1))
    # 32000 corners thrown evenly at 4096 rows leave next to none out
    assert (hits[:, 0] > 0).float().mean() > 1 - 10 * math.exp(-32000 / 4096) - 0.02


def test_the_cpu_is_served_by_its_own_backend():
    assert for_device(torch.device("cpu")) is cpu
