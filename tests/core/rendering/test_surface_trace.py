"""Rays that stop at a sphere, whose depth, colour and silhouette are known in closed form."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from core.config import FieldConfig, TrainConfig
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout
from core.rendering.occupancy import OccupancyGrid
from core.rendering.rays import Rays
from core.rendering.surface_trace import meet_surface, render_surface

CPU = torch.device("cpu")
INV_S = 200.0
LIGHT = torch.tensor([0.2, 0.5, 0.3])


class Sphere:
    """Of a radius that can be learnt; the colour of a point is its position, a little brighter."""

    config = FieldConfig()

    def __init__(self, radius):
        self.radius = torch.tensor(radius, requires_grad=True)

    def sdf(self, x, levels=None):
        return x.norm(dim=-1) - self.radius

    def samples(self, x, levels=None, *, tapped=None, analytic=False):
        normals = F.normalize(x, dim=-1)
        return SimpleNamespace(
            sdf=self.sdf(x), features=x[:, :0], gradients=normals, laplacian=torch.zeros(len(x)))


def model_of(field) -> Any:
    return SimpleNamespace(
        surface=field, inv_s=torch.tensor(INV_S), background=None, proposal=None,
        features=lambda x, own: own, appearance=lambda photo, n: None,
        color=lambda x, *_: x + LIGHT,
    )


def seen(field, rays, behind=None):
    model = model_of(field)
    occupancy = OccupancyGrid(32, CPU)
    for _ in range(3):
        occupancy.update(lambda x: field.sdf(x).detach(), INV_S)
    met = meet_surface(model, occupancy, rays)
    return met, render_surface(model, rays, met, TrainConfig(), behind=behind)


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
        slope, = torch.autograd.grad(rendered.depth[i], field.radius, retain_graph=True)
        assert float(slope) == pytest.approx(-0.5 / (0.25 - float(across[i]) ** 2) ** 0.5, rel=1e-4)
        assert float(slope) == pytest.approx(float(more[i] - less[i]) / (2 * h), rel=5e-3)


def test_colour_follows_the_point_that_moves_with_the_field():
    """The point at depth t has t - 2 + 0.3 as its blue, whose slope so is that of the depth."""
    field = Sphere(0.5)
    _, rendered = seen(field, rays_at([0.3]))
    torch.testing.assert_close(rendered.color[0], torch.tensor([0.3, 0.0, -0.4]) + LIGHT)
    slope, = torch.autograd.grad(rendered.color[0, 2], field.radius)
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
    slope, = torch.autograd.grad(rendered.opacity[0], field.radius)
    assert float(slope) == pytest.approx(float(INV_S * kept * (1 - kept)), rel=0.02)


def test_features_of_the_grid_change_with_the_place_as_finite_differences_say():
    torch.manual_seed(0)
    grid = HashGrid(GridLayout.create(4, 2, 12, 4, 32))
    with torch.no_grad():
        grid.table.uniform_(-1, 1)
    x = (torch.rand(64, 3) * 1.8 - 0.9).requires_grad_()
    weights = torch.randn(64, 8)
    slope, = torch.autograd.grad((grid(x, 3.5) * weights).sum(), x)
    h = 1e-4
    for axis in range(3):
        step = torch.zeros(3).index_fill(0, torch.tensor(axis), h)
        with torch.no_grad():
            along = ((grid(x + step, 3.5) - grid(x - step, 3.5)) * weights).sum(-1) / (2 * h)
        off = (along - slope[:, axis]).abs() / (1 + along.abs())
        assert off.median() < 0.01, "all but those that cross a cell's border"
