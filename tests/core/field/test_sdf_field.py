import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from core.config.run import FieldConfig
from core.field.hash_grid import HashGrid
from core.field.sdf_field import SdfField
from core.kernels import GridLayout

SMALL = FieldConfig(
    n_levels=4,
    log2_hashmap_size=12,
    base_resolution=8,
    finest_resolution=64,
    sdf_width=64,
    n_geometry_features=5,
)
SMOOTH = replace(SMALL, sdf_activation="softplus")


def field(config=SMALL, features=0.0, **changes):
    """A field of the initial sphere; ``features``: how far its hash table is from zero."""
    torch.manual_seed(3)
    made = SdfField(replace(config, **changes))
    with torch.no_grad():
        made.grid.table.normal_(0, features) if features else made.grid.table.zero_()
        if features:  # let the network listen to them
            for layer in made.hidden[:1]:
                layer.weight[:, 3:].normal_(0, 0.3)
    return made


def points(n=400, low=0.2, high=0.9):
    """[n, 3] at distances from the origin between ``low`` and ``high``."""
    torch.manual_seed(5)
    return F.normalize(torch.randn(n, 3), dim=-1) * (low + (high - low) * torch.rand(n, 1))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_the_initial_field_is_a_sphere_with_outward_normals(layers, activation):
    # one layer is round by construction, further ones only as far as their width averages
    width, tolerance = (64, 0.04) if layers == 1 else (256, 0.15)
    made = field(sdf_layers=layers, sdf_activation=activation, sdf_width=width)
    x = points()
    r = x.norm(dim=-1)
    with torch.no_grad():
        assert ((made.implicit_value(x) - (r - 0.5)).abs() < tolerance).all()
        normals = F.normalize(made.samples(x).gradients, dim=-1)
    assert ((normals * x).sum(-1) / r > 0.8).all()


def test_inside_out_negates_the_sphere():
    x = points()
    with torch.no_grad():
        torch.testing.assert_close(
            field(inside_out=True).implicit_value(x), -field().implicit_value(x)
        )


def test_a_table_of_zeros_or_not_the_initial_surface_is_the_sphere():
    """The columns that hash features enter by are zero, so features cannot disturb it."""
    made = SdfField(SMALL)
    with torch.no_grad():
        made.grid.table.normal_()
        torch.testing.assert_close(made.implicit_value(points()), field().implicit_value(points()))


