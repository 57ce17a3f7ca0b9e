"""The original networks: what they are told, how they are built, and which of them answers."""

import math

import pytest
import torch

from core.config.run import FieldConfig, RunOptions
from core.field.nerf import NerfColor, NerfField, positional_encoding
from core.rendering.volume import density
from core.training.presets import run_config


def test_a_position_is_told_in_sines_of_doubling_frequency():
    x = torch.tensor([[0.25, 0.0, -0.5]])
    found = positional_encoding(x, 2)[0].tolist()
    s = math.sqrt(0.5)
    assert found[:3] == [0.25, 0.0, -0.5]
    assert found[3:9] == pytest.approx([s, 0, -1, 1, 0, 0], abs=1e-6), "sin of π x and 2π x"
    assert found[9:] == pytest.approx([s, 1, 0, 0, 1, -1], abs=1e-6), "cos of them"
    assert positional_encoding(x, 10).shape == (1, 63)
    assert positional_encoding(x, 4).shape == (1, 27)


def test_the_published_sizes():
    config = run_config(RunOptions("standard", method="nerf")).field
    field, color = NerfField(config), NerfColor(config)
    for network in (field.coarse, field.fine):
        shapes = [tuple(layer.weight.shape) for layer in network.hidden]
        assert shapes == [(256, 63), *[(256, 256)] * 4, (256, 319), *[(256, 256)] * 2]
        assert network.features.weight.shape == (256, 256)
    for head in (color.coarse, color.fine):
        assert head.hidden.in_features == 256 + 27 + config.appearance_size
        assert head.out.weight.shape == (3, 128)
    assert field.ray_samples == (64, 128)
    # the sum of the above; Mildenhall et al. have as many in each of their two networks
    assert sum(p.numel() for p in field.fine.parameters()) == 493056 + 257 + 65792


def test_the_levels_are_the_two_networks():
    torch.manual_seed(0)
    config = run_config(RunOptions("draft", method="nerf")).field
    field, color, x = NerfField(config), NerfColor(config), torch.rand(20, 3) - 0.5
    for levels, network in ((1, field.coarse), (2, field.fine), (None, field.fine)):
        found, features = field.value_and_features(x, levels)
        torch.testing.assert_close(density(found), network(x)[0])
        torch.testing.assert_close(features, network(x)[1])
    seen = [
        color(x, None, x, features, torch.zeros(20, config.appearance_size), levels)
        for levels in (1, 2, None)
    ]
    assert seen[1].equal(seen[2])
    assert not torch.allclose(seen[0], seen[1])


def test_nothing_learns_where_its_density_is_next_to_none():
    """… but a little: the softplus has a slope everywhere, and no answer is without number."""
    field = NerfField(FieldConfig(sdf_width=8, sdf_layers=2))
    torch.nn.init.constant_(field.fine.density.bias, -12.0)
    level = field.implicit_value(torch.zeros(1, 3))
    density(level).sum().backward()
    assert level.isfinite().all()
    assert float(field.fine.density.bias.grad) > 0
