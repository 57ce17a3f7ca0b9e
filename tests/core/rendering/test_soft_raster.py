"""The soft rasteriser against the hard one, areas and differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from scipy.ndimage import distance_transform_edt

from core.geometry.cameras import Intrinsics
from core.rendering.raster import rasterize, rasterize_parallel
from core.rendering.soft_raster import Edges, soft_render

LENS = Intrinsics(64, 48, 50.0, 55.0, 32.0, 24.0)
BENT = replace(LENS, model="opencv", distortion=(-0.2, 0.05))


def two_balls():
    """One before the other, in many colours, at a depth of 2 and 3."""
    near, far = trimesh.creation.icosphere(3, 0.4), trimesh.creation.icosphere(3, 0.6)
    shape = trimesh.util.concatenate(
        near.apply_translation([-0.2, 0, 2.0]), far.apply_translation([0.3, 0.1, 3.0])
    )
    vertices = np.asarray(shape.vertices)
    colors = 0.5 + 0.5 * np.sin(5 * vertices + [0, 2, 4])
    return vertices, np.asarray(shape.faces, np.int32), colors


def render(vertices, faces, colors, sigma, lens=LENS):
    return soft_render(
        torch.as_tensor(vertices),
        torch.as_tensor(colors),
        faces,
        Edges.of(faces),
        lens,
        np.eye(4),
        sigma,
    )


@pytest.mark.parametrize("lens", [LENS, BENT])
def test_it_tends_to_the_hard_one(lens):
    vertices, faces, colors = two_balls()
    raster = rasterize(vertices, faces, lens, np.eye(4))
    hard = np.zeros((48, 64, 3))
    hard[raster.face_id >= 0] = raster.interpolate(faces, colors)
    errors = []
    for sigma in (4.0, 0.25, 1e-2, 1e-6):
        image, opacity = render(vertices, faces, colors, sigma, lens)
        errors.append(float(np.abs(image.numpy() - hard).mean()))
        assert bool(((opacity >= 0) & (opacity <= 1 + 1e-9)).all())
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 5e-3
    assert errors[-1] < 1e-4
    np.testing.assert_array_equal(opacity.numpy() > 0.5, raster.face_id >= 0)


def test_the_surface_is_whole_between_its_faces_and_soft_at_silhouettes_alone():
    vertices, faces, colors = two_balls()
    _, opacity = render(vertices, faces, colors, 1.0)
    raster = rasterize(vertices, faces, LENS, np.eye(4))
    near = rasterize(vertices[:642], faces[:1280], LENS, np.eye(4))
    deep = np.hypot(*(np.indices((48, 64)) + 0.5 - [[[24]], [[27]]])) < 7
    assert (near.face_id[deep] >= 0).all()
    np.testing.assert_allclose(opacity.numpy()[deep], 1, rtol=1e-12)
    soft = (opacity > 0.02) & (opacity < 0.98)
    assert 60 < int(soft.sum()) < 400
    covered = raster.face_id >= 0
    beside = np.where(covered, distance_transform_edt(covered), distance_transform_edt(~covered))
    # sigmoid(d²) passes 0.98 at d = 1.97, and from a silhouette to a middle beyond it is 1 more
    assert beside[soft.numpy()].max() < 3
    np.testing.assert_allclose(opacity.numpy()[beside >= 4], covered[beside >= 4], atol=1e-12)


def test_opacity_grows_by_the_length_of_the_edge_that_moves():
    """A square of 20 x 20 pixels that grows by δ on its right: its area by 20 δ."""
    pixels = np.array([[20.3, 10.4], [40.3, 10.4], [40.3, 30.4], [20.3, 30.4]])
    corners = np.concatenate([(pixels - [32, 24]) / [50, 55], np.ones((4, 1))], 1) * 2
    vertices = torch.tensor(corners, requires_grad=True)
    faces = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
    _, opacity = render(vertices, faces, np.ones((4, 1)), 1.0)
    assert float(opacity.detach().sum()) == pytest.approx(400, rel=0.02)
    opacity.sum().backward()
    pixel = 2.0 / 50
    moved = float(vertices.grad[1, 0] + vertices.grad[2, 0]) * pixel
    assert moved == pytest.approx(20, rel=0.1)
    inward = float(vertices.grad[0, 0] + vertices.grad[3, 0]) * pixel
    assert inward == pytest.approx(-20, rel=0.1)


def test_gradients_are_those_of_differences():
    """All of the near ball to the right, and all colours brighter."""
    vertices, faces, colors = two_balls()
    weights = torch.as_tensor(np.random.default_rng(0).random((48, 64, 3)))
    weights = torch.nn.functional.avg_pool2d(weights.permute(2, 0, 1), 9, 1, 4).permute(1, 2, 0)
    way = np.zeros_like(vertices)
    way[:642, 0] = 1

    def value(shift, light):
        image, _ = render(vertices + shift * way, faces, torch.as_tensor(colors) * light, 1.0, BENT)
        return (image * weights).sum()

    shift, light = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.0, 1.0))
    image, _ = soft_render(
        torch.as_tensor(vertices) + shift * torch.as_tensor(way),
        torch.as_tensor(colors) * light,
        faces,
        Edges.of(faces),
        BENT,
        np.eye(4),
        1.0,
    )
    (image * weights).sum().backward()
    h = 0.02  # half a pixel: what is drawn jumps from pixel to pixel
    slope = float(value(h, 1) - value(-h, 1)) / (2 * h)
    assert float(shift.grad) == pytest.approx(slope, rel=0.15)
    assert float(light.grad) == pytest.approx(float(value(0, 1)), rel=1e-6)


def test_parallel_rays_draw_depth_as_it_is():
    """A slope seen from above: depth and shares are linear in the picture."""
    pixels = np.array([[0.0, 0], [16, 0], [16, 12], [0, 12]])
    z = pixels @ [0.5, -0.25] - 3
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    raster = rasterize_parallel(pixels, z, faces, 16, 12)
    rows, columns = np.indices((12, 16)) + 0.5
    np.testing.assert_allclose(raster.depth, 0.5 * columns - 0.25 * rows - 3, atol=1e-6)
    np.testing.assert_allclose(
        raster.interpolate(faces, pixels), np.stack([columns, rows], -1).reshape(-1, 2), atol=1e-5
    )
