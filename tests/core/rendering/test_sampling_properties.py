"""Laws of where rays are sampled and of how samples are put together, for all rays."""

from __future__ import annotations

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.field.base import MAX_DENSITY
from core.geometry.box import Box
from core.rendering.hierarchical import even_edges, inverse_transform
from core.rendering.occupancy import OccupancyGrid
from core.rendering.sampling import Samples, march, random_in_ball
from core.rendering.volume import (
    composite,
    density,
    density_alpha,
    density_logit_of,
    neus_alpha,
    pack,
)
from tests.core.strategies import arrays, floats, log_floats, rotations, seeds

CPU = torch.device("cpu")
counts = st.lists(st.integers(0, 9), min_size=1, max_size=12)
"""Of samples on each ray."""


def ranges(n_samples: list[int]) -> torch.Tensor:
    """[R + 1] where each ray's samples begin."""
    return torch.tensor([0, *itertools.accumulate(n_samples)])


def chain(n_samples: list[int], dice: torch.Generator) -> Samples:
    """Steps of random lengths, some with gaps between them."""
    n = sum(n_samples)
    lengths, gaps = (torch.rand(n, generator=dice) for _ in range(2))
    starts = (lengths + gaps.where(gaps < 0.5, torch.zeros(()))).cumsum(0)
    return Samples(starts, starts + lengths * 0.9, ranges(n_samples))


@given(counts, seeds())
def test_packed_samples_know_their_rays_and_sum_what_lies_before_them(n_samples, dice):
    samples = chain(n_samples, dice)
    values = torch.randn(sum(n_samples), generator=dice)
    expected = [r for r, n in enumerate(n_samples) for _ in range(n)]
    assert samples.ray_indices.tolist() == expected
    before = [
        values[begin:i].double().sum()
        for begin, end in itertools.pairwise(samples.ray_starts.tolist())
        for i in range(begin, end)
    ]
    found = samples.sum_before(values)
    torch.testing.assert_close(found, torch.tensor(before, dtype=torch.float64))


@given(counts, seeds())
def test_samples_that_are_kept_stay_on_their_rays(n_samples, dice):
    samples = chain(n_samples, dice)
    mask = torch.rand(sum(n_samples), generator=dice) < 0.5
    kept = samples.keep(mask)
    assert torch.equal(kept.ray_indices, samples.ray_indices[mask])
    assert torch.equal(kept.t_starts, samples.t_starts[mask])
    assert torch.equal(pack(torch.ones_like(mask), samples.ray_starts), samples.ray_starts)


@given(counts, seeds(), floats(-3, 3), floats(-3, 3))
def test_the_slope_of_a_linear_function_is_its_slope(n_samples, dice, offset, slope):
    n = sum(n_samples)
    starts = torch.arange(n) * 0.25
    samples = Samples(starts, starts + 0.25, ranges(n_samples))
    found = samples.slopes(offset + slope * (starts + 0.125))
    alone = torch.tensor([n_samples[r] == 1 for r in samples.ray_indices.tolist()], dtype=bool)
    expected = torch.full((n,), slope).masked_fill(alone, -1.0)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@given(counts, seeds())
def test_the_light_that_is_stopped_and_the_light_that_passes_are_all_of_it(n_samples, dice):
    alphas = torch.rand(sum(n_samples), generator=dice)
    alphas[torch.rand(len(alphas), generator=dice) < 0.1] = 0.0
    alphas[torch.rand(len(alphas), generator=dice) < 0.05] = 1.0
    starts = ranges(n_samples)
    weights, out = composite(alphas, torch.ones(len(alphas), 1), starts)
    assert ((weights >= 0) & (weights <= alphas + 1e-6)).all()
    for opacity, (begin, end) in zip(out[:, 0], itertools.pairwise(starts.tolist())):
        passed = (1 - alphas[begin:end]).prod()
        torch.testing.assert_close(opacity + passed, torch.ones(()))
        torch.testing.assert_close(weights[begin:end].sum(), opacity)


@given(counts, seeds(), floats(0.0, 1.0), log_floats(5, 1000))
def test_opacities_lie_between_nothing_and_all(n_samples, dice, ratio, inv_s):
    n = sum(n_samples)
    sdf, slopes = (torch.randn(n, generator=dice) for _ in range(2))
    lengths = torch.rand(n, generator=dice) * 0.1
    neus = neus_alpha(sdf, slopes, lengths, torch.tensor(inv_s), ratio)
    for alpha in (neus, density_alpha(sdf, lengths)):
        assert ((alpha >= 0) & (alpha <= 1)).all()


