"""The preview and the volume rendering of the one surface that is known: the initial sphere."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from core.base.jobs import run_task
from core.config.run import FieldConfig, RunConfig, TrainConfig
from core.field.model import SceneModel
from core.geometry.view import View
from core.rendering.occupancy import OccupancyGrid
from core.rendering.preview import render_preview, trace_field, view_rays
from core.rendering.rays import Rays
from core.rendering.render import render_rays, render_samples, sample_rays, step_length
from core.session.viewer.previewer import Previewer

CPU = torch.device("cpu")
RADIUS, DISTANCE, FOV = 0.5, 3.0, 0.7
FIELD = FieldConfig(n_levels=3, log2_hashmap_size=12, base_resolution=8, finest_resolution=32)
CONFIG = RunConfig(field=FIELD, train=TrainConfig(initial_inv_s=300.0))


@pytest.fixture(scope="module")
def sphere():
    torch.manual_seed(0)
    model = SceneModel(CONFIG, 1, False)
    occupancy = OccupancyGrid(32, CPU)
    occupancy.update(model.sdf_field.implicit_value, 300.0)
    return model, occupancy


def view(view_id=1, width=96, height=64, **changes):
    """From below the scene's +Z axis, looking along it, image y along scene y."""
    pose = np.eye(4)
    pose[2, 3] = -DISTANCE
    return View(view_id, tuple(pose.ravel().tolist()), FOV, width, height, **changes)


def picture(sphere, seen, width=None, height=None):
    surface = trace_field(*sphere, seen.levels, seen.mode)
    size = width or seen.width, height or seen.height
    return run_task(render_preview(sphere[0], surface, seen, *size))


def test_what_is_traced_has_been_measured_for_the_levels_shown(sphere):
    model, measured_once = sphere
    occupancy = OccupancyGrid(32, CPU)
    unmeasured = trace_field(model, occupancy, None, "depth")
    assert unmeasured.occupancy is not occupancy, "nobody has measured it"
    assert trace_field(model, measured_once, None, "depth").occupancy is measured_once
    for shift in (0.0, 0.1):
        occupancy.update(lambda x, shift=shift: model.sdf_field.implicit_value(x) + shift, 300.0)
    moving = trace_field(model, occupancy, None, "depth")
    assert moving.occupancy is not occupancy, "it has moved by more than a cell"
    occupancy.update(lambda x: model.sdf_field.implicit_value(x) + 0.1, 300.0)
    assert trace_field(model, occupancy, None, "depth").occupancy is occupancy
    assert trace_field(model, occupancy, 3, "depth").occupancy is occupancy, "all levels are shown"
    limited = trace_field(model, occupancy, 1, "depth")
    center = occupancy.resolution // 2
    assert limited.occupancy.distances[center, center, center] < 0
    assert limited.occupancy is not occupancy
    assert limited.steepness == 1


def test_the_levels_of_a_density_are_traced_as_if_they_were_distances(sphere, monkeypatch):
    model, occupancy = sphere
    sdf = model.sdf_field.implicit_value
    monkeypatch.setattr(type(model), "has_sdf", False)
    monkeypatch.setattr(model.sdf_field, "implicit_value", lambda x, lod=None: 40 * sdf(x, lod))
    surface = trace_field(model, occupancy, None, "depth")
    assert surface.steepness == pytest.approx(40, rel=0.5)  # along an axis, not the gradient
    assert surface.occupancy.distances.max() <= 2 / 32
    steep = run_task(render_preview(model, surface, view(mode="depth"), 96, 64))
    monkeypatch.undo()
    difference = np.abs(steep.astype(int) - picture(sphere, view(mode="depth")))
    assert (difference > 2).mean() < 0.005, "but for the silhouette"


def test_rays_of_a_view():
    origins, directions = view_rays(view(), 96, 64, CPU)
    torch.testing.assert_close(origins, torch.tensor([[0.0, 0, -3]]).expand(96 * 64, 3))
    torch.testing.assert_close(directions.norm(dim=-1), torch.ones(96 * 64))
    grid = directions.view(64, 96, 3)
    slope = grid[..., 1] / grid[..., 2]
    # the outermost centres lie half a pixel within the field of view
    assert float(slope[-1, 0]) == pytest.approx(math.tan(FOV / 2) * (1 - 1 / 64))
    assert float(slope[0, 0]) == -float(slope[-1, 0])
    torch.testing.assert_close(grid[0, 0, :2], grid[-1, -1, :2] * -1)


