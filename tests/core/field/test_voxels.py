"""The explicit grid: what it interpolates, that it is refined without changing, and its colours."""

import math

import pytest
import torch

from core.config.run import FieldConfig
from core.field.voxels import (
    INIT_DENSITY_LOGIT,
    LOGIT_SCALE,
    HarmonicColor,
    VoxelField,
    channels,
    n_bytes,
)

CONFIG = FieldConfig(n_levels=3, finest_resolution=32, direction_degree=2)


def field(levels=1, seed=0):
    torch.manual_seed(seed)
    made = VoxelField(CONFIG)
    made.grow(levels)
    made.active_levels = levels
    made.grid.table.data.normal_()
    return made


def points(n=500):
    return torch.rand(n, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_a_constant_grid_is_constant_everywhere():
    made = field(2)
    made.grid.table.data[:] = torch.arange(channels(CONFIG)).float()
    level, features = made.value_and_features(points())
    torch.testing.assert_close(level, torch.full((500,), INIT_DENSITY_LOGIT))  # of a stored 0
    wanted = torch.arange(1.0, channels(CONFIG)).expand(500, -1)
    torch.testing.assert_close(features, wanted)


def test_a_linear_function_is_interpolated_exactly():
    made = field(1)
    slope = torch.tensor([0.3, -0.2, 0.5])
    made.grid.table.data[:, 0] = made._corners(8) @ slope
    torch.testing.assert_close(
        made.implicit_value(points()), INIT_DENSITY_LOGIT - LOGIT_SCALE * (points() @ slope)
    )
    gradients = made.samples(points() * 0.8).gradients
    torch.testing.assert_close(gradients, (-LOGIT_SCALE * slope).expand(500, 3), atol=1e-4, rtol=0)


def test_upsampling_keeps_the_field_and_its_coarse_level():
    made = field(1)
    before = made.value_and_features(points())
    assert made.grow(1.9) is False, "a level opens when it is there wholly"
    assert made.grow(3) is True
    assert made.grow(3) is False
    made.active_levels = 3
    for one, other in zip(before, made.value_and_features(points())):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    made.grid.table.data.normal_()  # now the fine corners have something of their own
    coarse = made.implicit_value(points(), lod=1)
    corners = made._corners(8)
    torch.testing.assert_close(
        made.implicit_value(corners, lod=1),
        made.implicit_value(corners),
        msg="of the corners that both have",
    )
    assert not torch.allclose(coarse, made.implicit_value(points()))
    assert made.cell_size(1) == pytest.approx(2 / 8)
    assert made.cell_size(3) == pytest.approx(2 / 32)


def test_memory_grows_with_the_cube_of_the_resolution():
    assert channels(CONFIG) == 14, "one of density, 3 times 4 of colour, and even"
    assert n_bytes(CONFIG) == 4 * 14 * 33**3
    assert field(3).grid.table.numel() * 4 == n_bytes(CONFIG)


def test_colours_are_sums_of_harmonics():
    color = HarmonicColor(CONFIG)
    features = torch.zeros(2, 13)
    features[:, 0] = 1.5  # of the red constant
    features[1, 6] = -2.0  # of green along z: 0 y z x are a channel's four
    up = torch.tensor([[0.0, 0, 1]]).expand(2, 3)
    seen = color(torch.zeros(2, 3), None, up, features, None)

    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    assert float(seen[0, 0]) == pytest.approx(sigmoid(1.5))
    assert float(seen[0, 1]) == pytest.approx(0.5)
    assert float(seen[1, 1]) == pytest.approx(sigmoid(-2 * math.sqrt(3)), abs=1e-5)
    assert float(color(torch.zeros(2, 3), None, -up, features, None)[1, 1]) == pytest.approx(
        sigmoid(2 * math.sqrt(3)), abs=1e-5
    )