@given(log_floats(0.05, MAX_DENSITY), floats(0, 1), floats(0, 1))
def test_a_density_fills_two_steps_as_it_fills_one_twice_as_long(wanted, a, b):
    level = torch.tensor([density_logit_of(wanted)])
    torch.testing.assert_close(density(level), torch.tensor([wanted]), rtol=1e-4, atol=0)
    one, other, both = (1 - density_alpha(level, torch.tensor([x])) for x in (a, b, a + b))
    torch.testing.assert_close(one * other, both, rtol=1e-4, atol=1e-6)


@given(floats(0, 3), floats(0.01, 3), st.integers(1, 40), st.none() | floats(0, 0.999))
def test_even_edges_cover_a_ray_without_overlap(near, length, n, jitter):
    begin, end = torch.tensor([near]), torch.tensor([near]) + length
    edges = even_edges(begin, end, n, None if jitter is None else torch.tensor([jitter]))
    assert edges.shape == (1, n + 1)
    torch.testing.assert_close(edges[0, [0, -1]], torch.cat([begin, end]))
    assert (edges.diff() >= -1e-6).all()
    assert edges.diff().max() < 1.51 * length / n + 1e-5


@given(
    hnp.arrays("float32", st.integers(1, 20), elements=st.sampled_from([0, 0.1, 1, 3, 50])),
    st.integers(1, 60),
    floats(0, 0.999),
)
def test_drawn_places_rise_and_each_step_holds_its_share(weights, m, jitter):
    if not weights.any():
        weights[0] = 1
    n = len(weights)
    edges = torch.arange(n + 1.0)[None]
    drawn = inverse_transform(edges, torch.from_numpy(weights)[None], m, torch.tensor([jitter]))
    assert drawn.shape == (1, m)
    assert (drawn.diff() >= -1e-5).all()
    assert ((drawn >= 0) & (drawn <= n)).all()
    found = torch.histc(drawn, n, 0, n)
    wanted = m * torch.from_numpy(weights) / weights.sum()
    assert ((found - wanted).abs() <= 2.01).all(), "one more or less at each end"


@given(seeds(), floats(0.05, 1.0), log_floats(0.01, 0.2), rotations(), arrays(3, 0.2, 0.9))
def test_marching_asks_occupied_cells_of_the_region_alone_and_jitter_shifts_the_steps(
    dice, share, dt, axes, half
):
    occupancy = OccupancyGrid(8, CPU)
    occupancy.occupied = torch.rand(8, 8, 8, generator=dice) < share
    occupancy.set_region(Box.of(torch.zeros(3).numpy(), half, axes))
    origins = torch.randn(16, 3, generator=dice) * 2
    aims = torch.rand(16, 3, generator=dice) - 0.5
    directions = torch.nn.functional.normalize(aims - origins, dim=-1)
    jitter = torch.rand(16, generator=dice)
    near, far = occupancy.span(origins, directions)
    for shift in (None, jitter):
        samples = march(origins, directions, occupancy, dt, shift)
        rays, x = samples.ray_indices, samples.positions(origins, directions)
        assert occupancy.occupies(x).all()
        torch.testing.assert_close(samples.t_ends - samples.t_starts, torch.full((len(x),), dt))
        assert (samples.t_starts >= near[rays] - 1e-5).all()
        assert (samples.t_ends <= far[rays] + 1e-4).all()
        same_ray = rays.diff() == 0
        assert (samples.t_starts.diff()[same_ray] > 0.99 * dt).all(), "steps do not overlap"
        begin = near if shift is None else near + dt * shift
        steps = (samples.t_starts - begin[rays]) / dt
        assert ((steps - steps.round()).abs() < 0.02).all()


@given(st.integers(0, 300), st.integers(0, 1000))
def test_random_points_lie_in_the_ball(n, seed):
    torch.manual_seed(seed)
    points = random_in_ball(n, CPU)
    assert points.shape == (n, 3)
    assert (points.norm(dim=-1) <= 1 + 1e-6).all()