def test_rays_of_a_parallel_view():
    """They all look along the camera's axis; the outermost are half a pixel within the span."""
    origins, directions = view_rays(view(span=1.6), 96, 64, CPU)
    torch.testing.assert_close(directions, torch.tensor([[0.0, 0, 1]]).expand(96 * 64, 3))
    grid = origins.view(64, 96, 3)
    torch.testing.assert_close(grid[0, 0], torch.tensor([-1.2 * 95 / 96, -0.8 * 63 / 64, -3.0]))
    torch.testing.assert_close(grid[-1, -1] + grid[0, 0], torch.tensor([0.0, 0, -6]))


@pytest.mark.parametrize("away", [2.0, 20.0])
def test_in_a_parallel_view_the_distance_changes_no_size(sphere, away):
    pose = np.eye(4)
    pose[2, 3] = -away
    seen = view(mode="normals", span=2.0)
    moved = msgspec.structs.replace(seen, scene_from_camera=tuple(pose.ravel().tolist()))
    image = picture(sphere, moved)
    wide = (np.abs(image[32].astype(int) - image[0, 0]) > 20).any(-1).sum()
    assert wide == pytest.approx(2 * RADIUS * 64 / 2.0, abs=1)


@pytest.mark.parametrize("mode", ["color", "normals", "depth"])
@pytest.mark.parametrize("levels", [None, 1])
def test_the_sphere_is_a_disc_of_the_right_size(sphere, mode, levels):
    seen = view(mode=mode, levels=levels)
    assert_disc(picture(sphere, seen), RADIUS)


@pytest.mark.parametrize("span", [None, 2.0])
def test_the_distance_to_the_sphere_is_told_where_it_is_seen(sphere, span):
    seen = view(mode="normals", span=span)
    distances = np.full((64, 96), np.inf, np.float32)
    surface = trace_field(*sphere, None, "normals")
    image = run_task(render_preview(sphere[0], surface, seen, 96, 64, distances))
    assert distances[32, 48] == pytest.approx(DISTANCE - RADIUS, abs=0.01)
    assert (np.isfinite(distances) == (image != image[:, :1]).any(-1)).mean() > 0.99
    origins, directions = view_rays(seen, 96, 64, CPU)
    hit = torch.from_numpy(np.isfinite(distances).ravel())
    t = torch.from_numpy(distances.ravel())[hit, None]
    there = (origins[hit] + t * directions[hit]).norm(dim=-1)
    assert ((there - RADIUS).abs() < 0.02).float().mean() > 0.97, "but for rays that graze"


def assert_disc(image, radius):
    """``image`` [64, 96, 3] shows a sphere of ``radius``, scene units."""
    assert image.shape == (64, 96, 3)
    assert image.dtype == np.uint8
    u, v = np.meshgrid(np.arange(96) + 0.5 - 48, np.arange(64) + 0.5 - 32)
    radius = 32 * math.tan(math.asin(radius / DISTANCE)) / math.tan(FOV / 2)
    backdrop = image[:, 0].astype(int)
    foreign = (np.abs(image - backdrop[:, None]) > 3).any(-1)
    r = np.hypot(u, v)
    assert foreign[r < radius - 1.5].all()
    assert not foreign[r > radius + 1.5].any()


@pytest.mark.parametrize(
    ("has_sdf", "mode", "radius"),
    [
        (False, "normals", 0.2),
        (False, "depth", 0.2),
        (True, "color", RADIUS),
        (True, "normals", RADIUS),
        (True, "depth", RADIUS),
    ],
)
def test_a_warm_up_shows_the_field_that_is_the_surface_at_its_stage(
    monkeypatch, has_sdf, mode, radius
):
    monkeypatch.setattr("core.field.methods.RADIANCE_RADIUS", 0.2)
    torch.manual_seed(0)
    model = SceneModel(replace(CONFIG, train=TrainConfig(density_until=0.4)), 1, False)
    if has_sdf:
        model.use_sdf()
    occupancy = OccupancyGrid(32, CPU)
    occupancy.update(model.shape.implicit_value, 300.0)
    assert_disc(picture((model, occupancy), view(mode=mode)), radius)


