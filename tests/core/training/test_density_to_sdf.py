"""From a density to a signed distance, where both are known."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.capture.scene import Photo, Scene
from core.field.model import SceneModel
from core.geometry.cameras import Intrinsics
from core.rendering.occupancy import OccupancyGrid
from core.rendering.rays import Rays
from core.rendering.sampling import DENSITY_STEP
from core.training import density_to_sdf
from tests.core.captures import look_at
from tests.core.shaded_ball import CPU, WARM

RADIUS, CENTER = 0.4, torch.tensor([0.1, -0.05, 0.15])
LENS = Intrinsics(96, 64, 110.0, 110.0, 48.0, 32.0)


class Level(nn.Module):
    """A radiance field of a known level."""

    def __init__(self, level):
        super().__init__()
        self.implicit_value = level

    n_levels = 1

    def grow(self, n_levels):
        """It has no levels of a grid."""


def warm_model(level) -> SceneModel:
    torch.manual_seed(0)
    model = SceneModel(WARM, 1, False)
    model.radiance = Level(level)  # type: ignore[assignment]
    return model


def distance_to_ball(x):
    return (x - CENTER).norm(dim=-1) - RADIUS


def median(level, origins, directions, occupancy=None):
    grid = occupancy or OccupancyGrid(16, CPU)
    return density_to_sdf.median_distance(warm_model(level), grid, Rays(origins, directions))


ORIGINS = torch.tensor([[-3.0, 0, 0], [-3.0, 0.6, 0], [-3.0, 2, 0]])
ALONG = torch.tensor([[1.0, 0, 0]]).expand(3, 3)


@pytest.mark.parametrize(("level", "sigma"), [(0.0, 30.0), (0.1, 30 / math.e), (-1.0, 220.0)])
def test_half_the_light_of_a_constant_density_is_gone_after_ln_2_over_it(level, sigma):
    """The rays enter the ball at x = -1, at x = -0.8, and pass it by."""
    found = median(lambda x: torch.full((len(x),), level), ORIGINS, ALONG)
    half = math.log(2) / sigma
    assert found.tolist() == pytest.approx([2 + half, 2.2 + half, math.inf], abs=1e-4)


def test_a_density_that_stops_less_than_half_has_no_surface():
    # through the whole ball, 2 units long: optical depth 0.69 is just not, 0.70 just enough
    for depth, stops in ((0.69, False), (0.70, True)):
        level = -0.1 * math.log(depth / 2 / 30)
        found = median(lambda x, a=level: torch.full((len(x),), a), ORIGINS, ALONG)
        assert math.isfinite(found[0]) == stops
        assert not found[1:].isfinite().any()


def test_the_median_of_a_ball_is_its_near_surface():
    found = median(lambda x: 50 * distance_to_ball(x), ORIGINS + CENTER, ALONG)
    assert float(found[0]) == pytest.approx(3 - RADIUS, abs=DENSITY_STEP)
    assert not found[1:].isfinite().any()


def test_free_space_is_stepped_over():
    grid = OccupancyGrid(16, CPU)
    grid.occupied[:8] = False
    found = median(lambda x: torch.zeros(len(x)), ORIGINS, ALONG, grid)
    assert found[:2].tolist() == pytest.approx([3 + math.log(2) / 30] * 2, abs=DENSITY_STEP)


def scene_around(n: int) -> Scene:
    """Cameras all around the middle, above and below."""
    i = np.arange(n) + 0.5
    z, turn = 0.9 * (1 - 2 * i / n), np.pi * (1 + np.sqrt(5)) * i
    r = np.sqrt(1 - z * z)
    places = 3 * np.stack([r * np.cos(turn), r * np.sin(turn), z], 1)
    return Scene(
        "test",
        tuple(
            Photo(str(k), None, LENS, look_at(place, np.zeros(3)))  # type: ignore[arg-type]
            for k, place in enumerate(places)
        ),
        np.eye(4),
    )


def test_a_ball_of_density_becomes_its_signed_distance(monkeypatch):
    for name, value in (("FUSION_RESOLUTION", 64), ("FIT_STEPS", 120), ("FIT_POINTS", 4096)):
        monkeypatch.setattr(density_to_sdf, name, value)
    model = warm_model(lambda x: 50 * distance_to_ball(x))
    scene = scene_around(12)
    work = density_to_sdf.density_to_sdf(model, OccupancyGrid(32, CPU), scene, [LENS] * 12)
    slices = 0
    for _ in work:
        slices += 1
        assert not model.has_sdf, "not before the last of it"
    assert slices > 120
    assert model.has_sdf
    assert model.shape is model.sdf_field
    torch.manual_seed(1)
    x = F.normalize(torch.randn(4000, 3), dim=-1) * torch.rand(4000, 1) ** (1 / 3)
    true = distance_to_ball(x)
    with torch.no_grad():
        found = model.sdf_field.implicit_value(x)
    cell = 2 / 64
    near = true.abs() < 2 * cell
    assert (found - true)[near].abs().mean() < 0.5 * cell
    assert (found - true)[~near].abs().mean() < cell
    sure = true.abs() > cell
    assert (found.sign() == true.sign())[sure].float().mean() > 0.999


def test_few_of_many_cameras_are_asked(monkeypatch):
    """7 photos and at most 3: every third."""
    monkeypatch.setattr(density_to_sdf, "MAX_CAMERAS", 3)
    monkeypatch.setattr(density_to_sdf, "FUSION_RESOLUTION", 16)
    asked = []

    class Fusion(density_to_sdf.DistanceFusion):
        def add(self, distance, lens, scene_from_camera):
            asked.append(scene_from_camera[:3, 3])
            assert distance.shape == (lens.height, lens.width)
            assert max(distance.shape) == density_to_sdf.DEPTH_MAP_SIDE
            super().add(distance, lens, scene_from_camera)

    monkeypatch.setattr(density_to_sdf, "DistanceFusion", Fusion)
    monkeypatch.setattr(density_to_sdf, "DEPTH_MAP_SIDE", 24)
    scene = scene_around(7)
    work = density_to_sdf.density_to_sdf(
        warm_model(lambda x: 50 * distance_to_ball(x)), OccupancyGrid(8, CPU), scene, [LENS] * 7
    )
    while len(asked) < 3:
        next(work)
    found = sorted(tuple(a) for a in asked)
    assert found == sorted(tuple(scene.photos[i].world_from_camera[:3, 3]) for i in (0, 3, 6))
