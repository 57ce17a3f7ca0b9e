from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.config.run import FieldConfig, RunConfig
from core.field.appearance import Appearance
from core.field.background import Background, background_color, contract
from core.field.color import ColorNetwork, spherical_harmonics
from core.field.model import SceneModel

SMALL = FieldConfig(n_levels=2, log2_hashmap_size=10, finest_resolution=32, appearance_size=3)


def directions(n):
    """[n, 3] unit directions."""
    torch.manual_seed(1)
    return F.normalize(torch.randn(n, 3), dim=-1)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_spherical_harmonics_are_orthonormal(degree):
    """∫ Yᵢ Yⱼ over the sphere is 1 for i = j and else 0; exact on a product quadrature."""
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(8))
    turn = torch.arange(16).double() * (2 * torch.pi / 16)
    z = nodes[:, None].expand(-1, 16)
    r = (1 - z * z).sqrt()
    d = torch.stack([r * turn.cos(), r * turn.sin(), z], -1).view(-1, 3)
    area = (weights[:, None] * (2 * torch.pi / 16)).expand(-1, 16).reshape(-1, 1)
    values = spherical_harmonics(d, degree)
    assert values.shape == (len(d), degree**2)
    torch.testing.assert_close(
        values.T @ (area * values), torch.eye(degree**2).double(), rtol=0, atol=1e-6
    )


def test_contraction_is_the_identity_inside_and_bounded_outside():
    inside = directions(50) * torch.rand(50, 1)
    torch.testing.assert_close(contract(inside), inside)
    far = directions(50) * torch.logspace(0.01, 6, 50)[:, None]
    contracted = contract(far)
    r = contracted.norm(dim=-1)
    assert ((r > 1) & (r <= 2)).all()
    assert (r.diff() >= 0).all(), "farther stays farther"
    torch.testing.assert_close(F.normalize(contracted, dim=-1), F.normalize(far, dim=-1))
    torch.testing.assert_close(contract(torch.tensor([[4.0, 0, 0]])), torch.tensor([[1.75, 0, 0]]))


def test_a_view_of_no_photo_gets_the_mean_appearance():
    appearance = Appearance(4, 2)
    assert appearance.vectors is not None
    with torch.no_grad():
        appearance.vectors.copy_(torch.tensor([[1.0, 0], [2, 0], [3, 4], [6, 4]]))
    assert appearance(None, 2).tolist() == [[3, 2], [3, 2]]
    assert appearance(torch.tensor([2, 0]), 2).tolist() == [[3, 4], [1, 0]]
    assert Appearance(4, 0)(None, 2) is None


def test_colours_depend_on_every_input_and_stay_in_range():
    torch.manual_seed(0)
    network = ColorNetwork(SMALL)
    n = 20
    inputs = [
        torch.randn(n, 3, requires_grad=True),
        directions(n).requires_grad_(),
        directions(n).requires_grad_(),
        torch.randn(n, 15, requires_grad=True),
        torch.randn(n, 3, requires_grad=True),
    ]
    color = network(*inputs)
    assert color.shape == (n, 3)
    assert ((color > 0) & (color < 1)).all()
    for gradient in torch.autograd.grad(color.sum(), inputs):
        assert (gradient.abs().sum(-1) > 0).all()


class _Wall(torch.nn.Module):
    """A background of one colour; ``density`` decides how soon it is opaque."""

    def __init__(self, density, color):
        super().__init__()
        self.density, self.color = density, torch.tensor(color)
        self.seen = []

    def forward(self, positions, directions, appearance):
        self.seen.append(positions)
        return torch.full((len(positions),), self.density), self.color.expand(len(positions), 3)


@pytest.mark.parametrize("density", [0.0, 0.5, 1e4])
def test_a_background_of_one_colour_shows_that_colour(density):
    """The last interval is opaque, so nothing shines through to infinity."""
    wall = _Wall(density, [0.2, 0.5, 0.9])
    color = background_color(
        wall, torch.zeros(10, 3), directions(10), torch.ones(10), None, Appearance(1, 0), 8, None
    )  # type: ignore[arg-type]
    torch.testing.assert_close(color, wall.color.expand(10, 3), rtol=0, atol=1e-5)