def test_the_colours_of_a_density_are_looked_through_to(monkeypatch):
    """A thick ball hides the backdrop, thin fog around it lets most of it through."""
    torch.manual_seed(0)
    model = SceneModel(replace(CONFIG, train=TrainConfig(density_until=0.4)), 1, True)
    of_field = model.radiance.value_and_features

    def level(x):
        return torch.where(x.norm(dim=-1) < 0.3, -1.0, 0.6)

    monkeypatch.setattr(model.radiance, "implicit_value", lambda x, lod=None: level(x))
    monkeypatch.setattr(
        model.radiance,
        "value_and_features",
        lambda x, lod=None, frustums=None: (level(x), of_field(x)[1]),
    )
    monkeypatch.setattr(model.color, "forward", lambda x, *_: torch.ones_like(x))
    occupancy = OccupancyGrid(32, CPU)
    image = picture((model, occupancy), view()).astype(int)
    u, v = np.meshgrid(np.arange(96) + 0.5 - 48, np.arange(64) + 0.5 - 32)
    r, seen = np.hypot(u, v), 32 * math.tan(math.asin(0.3 / DISTANCE)) / math.tan(FOV / 2)
    assert (image[r < seen - 1.5] > 250).all(), "white, whatever lies behind"
    # 0.6 above the level through at most 2: 30 e⁻⁶ · 2 = 0.15 thick, 14 % opaque
    around = image[(r > seen + 1.5) & (r < 1.5 * seen)]
    assert (around < 80).all()


def test_normals_are_shown_as_colours(sphere):
    image = picture(sphere, view(mode="normals")).astype(int)
    middle = image[31:33, 47:49].reshape(-1, 3).mean(0)
    np.testing.assert_allclose(middle, [127.5, 127.5, 0], atol=12)  # facing -Z, to the camera
    right = image[32, 47 + 12]
    assert right[0] > 170, "the right side faces +X"
    assert image[32 + 12, 48, 1] > 170, "the lower side of the picture faces +Y"


def test_nearer_is_brighter_in_the_depth_view(sphere):
    image = picture(sphere, view(mode="depth"))
    assert image[32, 48, 0] > image[32, 48 + 14, 0] > 0


def test_volume_rendering_agrees_with_the_sphere(sphere):
    model, occupancy = sphere
    origins = torch.tensor([[0.0, 0, -3], [0.2, 0, -3], [0, 0, -3]])
    directions = torch.tensor([[0.0, 0, 1], [0, 0, 1], [0, 0.5, 1]])
    rays = Rays(origins, torch.nn.functional.normalize(directions, dim=-1))
    behind = torch.tensor([0.1, 0.2, 0.3])
    with torch.no_grad():
        rendered = render_rays(model, occupancy, rays, CONFIG.train, background=behind)
    depth = rendered.depth / rendered.opacity
    expected = torch.tensor([2.5, 3 - math.sqrt(0.25 - 0.04)])
    torch.testing.assert_close(depth[:2], expected, rtol=0, atol=0.03)
    assert (rendered.opacity[:2] > 0.98).all()
    torch.testing.assert_close(rendered.color[2], behind, rtol=0, atol=1e-4)
    assert rendered.opacity[2] < 1e-4
    assert 0 < rendered.n_kept < rendered.n_marched


def test_culling_hardly_changes_the_picture(sphere):
    model, occupancy = sphere
    origins, directions = view_rays(view(), 24, 16, CPU)
    every = replace(CONFIG.train, cull_weight=0.0)
    with torch.no_grad():
        full = render_rays(model, occupancy, Rays(origins, directions), every)
        culled = render_rays(model, occupancy, Rays(origins, directions), CONFIG.train)
    assert culled.n_kept < full.n_kept
    for a, b in ((culled.color, full.color), (culled.opacity, full.opacity)):
        torch.testing.assert_close(a, b, rtol=0, atol=0.1)  # at the silhouette
        assert (a - b).abs().mean() < 2e-3


