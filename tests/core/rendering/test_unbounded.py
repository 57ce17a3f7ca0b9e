"""What lies beyond the region, and where it is looked for."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.base.jobs import run_task
from core.config.run import FieldConfig, RunConfig, TrainConfig
from core.field.analytic import FeaturesAsColor, FunctionVolume
from core.field.methods import Method
from core.field.model import SceneModel
from core.rendering.hierarchical import inverse_transform
from core.rendering.occupancy import OccupancyGrid
from core.rendering.preview import render_preview, trace_field
from core.rendering.rays import Rays
from core.rendering.render import render_rays
from core.rendering.unbounded import SampleCounts, WeightHistogram, render_unbounded
from core.training.losses import distortion_loss, proposal_loss
from tests.core.rendering.test_preview import FIELD, picture, view

CPU = torch.device("cpu")
RED, GREEN, BLUE = torch.eye(3)
TRAIN = TrainConfig(density_until=1.0, density_cull_weight=0.0)
FINE = SampleCounts(bins=256, pieces=128)


def world(density, color):
    """A field of all of space: functions of positions [N, 3] to density [N] and colour [N, 3]."""
    method = Method(
        "",
        run=lambda config: config,
        density=lambda _: FunctionVolume(lambda x: (density(x), color(x))),
        size=lambda _: "",
        smaller=lambda _: None,
        color=lambda _: FeaturesAsColor(),
    )
    config = RunConfig(train=TRAIN, field=FieldConfig(unbounded=True))
    torch.manual_seed(0)
    return SceneModel(config, 1, True, method)


def along_x(n=5):
    heights = torch.linspace(-0.5, 0.5, n)
    origins = torch.stack([torch.full((n,), -3.0), heights, torch.zeros(n)], -1)
    return Rays(origins, torch.tensor([[1.0, 0, 0]]).expand(n, 3).contiguous())


def within(x):
    return x.norm(dim=-1) < 0.7


def behind(x):
    return x[:, 0] > 4


def painted(x):
    return within(x)[:, None] * GREEN + behind(x)[:, None] * BLUE


def test_the_region_hides_what_lies_beyond_it():
    def seen(density):
        with torch.no_grad():
            return render_rays(
                world(density, painted), OccupancyGrid(8, CPU), along_x(), TRAIN, sample_counts=FINE
            ).color

    both = seen(lambda x: 200.0 * (within(x) | behind(x)))
    torch.testing.assert_close(both, GREEN.expand(5, 3), atol=0.01, rtol=0)
    far = seen(lambda x: 200.0 * behind(x))
    torch.testing.assert_close(far, BLUE.expand(5, 3), atol=0.01, rtol=0)


def test_a_thin_fog_stops_light_as_its_thickness_in_contracted_space_says():
    """Beyond the ball that is 1, less a little that lies farther than rays go."""
    model = world(lambda x: torch.full_like(x[:, 0], 0.7), torch.ones_like)
    rays = Rays(torch.tensor([[-3.0, 0, 0]]), torch.tensor([[1.0, 0, 0]]))
    crossing = OccupancyGrid(8, CPU).crossing(rays.origins, rays.directions)
    with torch.no_grad():
        found = render_unbounded(
            model, rays, crossing, torch.tensor([0.75]), None, sample_counts=FINE
        )
    assert float(found.color[0, 0]) == pytest.approx(0.75 * (1 - math.exp(-0.7)), abs=0.01)
    assert float(found.histogram.weights.sum()) == pytest.approx(float(found.color[0, 0]), rel=1e-4)


def test_where_the_region_stops_all_light_nobody_asks_beyond_it():
    model = world(lambda x: 200.0 * behind(x), painted)
    rays = along_x()
    crossing = OccupancyGrid(8, CPU).crossing(rays.origins, rays.directions)
    asked = [
        len(
            render_unbounded(
                model, rays, crossing, torch.full((5,), through), None
            ).histogram.weights
        )
        for through in (1.0, 0.0)
    ]
    assert asked[0] > 0
    assert asked[1] == 0


def test_light_is_stopped_first_in_the_region_and_then_beyond_it():
    model = world(lambda x: torch.full_like(x[:, 0], 0.7), torch.ones_like)
    course = render_rays(
        model, OccupancyGrid(8, CPU), along_x(), TRAIN, sample_counts=FINE
    ).histogram
    assert course is not None
    same = course.rays[1:] == course.rays[:-1]
    assert (course.starts.diff()[same] > 0).all()
    assert course.starts.min() >= 0
    assert course.ends.max() <= 1 + 1e-6


def test_the_preview_of_a_density_shows_what_lies_beyond():
    model = world(
        lambda x: 200.0 * (within(x) | (x.norm(dim=-1) > 4)),
        lambda x: torch.where(within(x)[:, None], GREEN, BLUE),
    )
    image = picture((model, OccupancyGrid(8, CPU)), view()).astype(int)
    np.testing.assert_allclose(image[32, 48], [0, 255, 0], atol=3)
    np.testing.assert_allclose(image[0, 0], [0, 0, 255], atol=3)


def test_the_preview_of_a_surface_stands_before_what_lies_beyond_it():
    """Whatever colour the window has behind the scene."""
    config = RunConfig(field=replace(FIELD, unbounded=True), train=TrainConfig())
    torch.manual_seed(0)
    model, occupancy = SceneModel(config, 1, True), OccupancyGrid(32, CPU)
    assert model.has_sdf
    occupancy.update(model.surface.implicit_value, 300.0)
    black, white = (
        picture((model, occupancy), view(backdrop=((c,) * 3,) * 2)).astype(int) for c in (0.0, 1.0)
    )
    np.testing.assert_array_equal(black, white)
    distances = np.full((64, 96), np.inf, np.float32)
    surface = trace_field(model, occupancy, None, "color")
    run_task(render_preview(model, surface, view(), 96, 64, distances))
    assert distances[32, 48] == pytest.approx(2.5, abs=0.05)
    assert np.isinf(distances[0, 0]), "there is nothing to turn about"


def test_places_are_drawn_as_an_exponential_distribution_says():
    """Against its CDF, 1 - exp(-λ s): the weights of thin bins are its differences."""
    edges = torch.linspace(0, 5, 401)[None]
    cdf = 1 - torch.exp(-1.5 * edges)
    drawn = inverse_transform(edges, cdf.diff(), 200, None)[0]
    wanted = (torch.arange(200) + 0.5) / 200 * float(cdf[0, -1])
    torch.testing.assert_close(1 - torch.exp(-1.5 * drawn), wanted, atol=1e-3, rtol=0)


def some_course():
    torch.manual_seed(1)
    counts = torch.tensor([3, 0, 7, 1, 12, 5])
    edges = [torch.rand(int(n) + 1).sort().values for n in counts]
    weights = torch.rand(int(counts.sum()), requires_grad=True)
    return WeightHistogram(
        torch.cat([e[:-1] for e in edges]),
        torch.cat([e[1:] for e in edges]),
        weights,
        torch.nn.functional.pad(counts.cumsum(0), (1, 0)),
    )


def test_distortion_is_its_double_sum():
    course = some_course()
    total = 0.0
    for first, last in zip(course.ray_starts[:-1].tolist(), course.ray_starts[1:].tolist()):
        s = 0.5 * (course.starts + course.ends)[first:last]
        w = course.weights[first:last]
        total += (w[:, None] * w * (s[:, None] - s).abs()).sum()
        total += (w**2 * (course.ends - course.starts)[first:last]).sum() / 3
    wanted = total / 6
    torch.testing.assert_close(distortion_loss(course), wanted)
    (found,) = torch.autograd.grad(distortion_loss(course), course.weights)
    torch.testing.assert_close(found, torch.autograd.grad(wanted, course.weights)[0])


def test_light_that_is_stopped_at_one_place_has_no_distortion():
    one = WeightHistogram(
        torch.tensor([0.2, 0.5]),
        torch.tensor([0.2, 0.5]),
        torch.tensor([0.0, 1.0]),
        torch.tensor([0, 2]),
    )
    assert float(distortion_loss(one)) == 0
    two = replace(one, weights=torch.tensor([0.5, 0.5]))
    assert float(distortion_loss(two)) == pytest.approx(2 * 0.5 * 0.5 * 0.3)


def test_a_proposal_is_held_to_what_is_stopped_and_no_more():
    course, n = some_course(), 16
    proposed = torch.rand(6, n).softmax(-1)
    total = 0.0
    for i, r in enumerate(course.rays.tolist()):
        w, start, end = (float(x[i]) for x in (course.weights.detach(), course.starts, course.ends))
        bins = [b for b in range(n) if (b + 1) / n > start and b / n < end]
        total += max(0.0, w - float(proposed[r, bins].sum())) ** 2 / (w + 1e-7)
    loss = proposal_loss(course, proposed.requires_grad_())
    assert float(loss.detach()) == pytest.approx(total / 6, rel=1e-4)
    assert float(proposal_loss(course, torch.ones(6, n))) == 0
    assert torch.autograd.grad(loss, course.weights, allow_unused=True) == (None,), (
        "only the proposal learns of it"
    )
