"""Grids, points and packed samples that the tests of the kernels share."""

import torch

from core.kernels import GridLayout

LEVELS = 4
LAYOUT = {f: GridLayout.create(LEVELS, f, 10, 4, 40) for f in (2, 4)}  # two dense, two hashed
WEIGHTS = (torch.ones(LEVELS), torch.tensor([1.0, 1.0, 0.5, 0.0]), torch.zeros(LEVELS))


def points(n=1500):
    """Random points, some outside, some on the border or on a vertex of the domain [0, 1]³."""
    x = torch.rand(n, 3, generator=torch.manual_seed(0)) * 1.4 - 0.2
    x[:200] = x[:200].clamp(0, 1)
    x[:27] = torch.cartesian_prod(*[torch.tensor([0.0, 0.5, 1.0])] * 3)
    return x


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.manual_seed(seed))


def off_walls(x, layout):
    """bool [N, 1]: no coordinate is within rounding of a cell's wall."""
    scaled = x[..., None] * torch.from_numpy(layout.resolutions)
    return ((scaled - scaled.round()).abs() > 1e-4).flatten(1).all(1)[:, None]


def packed(device="cpu", channels=5):
    """Rays of 0, 1, 7 and 40 samples: alphas (some 0 or 1), values and the ranges."""
    ray_starts = torch.tensor([0, 0, 1, 8, 48, 48])
    alphas = torch.rand(48, generator=torch.manual_seed(6)) * 0.5
    alphas[3], alphas[20] = 0.0, 1.0
    return [t.to(device) for t in (alphas, random(48, channels), ray_starts)]