def test_points_asked_for_beside_the_samples_are_answered(sphere):
    model, occupancy = sphere
    around = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.8, 0.0]])
    rays = Rays(torch.tensor([[0.0, 0, -3]]), torch.tensor([[0.0, 0, 1]]))
    with torch.no_grad():
        found = sample_rays(model, occupancy, rays, CONFIG.train)
        rendered = render_samples(model, rays, found, CONFIG.train, regularizer_points=around)
        expected = model.sdf_field.samples(around).gradients
    assert rendered.gradients is not None
    assert rendered.laplacian is not None
    torch.testing.assert_close(rendered.gradients[-2:], expected)
    assert len(rendered.gradients) == rendered.n_kept + 2
    assert len(rendered.laplacian) == rendered.n_kept


def test_few_samples_with_taps_give_the_same_picture(sphere):
    model, occupancy = sphere
    origins, directions = view_rays(view(), 24, 16, CPU)
    rays, around = Rays(origins, directions), torch.rand(3, 3) - 0.5
    with torch.no_grad():
        found = sample_rays(model, occupancy, rays, CONFIG.train)
        each = render_samples(model, rays, found, CONFIG.train, regularizer_points=around)
        sparse = SceneModel(replace(CONFIG, field=replace(CONFIG.field, fd_stride=4)), 1, False)
        sparse.sdf_field.load_state_dict(model.sdf_field.state_dict())
        some = render_samples(sparse, rays, found, CONFIG.train, regularizer_points=around)
    assert each.gradients is not None
    assert some.gradients is not None
    assert some.laplacian is not None
    n = each.n_kept
    torch.testing.assert_close(some.gradients[:-3], each.gradients[:n:4])
    torch.testing.assert_close(some.gradients[-3:], each.gradients[n:])
    assert len(some.laplacian) == len(some.gradients) - 3
    assert (some.opacity - each.opacity).abs().mean() < 5e-3
    assert (some.depth - each.depth).abs().mean() < 1e-2


def test_the_marching_step_shrinks_with_the_sharpness_to_its_floor():
    train = TrainConfig()
    steps = [step_length(train, inv_s) for inv_s in (1.0, 20.0, 100.0, 1e3, 1e6)]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == 2 / train.march_steps
    assert steps[2] == pytest.approx(train.march_sharpness / 100)


class Shown(list):
    def __call__(self, image, seen, final, *_):
        self.append((seen.view_id, image.shape[:2], final))


def finish(previewer, sphere, version=1, training=False):
    for _ in range(1000):
        if not previewer.work(*sphere, version, training):
            return
    raise AssertionError("the previewer never rests")


def test_nothing_is_drawn_without_a_view(sphere):
    shown = Shown()
    assert not Previewer(shown).work(*sphere, 0, False)
    assert not shown


def test_the_newest_view_wins_and_a_stale_one_is_abandoned(sphere):
    shown = Shown()
    previewer = Previewer(shown)
    previewer.set_view(view(1, 192, 128))
    assert previewer.urgent()
    assert previewer.work(*sphere, 1, False)
    assert not shown, "the first slice is not the whole picture"
    previewer.set_view(view(2, 192, 128))
    finish(previewer, sphere)
    assert {view_id for view_id, _, _ in shown} == {2}
    assert not previewer.urgent()


def test_only_a_picture_of_full_size_is_final(sphere):
    shown = Shown()
    previewer = Previewer(shown)
    previewer.set_view(view(1, 640, 480, moving=True))
    while not shown:
        previewer.work(*sphere, 1, False)
    height, width = shown[0][1]
    assert width < 640
    assert not shown[0][2]
    assert width / height == pytest.approx(4 / 3, abs=0.03)
    previewer.set_view(view(2, 320, 240))
    finish(previewer, sphere)
    assert shown[-1] == (2, (240, 320), True)
    assert all(final == (size == (240, 320)) for view_id, size, final in shown if view_id == 2)


def test_a_still_picture_of_an_unchanged_field_is_not_drawn_again(sphere):
    shown = Shown()
    previewer = Previewer(shown)
    previewer.set_view(view(1))
    finish(previewer, sphere)
    drawn = len(shown)
    assert not previewer.work(*sphere, 1, False)
    finish(previewer, sphere, version=2)
    assert len(shown) > drawn, "the field has changed"
    drawn = len(shown)
    previewer.forget()
    finish(previewer, sphere, version=2)
    assert len(shown) > drawn, "the field is another one"
