"""Rays that stop at a sphere, whose depth, colour and silhouette are known in closed form."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.config.run import FieldConfig, TrainConfig
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout
from core.rendering.occupancy import OccupancyGrid
from core.rendering.rays import Rays
from core.rendering.shading import AMBIENT, lambert
from core.rendering.surface_trace import intersect_surface, render_surface

CPU = torch.device("cpu")
INV_S = 200.0
LIGHT = torch.tensor([0.2, 0.5, 0.3])


class Sphere:
    """Of a radius that can be learnt; the colour of a point is its position, a little brighter."""

    config = FieldConfig()

    def __init__(self, radius):
        self.radius = torch.tensor(radius, requires_grad=True)

    def implicit_value(self, x, lod=None):
        return x.norm(dim=-1) - self.radius

    def samples(self, x, lod=None, *, fd_indices=None, analytic=False):
        normals = F.normalize(x, dim=-1)
        return SimpleNamespace(
            sdf=self.implicit_value(x),
            features=x[:, :0],
            gradients=normals,
            laplacian=torch.zeros(len(x)),
        )


def model_of(field) -> Any:
    return SimpleNamespace(
        surface=field,
        inv_s=torch.tensor(INV_S),
        background=None,
        proposal=None,
        features=lambda x, own: own,
        appearance=lambda photo, n: None,
        color=lambda x, *_: x + LIGHT,
    )


def seen(field, rays, behind=None):
    model = model_of(field)
    occupancy = OccupancyGrid(32, CPU)
    for _ in range(3):
        occupancy.update(lambda x: field.implicit_value(x).detach(), INV_S)
    met = intersect_surface(model, occupancy, rays)
    return met, render_surface(model, rays, met, TrainConfig(), background=behind)


def rays_at(offsets):
    """Parallel rays along z, passing the origin at ``offsets``."""
    origins = torch.tensor([[x, 0.0, -2.0] for x in offsets])
    return Rays(origins, torch.tensor([[0.0, 0.0, 1.0]]).expand(len(offsets), 3).contiguous())


def test_depth_is_exact_and_its_gradient_that_of_finite_differences():
    rays = rays_at([0.0, 0.1, -0.3, 0.45])
    field = Sphere(0.5)
    met, rendered = seen(field, rays)
    assert met.hit.all()
    across = rays.origins[:, 0]
    exact = 2 - (0.25 - across**2).sqrt()
    torch.testing.assert_close(rendered.depth, exact, atol=1e-6, rtol=0)
    h = 1e-2
    more, less = (seen(Sphere(0.5 + s), rays)[1].depth.detach() for s in (h, -h))
    for i in range(len(rays)):
        (slope,) = torch.autograd.grad(rendered.depth[i], field.radius, retain_graph=True)
        assert float(slope) == pytest.approx(-0.5 / (0.25 - float(across[i]) ** 2) ** 0.5, rel=1e-4)
        assert float(slope) == pytest.approx(float(more[i] - less[i]) / (2 * h), rel=5e-3)


def test_colour_follows_the_point_that_moves_with_the_field():
    """The point at depth t has t - 2 + 0.3 as its blue, whose slope so is that of the depth."""
    field = Sphere(0.5)
    _, rendered = seen(field, rays_at([0.3]))
    torch.testing.assert_close(rendered.color[0], torch.tensor([0.3, 0.0, -0.4]) + LIGHT)
    (slope,) = torch.autograd.grad(rendered.color[0, 2], field.radius)
    assert float(slope) == pytest.approx(-0.5 / 0.4, rel=1e-4)


def test_a_ray_that_passes_keeps_what_the_logistic_tail_stops():
    """So the silhouette pulls at the radius, though no ray that misses has a point to move."""
    field, gap = Sphere(0.5), 0.004
    met, rendered = seen(field, rays_at([0.5 + gap, 0.7]), behind=torch.tensor([1.0, 0, 0]))
    assert met.hit.tolist() == [False], "the other ray comes nowhere near"
    kept = torch.sigmoid(torch.tensor(-gap * INV_S))
    assert float(rendered.opacity[0]) == pytest.approx(float(kept), abs=5e-3)
    assert rendered.opacity[1] == 0
    torch.testing.assert_close(rendered.color[1], torch.tensor([1.0, 0, 0]))
    (slope,) = torch.autograd.grad(rendered.opacity[0], field.radius)
    assert float(slope) == pytest.approx(float(INV_S * kept * (1 - kept)), rel=0.02)


def test_features_of_the_grid_change_with_the_place_as_finite_differences_say():
    torch.manual_seed(0)
    grid = HashGrid(GridLayout.create(4, 2, 12, 4, 32))
    with torch.no_grad():
        grid.table.uniform_(-1, 1)
    x = (torch.rand(64, 3) * 1.8 - 0.9).requires_grad_()
    weights = torch.randn(64, 8)
    (slope,) = torch.autograd.grad((grid(x, 3.5) * weights).sum(), x)
    h = 1e-4
    for axis in range(3):
        step = torch.zeros(3).index_fill(0, torch.tensor(axis), h)
        with torch.no_grad():
            along = ((grid(x + step, 3.5) - grid(x - step, 3.5)) * weights).sum(-1) / (2 * h)
        off = (along - slope[:, axis]).abs() / (1 + along.abs())
        assert off.median() < 0.01, "all but those that cross a cell's border"


class Ball(Sphere):
    """A sphere whose middle can be learnt too."""

    def __init__(self, radius, center=(0.0, 0.0, 0.0)):
        super().__init__(radius)
        self.center = torch.tensor(center, requires_grad=True)

    def implicit_value(self, x, lod=None):
        return super().implicit_value(x - self.center)

    def samples(self, x, lod=None, *, fd_indices=None, analytic=False):
        told = super().samples(x - self.center)
        told.sdf = self.implicit_value(x)
        return told


ALBEDO = 0.8
TO_LIGHT = F.normalize(torch.tensor([0.5, -0.2, -1.0]), dim=0)


def lit(ball, rays, light):
    """Brightness [R] of a ball of one grey, which rays meet."""
    model = model_of(ball)
    model.color = lambda x, *_: torch.full_like(x, ALBEDO)
    occupancy = OccupancyGrid(32, CPU)
    for _ in range(3):
        occupancy.update(lambda x: ball.implicit_value(x).detach(), INV_S)
    met = intersect_surface(model, occupancy, rays)
    assert met.hit.all()
    return render_surface(model, rays, met, TrainConfig(), light=light).color[:, 0]


def test_a_matt_sphere_is_lit_by_the_cosine_of_its_normal():
    rays = rays_at([-0.4, -0.1, 0.2, 0.45])
    x = rays.origins[:, 0]
    normals = torch.stack([x, torch.zeros(4), -(0.25 - x**2).sqrt()], 1) / 0.5
    cosine = normals @ TO_LIGHT
    assert (cosine > 0).any()
    exact = ALBEDO * (AMBIENT + (1 - AMBIENT) * cosine.clamp(min=0))
    torch.testing.assert_close(lit(Ball(0.5), rays, TO_LIGHT).detach(), exact, atol=1e-5, rtol=0)
    away = torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(
        lit(Ball(0.5), rays, away).detach(), torch.full((4,), ALBEDO * AMBIENT)
    )


def test_the_shade_of_a_sphere_changes_with_it_and_its_light_as_finite_differences_say():
    rays, h = rays_at([-0.3, 0.1, 0.3]), 5e-3
    ball, light = Ball(0.5, (0.02, 0.0, 0.05)), TO_LIGHT.clone().requires_grad_()
    slopes = torch.autograd.grad(lit(ball, rays, light).sum(), [ball.radius, ball.center, light])

    def moved(radius=0.0, center=(0.0, 0.0, 0.0), turn=(0.0, 0.0, 0.0)):
        there = tuple((torch.tensor([0.02, 0.0, 0.05]) + torch.tensor(center)).tolist())
        return float(lit(Ball(0.5 + radius, there), rays, TO_LIGHT + torch.tensor(turn)).sum())

    assert float(slopes[0]) == pytest.approx((moved(h) - moved(-h)) / (2 * h), rel=5e-3)
    for name, slope in (("center", slopes[1]), ("turn", slopes[2])):
        for axis in range(3):
            step = [h * (i == axis) for i in range(3)]
            found = (moved(**{name: step}) - moved(**{name: [-s for s in step]})) / (2 * h)
            assert float(slope[axis]) == pytest.approx(found, rel=5e-3, abs=2e-4)


def test_arrays_and_tensors_are_lit_alike():
    normals = F.normalize(torch.randn(20, 3), dim=-1)
    told = lambert(normals, TO_LIGHT)
    np.testing.assert_allclose(lambert(normals.numpy(), TO_LIGHT.numpy()), told, atol=1e-6)
    assert told.shape == (20, 1)
    assert float(told.min()) == pytest.approx(AMBIENT)