@pytest.mark.parametrize("gradients", ["fd4", "fd6", "analytic"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("weight_norm", [False, True])
def test_gradients_agree_with_finite_differences_of_the_field(gradients, layers, weight_norm):
    made = field(
        SMOOTH, sdf_layers=layers, weight_norm=weight_norm, gradients=gradients, fd_eps_cells=0.05
    ).double()
    made.grid.table.requires_grad_(False)
    x = points(100).double().requires_grad_()

    def sdf(p):  # without the (zero) features, so that float64 reaches everywhere
        h = torch.cat([p, p.new_zeros(len(p), made.grid.layout.width)], -1)
        for layer in made.hidden:
            h = F.softplus(layer(h), beta=100)
        return made.head(h)[:, 0]

    (expected,) = torch.autograd.grad(sdf(x).sum(), x)
    made.float()
    found = made.samples(x.detach().float()).gradients
    tolerance = 1e-4 if gradients == "analytic" else 0.02
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=tolerance)


def test_the_ways_to_take_gradients_agree_where_the_features_speak_smoothly():
    """Inside a cell trilinear features are smooth: short taps see what the chain rule says."""
    x = points()
    scaled = (x * 0.5 + 0.5)[..., None] * torch.tensor([8, 16, 32, 64])
    x = x[((scaled - scaled.round()).abs() > 0.05).flatten(1).all(1)]
    assert len(x) > 50
    found = {}
    for gradients in ("fd4", "fd6", "analytic"):
        made = field(SMOOTH, features=0.02, gradients=gradients, fd_eps_cells=0.02)
        with torch.no_grad():
            found[gradients] = made.samples(x)
    for gradients in ("fd4", "fd6"):
        difference = (found[gradients].gradients - found["analytic"].gradients).norm(dim=-1)
        assert difference.median() < 0.02
        torch.testing.assert_close(found[gradients].sdf, found["analytic"].sdf)
        torch.testing.assert_close(found[gradients].features, found["analytic"].features)


@pytest.mark.parametrize("gradients", ["fd4", "fd6"])
def test_taps_know_a_sphere(gradients, monkeypatch):
    """Fed with |x| - 1/2 the formulas give its unit normal and its Laplacian 2 / |x|."""
    made = field(gradients=gradients, fd_eps_cells=0.5, sdf_layers=1, sdf_width=1)
    monkeypatch.setattr(
        made.grid,
        "forward",
        lambda x, levels: torch.cat([x.norm(dim=-1, keepdim=True), torch.zeros(len(x), 7)], -1),
    )
    with torch.no_grad():
        layer = made.hidden[0]
        layer.weight.zero_()
        layer.weight[0, 3], layer.bias[0] = 1, 0
        made.head.weight[0, 0], made.head.bias[0] = 1, -0.5
        x = points(low=0.4).contiguous()
        found = made.samples(x)
    r = x.norm(dim=-1)
    torch.testing.assert_close(found.sdf, r - 0.5)
    # six taps are exact to ε²; the tetrahedron mixes in the next derivative, to ε
    close, tolerance = (1e-3, 0.02) if gradients == "fd6" else (0.015, 0.1)
    torch.testing.assert_close(found.gradients, x / r[:, None], rtol=0, atol=close)
    assert ((found.laplacian * r / 2 - 1).abs() < tolerance).all()


def test_the_curvature_of_the_analytic_field_is_not_asked():
    assert field(gradients="analytic").samples(points(3)).laplacian is None


@pytest.mark.parametrize("cells", [0.5, 1.0])
def test_the_tap_distance_follows_the_active_levels(cells):
    made = field(fd_eps_cells=cells)  # resolutions 8, 16, 32, 64 over a domain of length 2
    for levels, resolution in ((1, 8), (2, 16), (3, 32), (4, 64)):
        made.active_levels = levels
        assert made.normal_eps == pytest.approx(cells * 2 / resolution)
    made.active_levels = 2.5
    assert made.normal_eps == pytest.approx(cells * 2 / math.sqrt(16 * 32))


def test_closed_levels_say_nothing():
    made, x = field(features=0.5), points()
    offsets = made.grid.layout.offsets
    with torch.no_grad():
        made.active_levels = 2
        before, limited = made.implicit_value(x), field(features=0.5).implicit_value(x, lod=2)
        torch.testing.assert_close(before, limited)
        made.grid.table[offsets[2] :] += 10
        torch.testing.assert_close(made.implicit_value(x), before)
        made.active_levels = 2.01
        assert (made.implicit_value(x) - before).abs().max() > 0.01
        assert made.implicit_value(x, lod=4).equal(made.implicit_value(x)), "a limit opens no level"


def test_a_field_that_grows_answers_as_before_until_its_new_levels_are_learnt():
    torch.manual_seed(3)
    made, x = SdfField(SMALL, 2), points()
    assert made.grid.layout.n_levels == 2
    assert made.active_levels == 2
    with torch.no_grad():
        made.grid.table.normal_(0, 0.5)
        made.hidden[0].weight[:, 3:].normal_(0, 0.3)
        before = made.implicit_value(x)
        made.grow(made.n_levels)
        assert {k: v.shape for k, v in made.state_dict().items()} == {
            k: v.shape for k, v in SdfField(SMALL).state_dict().items()
        }
        made.active_levels = 4
        torch.testing.assert_close(made.implicit_value(x), before)
    made.implicit_value(x).sum().backward()
    assert made.hidden[0].weight.grad[:, -2:].abs().max() > 0, "they can be learnt"


def test_active_levels_travel_with_the_state():
    made, other = field(), field()
    made.active_levels = 2.5
    other.load_state_dict(made.state_dict())
    assert other.active_levels == 2.5
    assert other.normal_eps == made.normal_eps


@pytest.mark.parametrize("gradients", ["fd4", "fd6"])
@pytest.mark.parametrize("activation", ["relu", "softplus"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("weight_norm", [False, True])
def test_the_written_out_layer_equals_autograd(gradients, activation, layers, weight_norm):
    made = field(
        features=0.1,
        gradients=gradients,
        sdf_activation=activation,
        sdf_layers=layers,
        weight_norm=weight_norm,
    )
    x = points(50)
    found = made.samples(x)
    sdf, features = made.value_and_features(x)
    torch.testing.assert_close(found.sdf, sdf)
    torch.testing.assert_close(found.features, features)
    torch.testing.assert_close(made.implicit_value(x), sdf)

    # the same combination of distances through plain calls
    four = gradients == "fd4"
    axes = torch.eye(3)
    offsets = (
        torch.tensor([[1.0, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]]) / math.sqrt(3)
        if four
        else torch.cat([axes, -axes])
    )
    eps = made.normal_eps
    taps = torch.stack([made.implicit_value(x + eps * k) for k in offsets], -1)
    torch.manual_seed(9)
    on_sdf, on_features = torch.randn(50), torch.randn(50, 5)
    on_gradient, on_laplacian = torch.randn(50, 3), torch.randn(50) * 0.01
    divisor = 4 / 3 * eps if four else 2 * eps  # 4 h k/√3 = 4/3 ε k
    laplacian = (
        (0.5 * taps.sum(-1) - 2 * sdf) / (eps**2 / 3) if four else (taps.sum(-1) - 6 * sdf) / eps**2
    )
    plain = (
        (sdf * on_sdf).sum()
        + (features * on_features).sum()
        + (taps @ offsets / divisor * on_gradient).sum()
        + (laplacian * on_laplacian).sum()
    )
    written = (
        (found.sdf * on_sdf).sum()
        + (found.features * on_features).sum()
        + (found.gradients * on_gradient).sum()
        + (found.laplacian * on_laplacian).sum()
    )
    torch.testing.assert_close(written, plain, rtol=1e-3, atol=0.05)
    parameters = dict(made.named_parameters())
    expected = torch.autograd.grad(plain, list(parameters.values()))
    actual = torch.autograd.grad(written, list(parameters.values()))
    for name, a, b in zip(parameters, actual, expected):
        error = (a - b).norm() / b.norm().clamp(min=1e-6)
        assert error < 2e-3, f"{name}: {float(error)}"


@pytest.mark.parametrize("gradients", ["fd4", "fd6", "analytic"])
def test_only_some_points_have_taps_where_so_asked(gradients):
    made, x, fd_indices = field(gradients=gradients), points(10), torch.tensor([7, 2, 3])
    full, some = made.samples(x), made.samples(x, fd_indices=fd_indices)
    torch.testing.assert_close(some.sdf, full.sdf)
    torch.testing.assert_close(some.features, full.features)
    torch.testing.assert_close(some.gradients, full.gradients[fd_indices])
    if full.laplacian is not None and some.laplacian is not None:
        rounding = 4 * torch.finfo(torch.float32).eps * float(full.sdf.detach().abs().max())
        step = made.cell_size(made.active_levels) / 3**0.5
        torch.testing.assert_close(  # a second difference: what sums round off, by the step twice
            some.laplacian, full.laplacian[fd_indices], rtol=1e-5, atol=rounding / step**2
        )
    none = made.samples(x, fd_indices=fd_indices[:0])
    assert none.gradients.shape == (0, 3)


def test_the_grid_speaks_scene_units():
    grid = HashGrid(GridLayout.create(1, 2, 12, 8, 8))
    line = torch.linspace(-1, 1, 9)
    with torch.no_grad():
        z, y, x = torch.meshgrid(line, line, line, indexing="ij")
        grid.table.copy_(torch.stack([x + 2 * y, z], -1).view(-1, 2))
        p = torch.rand(50, 3) * 1.9 - 0.95
        torch.testing.assert_close(grid(p, 1)[:, 0], p[:, 0] + 2 * p[:, 1])
        slope = grid.gradient(p, torch.tensor([[1.0, 3.0]]).expand(50, -1).contiguous(), 1)
    torch.testing.assert_close(
        slope, torch.tensor([[1.0, 2, 3]]).expand(50, -1), rtol=1e-4, atol=1e-4
    )


def test_levels_fade_in():
    grid = HashGrid(GridLayout.create(4, 2, 12, 8, 64))
    assert grid.level_weights(2.25).tolist() == [1, 1, 0.25, 0]
    assert grid.level_weights(0).tolist() == [0, 0, 0, 0]
    assert grid.level_weights(9).tolist() == [1, 1, 1, 1]
    assert grid.cell_size(1) == pytest.approx(2 / 8)
    assert grid.cell_size(4) == pytest.approx(2 / 64)
