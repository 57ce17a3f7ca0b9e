"""Marching, opacities and compositing, where the answer can be worked out by hand."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.geometry.box import Box
from core.kernels import reference
from core.rendering.occupancy import FAR_UPDATE_INTERVAL, N_PROBES, OccupancyGrid, ball_range
from core.rendering.sampling import Samples, march, march_to_surface
from core.rendering.sphere_trace import sphere_trace
from core.rendering.volume import composite, neus_alpha, pack

CPU = torch.device("cpu")


def ball(x):
    """Signed distance of a ball off the middle."""
    return (x - torch.tensor([0.1, -0.05, 0.2])).norm(dim=-1) - 0.4


def rays(n, distance=3.0, spread=0.4):
    """Origins on a sphere, unit directions to points near the middle."""
    torch.manual_seed(2)
    origins = distance * F.normalize(torch.randn(n, 3), dim=-1)
    return origins, F.normalize(spread * torch.randn(n, 3) - origins, dim=-1)


def through_a_plane(inv_s, dt=0.002):
    """Samples along the z axis through the plane z = 0.3 (sdf = 0.3 - z, seen from below)."""
    middle = torch.arange(0.0, 1.0, dt) + 0.5 * dt
    n = len(middle)
    alphas = neus_alpha(
        0.3 - middle, torch.full((n,), -1.0), torch.full((n,), dt), torch.tensor(inv_s), 1.0
    )
    _, out = composite(alphas, torch.stack([torch.ones(n), middle], -1), torch.tensor([0, n]))
    return out[0]


def test_a_plane_is_opaque_and_the_sharper_the_nearer_its_depth():
    errors = []
    for inv_s in (30.0, 100.0, 300.0, 1000.0):
        opacity, depth = through_a_plane(inv_s)
        assert opacity == pytest.approx(1, abs=2e-3)
        errors.append(abs(float(depth / opacity) - 0.3))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 2e-3


def test_the_density_is_symmetric_around_the_surface():
    """NeuS is unbiased: half of the light is absorbed before the surface, to first order."""
    dt, inv_s = 0.001, 200.0
    middle = torch.arange(0.0, 0.3, dt) + 0.5 * dt
    n = len(middle)
    alphas = neus_alpha(
        0.3 - middle, torch.full((n,), -1.0), torch.full((n,), dt), torch.tensor(inv_s), 1.0
    )
    assert float((1 - alphas).prod()) == pytest.approx(0.5, abs=0.01)


def test_a_surface_that_faces_away_absorbs_only_while_annealed():
    one = torch.ones(1)
    alpha = [
        float(neus_alpha(0 * one, one, 0.01 * one, torch.tensor(100.0), ratio))
        for ratio in (0.0, 1.0)
    ]
    assert alpha[0] == pytest.approx(0, abs=1e-4)
    soft, hard = (
        float(neus_alpha(0 * one, 0 * one, 0.01 * one, torch.tensor(100.0), r)) for r in (0.0, 1.0)
    )
    assert soft > 0.2
    assert hard == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 1.0])
def test_equal_opacities_give_geometric_weights(alpha):
    n = 20
    weights, out = composite(torch.full((n,), alpha), torch.ones(n, 1), torch.tensor([0, n]))
    expected = alpha * (1 - alpha) ** torch.arange(n)
    torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(out[0, 0], torch.tensor(1 - (1 - alpha) ** n))


def test_compositing_is_differentiable_in_both_arguments():
    torch.manual_seed(0)
    alphas = (torch.rand(12) * 0.8).requires_grad_()
    values = torch.randn(12, 2, requires_grad=True)
    ranges = torch.tensor([0, 5, 5, 12])
    weights, out = composite(alphas, values, ranges)
    grads = torch.autograd.grad((weights**2).sum() + (out**2).sum(), (alphas, values))
    h = 1e-3
    for index in range(12):
        nudge = torch.zeros(12)
        nudge[index] = h
        after, before = (
            _energy(alphas.detach() + s * nudge, values.detach(), ranges) for s in (1, -1)
        )
        assert float(grads[0][index]) == pytest.approx((after - before) / (2 * h), abs=2e-2)


def _energy(alphas, values, ranges):
    weights, out = reference.composite(alphas.double(), values.double(), ranges)
    return float((weights**2).sum() + (out**2).sum())


def test_packing_keeps_each_ray_s_share():
    keep = torch.tensor([True, False, True, True, False, False])
    assert pack(keep, torch.tensor([0, 2, 2, 6])).tolist() == [0, 1, 1, 3]


def test_ball_range_of_known_rays():
    origins = torch.tensor([[0, 0, -3.0], [0, 0, 0], [0, 2.0, -3], [0, 0, 3], [0.6, 0, -3]])
    near, far = ball_range(origins, torch.tensor([[0, 0, 1.0]]).expand(5, 3))
    torch.testing.assert_close(near[[0, 4]], torch.tensor([2.0, 3 - 0.8]))
    torch.testing.assert_close(far[[0, 1, 4]], torch.tensor([4.0, 1.0, 3 + 0.8]))
    assert 0 < near[1] < 0.1, "from within: just before the camera"
    assert far[2] <= near[2], "passes by"
    assert far[3] <= near[3], "the ball is behind"


def test_marching_yields_samples_in_occupied_cells_only():
    occupancy = OccupancyGrid(16, CPU)
    occupancy.occupied = torch.rand(16, 16, 16, generator=torch.manual_seed(1)) < 0.3
    origins, directions = rays(200)
    samples = march(origins, directions, occupancy, 0.02, torch.rand(200))
    x = samples.positions(origins, directions)
    assert len(x) > 500
    assert (x.norm(dim=-1) < 1 + 0.02).all()
    cells = ((x + 1) * 8 + 1e-4).long(), ((x + 1) * 8 - 1e-4).long()  # on a wall: either side
    inside = [occupancy.occupied[tuple(c.clamp(0, 15).T)] for c in cells]
    assert (inside[0] | inside[1]).float().mean() == 1
    torch.testing.assert_close(samples.t_ends - samples.t_starts, torch.full((len(x),), 0.02))
    assert len(samples.ray_indices) == len(x)


def test_slopes_come_from_the_samples_beside():
    """Two rays; on the second the surface is met twice, and one sample lies by itself."""
    starts = torch.tensor([0.0, 0.1, 0.2, 0.0, 0.1, 0.7, 0.8, 1.5])
    samples = Samples(starts, starts + 0.1, torch.tensor([0, 3, 8]))
    values = torch.tensor([0.5, 0.4, 0.2, 3.0, 3.1, 0.1, 0.05, 9.0], requires_grad=True)
    slopes = samples.slopes(values)
    expected = torch.tensor([-1.0, -1.5, -2.0, 1.0, 1.0, -0.5, -0.5, -1.0])
    torch.testing.assert_close(slopes.detach(), expected)
    slopes[1].backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, torch.tensor([-5.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize("inv_s", [20.0, 100.0, 400.0])
@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_culling_keeps_every_sample_that_matters(inv_s, ratio):
    """Against weights from all steps, of which culling looks at a few only."""
    origins, directions = rays(60)
    occupancy, dt, threshold = OccupancyGrid(32, CPU), 0.01, 1e-3
    occupancy.update(ball, inv_s)
    kept, culled_transmittance, asked = march_to_surface(
        origins, directions, occupancy, dt, None, ball, inv_s, ratio, threshold
    )
    every = march(origins, directions, OccupancyGrid(8, CPU), dt)
    weights = reference.neus_weights(
        ball(every.positions(origins, directions)),
        every.t_starts,
        every.t_ends,
        every.ray_starts,
        inv_s,
        ratio,
    )
    near, _ = ball_range(origins, directions)

    def names(samples, which):
        ray = samples.ray_indices[which]
        step = ((samples.t_starts[which] - near[ray]) / dt).round().long()
        return set(zip(ray.tolist(), step.tolist()))

    found = names(kept, torch.ones(len(kept.t_starts), dtype=torch.bool))
    assert names(every, weights > 1.5 * threshold) <= found
    assert found <= names(every, weights > 0.5 * threshold)
    assert len(found) > 100
    # what lies behind is as bright as through all the steps
    light = 1 - torch.zeros(60).index_add(0, every.ray_indices, weights)
    kept_weights = torch.tensor(
        [
            weight
            for weight, name in zip(
                weights.tolist(),
                list(
                    zip(
                        every.ray_indices.tolist(),
                        ((every.t_starts - near[every.ray_indices]) / dt).round().long().tolist(),
                    )
                ),
            )
            if name in found
        ]
    )
    light_kept = 1 - torch.zeros(60).index_add(0, kept.ray_indices, kept_weights)
    leak, left = light_kept - light, light_kept * culled_transmittance - light
    assert leak.max() > 2 * threshold, "culling does let light through"
    assert left.abs().max() < leak.max()
    hit = light < 0.5
    assert left[hit].abs().mean() < 0.2 * leak[hit].mean()
    if inv_s > 20:
        assert asked < 0.7 * len(every.t_starts)


TOLERANCE = 1e-3  # radians


@pytest.mark.parametrize("times", [1, 2])
def test_sphere_tracing_finds_an_exact_sphere_and_misses_beside_it(times):
    origins, directions = rays(2000)
    center, radius = torch.tensor([0.1, -0.05, 0.2]), 0.4
    occupancy = OccupancyGrid(32, CPU)
    for _ in range(times):
        occupancy.update(ball, 1000.0)
    t, hit = sphere_trace(ball, origins, directions, occupancy, TOLERANCE)
    to_center = center - origins
    along = (to_center * directions).sum(-1)
    aside = (to_center.norm(dim=-1) ** 2 - along**2).clamp(min=0).sqrt()
    clear_hit, clear_miss = aside < 0.99 * radius, aside > radius + 4 * TOLERANCE * 3
    assert clear_hit.sum() > 300
    assert hit[clear_hit].all()
    assert not hit[clear_miss].any()
    exact = along - (radius**2 - aside**2).clamp(min=0).sqrt()
    central = aside < 0.7 * radius
    torch.testing.assert_close(t[central], exact[central], rtol=0, atol=1e-3)


def test_sphere_tracing_asks_the_field_only_near_the_surface():
    occupancy = OccupancyGrid(32, CPU)
    for _ in range(2):
        occupancy.update(ball, 1000.0)
    asked = []
    _, hit = sphere_trace(lambda x: asked.append(x) or ball(x), *rays(2000), occupancy, TOLERANCE)
    places = torch.cat(asked)
    assert len(places) < 4 * hit.sum()
    # half a cell, and as much again for what lies between the cells' middles
    assert ball(places).max() < 2 / 32


def test_sphere_tracing_of_nothing_hits_nothing():
    occupancy = OccupancyGrid(8, CPU)
    occupancy.distances.fill_(1.0)
    occupancy.error = 0.0
    _, hit = sphere_trace(ball, *rays(10), occupancy, TOLERANCE)
    assert not hit.any()


def test_how_far_the_surface_moved_is_measured_and_allowed_for():
    occupancy = OccupancyGrid(32, CPU)
    assert math.isinf(occupancy.error)
    occupancy.update(ball, 1000.0)
    assert occupancy.error == pytest.approx(occupancy.half_diagonal), "a guess"
    occupancy.update(ball, 1000.0)
    between_cells = occupancy.error
    assert 0 < between_cells < (1 / 32) ** 2 / 0.4, "a lattice rounds a ball off by so much"
    shift = 0.05
    occupancy.update(lambda x: ball(x) - shift, 1000.0)
    assert occupancy.error == pytest.approx(shift, abs=between_cells)
    origins, directions = rays(2000)
    asked = []
    sphere_trace(lambda x: asked.append(x) or ball(x), origins, directions, occupancy, TOLERANCE)
    # the ball grown by another shift lies where the field is asked: its front is not crossed
    assert ball(torch.cat(asked)).max() > 2 * shift - between_cells


def test_far_cells_are_measured_now_and_then():
    occupancy, asked = OccupancyGrid(32, CPU), []

    def counted(x):
        asked[-1] += len(x)
        return ball(x)

    for _ in range(FAR_UPDATE_INTERVAL + 1):
        asked.append(0)
        occupancy.update(counted, 1000.0)
    assert asked[FAR_UPDATE_INTERVAL] == asked[0] + N_PROBES
    assert asked[0] > 2 * max(asked[1:FAR_UPDATE_INTERVAL])
    assert min(asked[1:FAR_UPDATE_INTERVAL]) == max(asked[1:FAR_UPDATE_INTERVAL]) > 0


@pytest.mark.parametrize("steepness", [1.0, 20.0])
def test_a_thin_wall_in_a_steep_field_is_not_jumped_over(steepness):
    """A plate half a cell thick; the field may grow faster than the distance."""

    def plate(x):
        return steepness * (x[:, 2].abs() - 0.5 / 32)

    occupancy = OccupancyGrid(32, CPU)
    for _ in range(2):
        occupancy.update(lambda x: plate(x) / steepness, 1000.0)
    aim = torch.rand(500, 3, generator=torch.manual_seed(0)) - 0.5
    origins = torch.tensor([[0.0, 0.0, 0.9]]).expand(500, 3)
    directions = F.normalize(aim * torch.tensor([1.0, 1.0, 0.0]) - origins, dim=-1)
    t, hit = sphere_trace(plate, origins, directions, occupancy, TOLERANCE)
    assert hit.all()
    height = origins[:, 2] + t * directions[:, 2]
    torch.testing.assert_close(height, torch.full((500,), 0.5 / 32), rtol=0, atol=2e-3)


@pytest.mark.parametrize("inv_s", [20.0, 1000.0])
def test_occupancy_keeps_every_cell_that_the_surface_crosses(inv_s):
    occupancy = OccupancyGrid(32, CPU)
    assert occupancy.occupied.all(), "before the first look everything may be occupied"
    occupancy.update(ball, inv_s)
    torch.manual_seed(0)
    surface = torch.tensor([0.1, -0.05, 0.2]) + 0.4 * F.normalize(torch.randn(20000, 3), dim=-1)
    cells = ((surface + 1) * 16).long()
    assert occupancy.occupied[tuple(cells.T)].all()
    share = float(occupancy.occupied.float().mean())
    assert share < (0.1 if inv_s > 100 else 0.6)
    assert occupancy.half_diagonal == pytest.approx(math.sqrt(3) / 32)


def test_rays_are_in_the_region_between_its_faces_and_never_beyond_the_ball():
    """Along +x through a box of half lengths 0.5, 0.2, 0.2 about (0.1, 0, 0)."""
    occupancy = OccupancyGrid(8, CPU)
    occupancy.set_region(Box.of(np.array([0.1, 0, 0]), np.array([0.5, 0.2, 0.2])))
    origins = torch.tensor([[-3.0, 0, 0], [-3, 0.3, 0], [0.1, 0, 0], [3, 0, 0]])
    ahead = torch.tensor([[1.0, 0, 0]]).expand(4, 3)
    near, far = occupancy.span(origins, ahead)
    torch.testing.assert_close(near[[0, 2]], torch.tensor([2.6, 0.02]))
    torch.testing.assert_close(far[[0, 2]], torch.tensor([3.6, 0.5]))
    assert (far[[1, 3]] <= near[[1, 3]]).all()
    to_the_ball = 3 - (1 - 0.3**2) ** 0.5
    beyond = occupancy.crossing(origins, ahead).t_exit[:2]
    torch.testing.assert_close(beyond, torch.tensor([3.6, to_the_ball]))


def test_a_turned_region_leaves_out_what_lies_beyond_its_faces():
    """Of a ball of radius 0.8, a slab turned by 45 degrees about z shows only what is in it."""
    turn = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    slab = Box.of(np.zeros(3), np.array([0.1, 2, 2]), turn)
    occupancy = OccupancyGrid(32, CPU).restricted_to(slab)
    occupancy.update(lambda x: x.norm(dim=-1) - 0.8, 100.0)
    origins = torch.nn.functional.normalize(torch.randn(500, 3), dim=-1) * 2
    directions = torch.nn.functional.normalize(torch.randn(500, 3) * 0.2 - origins / 2, dim=-1)
    samples = march(origins, directions, occupancy, 0.01)
    inside = slab.contains(samples.positions(origins, directions).double().numpy())
    assert len(inside) > 100
    assert inside.mean() > 0.98, "the lattice of steps may reach over a face by half of one"
