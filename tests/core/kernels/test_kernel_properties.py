"""Every backend against the reference, for grids, rays and batches of any shape."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.kernels import GridLayout, reference
from tests.core.strategies import floats, log_floats, seeds

CPU = torch.device("cpu")


@st.composite
def layouts(draw: st.DrawFn) -> GridLayout:
    """A small grid of any shape that the kernels take, dense, hashed or both."""
    base = draw(st.integers(2, 12))
    finest = draw(st.integers(base, 80))
    sizes = draw(st.integers(1, 6)), draw(st.sampled_from([2, 4])), draw(st.integers(3, 11))
    return GridLayout.create(*sizes, base, finest)


def points(n: int, dice: torch.Generator, layout: GridLayout) -> torch.Tensor:
    """[N, 3] some outside of the domain, none so near a wall that rounding picks the cell."""
    x = torch.rand(n, 3, generator=dice) * 1.3 - 0.15
    x[::5] = x[::5].round()
    scaled = x[..., None] * torch.from_numpy(layout.resolutions)
    at_wall = ((scaled - scaled.round()).abs() < 1e-3).any(-1)
    return x.where(~at_wall | (x == 0) | (x == 1), torch.tensor(0.3712))


def agree(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 5e-4) -> None:
    """Equal to within rounding of float32."""
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-3, atol=tolerance)


@given(layouts(), st.integers(0, 70), seeds())
def test_encodings_and_all_their_gradients_agree(backend, device, layout, n, dice):
    x = points(n, dice, layout)
    inside = x.where((x > 0) & (x < 1), torch.tensor(0.3712))  # the slope at the border has a side
    weights = torch.rand(layout.n_levels, generator=dice) * (
        torch.rand(layout.n_levels, generator=dice) < 0.8
    )
    table = torch.randn(layout.n_rows, layout.n_features, generator=dice)
    grad, v = (torch.randn(n, layout.width, generator=dice) for _ in range(2))
    along = torch.randn(n, 3, generator=dice)
    table_d, weights_d = table.to(device), weights.to(device)

    def each(name: str, *arguments: torch.Tensor) -> tuple[object, object]:
        on = [a.to(device) for a in arguments]
        return (
            getattr(backend, name)(*on, table_d, layout, weights_d),
            getattr(reference, name)(*arguments, table, layout, weights),
        )

    agree(*each("encode", x))
    agree(*each("encode_backward", x, grad), tolerance=1e-2)
    agree(*each("encode_gradient", inside, v), tolerance=2e-2)
    found, expected = each("encode_gradient_backward", inside, v, along)
    agree(found[0], expected[0], tolerance=1e-2)
    agree(found[1], expected[1], tolerance=5e-2)


@given(layouts(), st.integers(1, 40), seeds())
def test_each_level_reads_and_writes_its_own_rows_alone(backend, device, layout, n, dice):
    x = torch.rand(n, 3, generator=dice).round(decimals=1)  # corners of the domain among them
    for level in range(layout.n_levels):
        weights = torch.zeros(layout.n_levels)
        weights[level] = 1.0
        grad = torch.ones(n, layout.width)
        table = torch.zeros(layout.n_rows, layout.n_features)
        on = [t.to(device) for t in (x, grad, table)]
        hits = backend.encode_backward(*on, layout, weights.to(device)).cpu()
        begin, end = int(layout.offsets[level]), int(layout.offsets[level + 1])
        assert not hits[:begin].any()
        assert not hits[end:].any()
        torch.testing.assert_close(hits[begin:end].sum(), torch.tensor(1.0 * n * hits.shape[1]))


@given(
    st.integers(1, 16), st.sampled_from([2, 4, 8]), st.integers(1, 20), st.integers(1, 64), seeds()
)
def test_a_layout_is_dense_where_it_fits_and_its_offsets_add_up(n_levels, f, log2, base, dice):
    finest = base + int(torch.randint(0, 2048, (), generator=dice))
    layout = GridLayout.create(n_levels, f, log2, base, finest)
    assert layout.resolutions[0] == base
    assert layout.resolutions[-1] == (finest if n_levels > 1 else base)
    assert (np.diff(layout.resolutions) >= 0).all()
    growth = (finest / base) ** (1 / max(n_levels - 1, 1))
    exact = base * growth ** np.arange(n_levels)
    assert (np.abs(layout.resolutions - exact) <= 0.5 + 1e-9 * exact).all()
    vertices = (layout.resolutions + 1) ** 3
    np.testing.assert_array_equal(layout.dense, vertices <= 2**log2)
    np.testing.assert_array_equal(np.diff(layout.offsets), np.minimum(vertices, 2**log2))
    assert layout.offsets[0] == 0
    assert (layout.n_rows, layout.width) == (layout.offsets[-1], n_levels * f)
    for n in range(1, n_levels + 1):
        coarse = layout.coarsest(n)
        assert coarse.n_levels == n
        np.testing.assert_array_equal(coarse.offsets, layout.offsets[: n + 1])


@given(st.lists(st.integers(0, 60), min_size=1, max_size=10), st.integers(1, 6), seeds())
def test_compositing_and_its_gradients_agree(backend, device, counts, channels, dice):
    ray_starts = torch.tensor([0, *itertools.accumulate(counts)])
    n = int(ray_starts[-1])
    alphas = torch.rand(n, generator=dice)
    alphas[torch.rand(n, generator=dice) < 0.1] = 0.0
    alphas[torch.rand(n, generator=dice) < 0.05] = 1.0
    values = torch.randn(n, channels, generator=dice)
    forward = alphas, values, ray_starts
    expected = reference.composite(*forward)
    for a, b in zip(backend.composite(*(t.to(device) for t in forward)), expected):
        agree(a, b)
    grads = (
        torch.randn(n, generator=dice),
        torch.randn(len(counts), channels, generator=dice),
    )
    backward = alphas, values, expected[0], ray_starts, *grads
    for a, b in zip(
        backend.composite_backward(*(t.to(device) for t in backward)),
        reference.composite_backward(*backward),
    ):
        agree(a, b, tolerance=5e-3)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=8), log_floats(5, 800), floats(0, 1), seeds()
)
def test_weights_of_a_distance_agree_and_are_weights(backend, device, counts, inv_s, ratio, dice):
    ray_starts = torch.tensor([0, *itertools.accumulate(counts)])
    n = int(ray_starts[-1])
    sdf = torch.randn(n, generator=dice) * 0.1
    starts = torch.arange(n) * 0.01
    arguments = sdf, starts, starts + 0.01, ray_starts
    expected = reference.neus_weights(*arguments, inv_s, ratio)
    agree(backend.neus_weights(*(t.to(device) for t in arguments), inv_s, ratio), expected, 2e-3)
    assert (expected >= 0).all()
    sums = torch.zeros(len(counts)).index_add(
        0, torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)), expected
    )
    assert (sums <= 1 + 1e-4).all()


sizes = st.tuples(st.integers(0, 20), st.sampled_from([4, 8, 13]))
"""Rays, and cells along a side."""


@given(sizes, floats(0, 1), log_floats(0.02, 0.2), seeds())
def test_marches_agree_but_for_steps_on_a_wall(backend, device, sizes, share, dt, dice):
    n, side = sizes
    origins = torch.nn.functional.normalize(torch.randn(n, 3, generator=dice), dim=-1) * 1.5
    aims = torch.randn(n, 3, generator=dice) * 0.4
    directions = torch.nn.functional.normalize(aims - origins, dim=-1)
    near = torch.rand(n, generator=dice)
    far = near + torch.rand(n, generator=dice) * 3 - 0.3  # some rays miss
    occupied = torch.rand(side, side, side, generator=dice) < share
    rays = origins, directions, near, far, occupied
    results = []
    for kernels, place in ((backend, device), (reference, CPU)):
        starts, ends, ray_starts = (
            t.cpu() for t in kernels.march(*(t.to(place) for t in rays), dt)
        )
        torch.testing.assert_close(ends, starts + dt)
        ray = torch.repeat_interleave(torch.arange(n), ray_starts.diff())
        results.append(set(zip(ray.tolist(), ((starts - near[ray]) / dt).round().long().tolist())))
    for ray, step in results[0] ^ results[1]:
        middle = (origins[ray] + directions[ray] * (near[ray] + (step + 0.5) * dt) + 1) * side / 2
        last = abs(float((far - near)[ray]) / dt - (step + 1)) < 1e-3
        assert last or ((middle - middle.round()).abs() < 1e-3).any()
