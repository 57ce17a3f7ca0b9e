"""Laws of contracted space, for all points and rays."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import assume, example, given
from torch.autograd.functional import jacobian

from core.field.contraction import (
    FAR,
    NARROWEST,
    REACH,
    ContractedRay,
    contract,
    far_density_bias,
    shrinking,
    uncontract,
)
from tests.core.strategies import arrays, floats, log_floats, points, unit_vectors


@given(points(1, 20), log_floats(1e-3, 1e5))
@example(np.array([[2.0, 0, 0], [0, -4, 0], [0, 0, 1e6]]), 1.0)
def test_all_of_space_comes_within_reach_the_ball_stays_and_nothing_is_lost(x, scale):
    positions = torch.from_numpy(x * scale)
    found, r = contract(positions), positions.norm(dim=-1)
    assert (found.norm(dim=-1) < REACH).all() or r.max() > 1e6
    assert torch.equal(found[r < 1], positions[r < 1])
    wanted = torch.where(r > 1, 2 - 1 / r, r)
    torch.testing.assert_close(found.norm(dim=-1), wanted)
    near = r < 1e4  # beyond, a double is too coarse for the way back
    torch.testing.assert_close(uncontract(found)[near], positions[near], rtol=1e-6, atol=1e-9)
    assert (far_density_bias(positions)[r <= 1] == 0).all()


@given(arrays(3), arrays(3), log_floats(1e-2, 1e3))
def test_contraction_keeps_the_order_of_distances_from_the_middle(a, b, scale):
    one, other = torch.from_numpy(np.stack([a, b]) * scale)
    assume(one.norm() < other.norm() * (1 - 1e-9))
    near, far = contract(torch.stack([one, other])).norm(dim=-1)
    assert near <= far


@given(arrays(3, -1, 1), log_floats(0.05, 100))
def test_lengths_shrink_as_the_slope_of_the_contraction_says(x, scale):
    position = torch.from_numpy(x * scale)
    assume(position.norm() > 1e-3)
    assume(abs(position.norm() - 1) > 1e-6)
    slopes = torch.linalg.svdvals(jacobian(contract, position[None])[0, :, 0])
    across, along = (float(s) for s in shrinking(position[None]))
    wanted = torch.tensor([across, across, along], dtype=torch.float64).sort(descending=True).values
    torch.testing.assert_close(slopes, wanted, rtol=1e-6, atol=1e-9)


@given(arrays(3, -5, 5), unit_vectors(), floats(0.02, 10), floats(0.02, 10), floats(10, FAR / 2))
@example(np.array([-1.0, 0, 0]), np.array([1.0, 0, 0]), 0.5, 1.0, 100.0)  # through the middle
@example(np.array([0.0, 0, 0]), np.array([1.0, 0, 0]), 0.5, 1.0, 100.0)
def test_length_along_a_ray_grows_is_finite_and_has_an_inverse(origin, direction, a, b, c):
    ray = ContractedRay.of(
        torch.from_numpy(origin)[None].float(), torch.from_numpy(direction)[None].float()
    )
    assert float(ray.least) >= NARROWEST * (1 - 1e-6)
    t = torch.tensor([sorted((a, b)) + [c]], dtype=torch.float32)
    length = ray.length(t)
    assert (length.diff() >= 0).all()
    assert (length.diff() <= t.diff() + 1e-4).all(), "nothing becomes longer"
    torch.testing.assert_close(ray.at(length), t, rtol=5e-3, atol=2e-3)
    assert float(ray.end()) >= float(length[0, -1]) or c > float(ray.nearest) + FAR
    assert float(ray.end() - ray.length(torch.zeros(1, 1))) < math.pi + 2.01