@pytest.mark.parametrize("jitter", [None, torch.linspace(0, 0.99, 10)])
def test_the_background_is_asked_beyond_what_is_trained_only_and_in_order(jitter):
    wall, beyond = _Wall(1.0, [0.0, 0.0, 0.0]), torch.linspace(0, 3, 10)
    origins = directions(10) * torch.linspace(0, 3, 10)[:, None]
    background_color(
        wall, origins, directions(10).flip(0), beyond, None, Appearance(1, 0), 8, jitter
    )  # type: ignore[arg-type]
    positions = wall.seen[0].view(10, 8, 3)
    along = (positions - origins[:, None]).norm(dim=-1)
    assert (along.diff(dim=1) > 0).all()
    assert (along >= beyond[:, None] - 1e-5).all()


def test_the_background_is_there_when_photos_show_a_world():
    for background, has_background, inside_out, expected in (
        ("auto", True, False, True),
        ("auto", False, False, False),
        ("auto", True, True, False),
        ("none", True, False, False),
        ("contraction", False, False, True),
    ):
        field = replace(SMALL, background=background, inside_out=inside_out)
        model = SceneModel(RunConfig(field=field), 2, has_background)
        assert (model.background is not None) == expected, (background, has_background, inside_out)


def test_the_background_network_answers_anywhere():
    torch.manual_seed(0)
    density, color = Background(0)(directions(20) * 1e5, directions(20), None)
    assert (density >= 0).all()
    assert ((color >= 0) & (color <= 1)).all()


def test_a_surface_is_coloured_as_the_eyes_above_it_see_it():
    torch.manual_seed(0)
    model = SceneModel(RunConfig(field=SMALL), 2, False)
    x = directions(30) * 0.5
    above = directions(1)[0] * 3.0
    below = torch.stack([-above, -above])  # behind the ball: no say in it
    with torch.no_grad():
        color, normals = model.surface_color(x, above[None])
        samples = model.sdf_field.samples(x)
        seen = model.color(
            x,
            normals,
            torch.nn.functional.normalize(x - above, dim=-1),
            samples.features,
            torch.zeros(30, 3),
        )
        several, _ = model.surface_color(x, torch.cat([below, above[None].expand(4, -1)]))
    torch.testing.assert_close(color, seen)
    facing = (normals @ above) > 0.5
    torch.testing.assert_close(several[facing], seen[facing])
    assert ((normals * x).sum(-1) > 0.45).all()
    torch.testing.assert_close(normals.norm(dim=-1), torch.ones(30))


def test_colours_do_not_jump_where_other_eyes_come_nearer():
    """Along an arc under a ring of eyes no step changes the colour much more than its neighbour."""
    torch.manual_seed(0)
    model = SceneModel(RunConfig(field=SMALL), 2, False)
    angle = torch.linspace(0, 1, 4001) * torch.pi
    arc = 0.5 * torch.stack([angle.cos(), angle.sin(), torch.zeros_like(angle)], -1)
    turns = torch.arange(12) * (2 * torch.pi / 12) + 0.1
    ring = 3 * torch.stack([turns.cos(), turns.sin(), torch.full_like(turns, 0.3)], -1)
    with torch.no_grad():
        color, _ = model.surface_color(arc, ring)
    steps = color.diff(dim=0).abs().amax(-1)
    assert steps.max() < 8 * steps.median()


def test_a_place_looks_different_from_elsewhere():
    torch.manual_seed(0)
    network = ColorNetwork(replace(SMALL, appearance_size=0))
    place, features = torch.rand(1, 3).expand(8, 3), torch.rand(1, 15).expand(8, 15)

    def spread(normals, views) -> float:
        return network(place, normals, views, features, None).std(0).max().item()

    one = directions(1).expand(8, 3)
    assert spread(one, directions(8)) > 1e-4
    assert spread(directions(8), one) > 1e-4
    assert spread(one, one) < 1e-6
