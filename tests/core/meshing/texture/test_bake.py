"""Textures baked from photos of a ball whose paint is known everywhere."""

import numpy as np
import pytest

from core.base.jobs import run_task
from core.meshing.texture.atlas import rasterize_texels, unwrap
from core.meshing.texture.bake import bake_texture, texture_size_for
from core.meshing.texture.blending import level_exposure
from core.rendering.raster import shade
from tests.core.captures import look_at
from tests.core.meshing.painted_ball import LENS, ball, painted, photos, picture

GAINS = np.array([0.7, 1.3, 1.0, 0.8, 1.2, 1.0, 0.75, 1.1, 0.9, 1.0, 1.25, 1.0])


def texel_colors(mesh):
    """Positions [T, 3] and colours [T, 3] of all texels that carry surface."""
    texels = rasterize_texels(mesh, mesh.texture.shape[0])
    everything = np.arange(len(texels.where))
    points = texels.interpolate(mesh.faces, mesh.vertices, everything)
    return points, mesh.texture.reshape(-1, 3)[texels.where].astype(float)


@pytest.fixture(scope="module")
def baked(tmp_path_factory):
    seen = photos(tmp_path_factory.mktemp("photos"), gains=GAINS)
    return run_task(bake_texture(ball(), seen, None, 4096))


def test_each_texel_has_the_paint_of_its_place_whatever_the_exposures(baked):
    """From photos with distortion, of exposures from 0.7 to 1.3, before a magenta wall."""
    points, colors = texel_colors(baked)
    seen = points[:, 2] > -0.25  # all photos were taken from above
    common = np.median(colors[seen] / painted(points[seen]))
    error = np.abs(colors[seen] - painted(points[seen]) * common)
    assert common == pytest.approx(GAINS.mean(), abs=0.06)
    assert error.mean() < 2
    assert np.quantile(error, 0.99) < 3
    magenta = (colors[:, 0] > 180) & (colors[:, 1] < 80)
    assert not magenta.any()


def test_a_new_view_of_it_looks_like_a_photo_taken_there(baked):
    pose = look_at(np.array([1.6, 1.5, 0.9]), np.zeros(3))
    image = shade(
        baked.vertices, baked.faces, baked.normals, LENS, pose, uvs=baked.uvs, texture=baked.texture
    )
    truth = picture(pose).astype(float)
    inside = (truth[..., 1] > 40) & (np.arange(LENS.height) < 90)[:, None]
    difference = np.abs(image * 255 / np.median(image[inside] * 255 / truth[inside]) - truth)
    assert np.quantile(difference[inside], 0.95) < 6


def test_the_atlas_covers_each_face_once_and_leaves_no_texel_empty(baked):
    texels = rasterize_texels(baked, 1024)
    assert len(baked.faces) == len(ball().faces)
    assert len(np.unique(texels.face)) > 0.99 * len(baked.faces)
    corners = baked.uvs[baked.faces].astype(float)
    (ux, uy), (vx, vy) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    area = np.abs(ux * vy - uy * vx).sum() / 2
    assert area == pytest.approx(len(texels.where) / 1024**2, rel=0.01), "no two charts overlap"
    assert (baked.texture.max(-1) > 0).all()
    # the surface is the one that went in
    np.testing.assert_allclose(baked.vertices[baked.faces], ball().vertices[ball().faces])


def test_what_no_photo_sees_keeps_its_colour(tmp_path):
    """Photos from one side alone."""
    mesh = run_task(bake_texture(ball(grey=200), photos(tmp_path, 5, arc=0.6), 256, 256))
    points, colors = texel_colors(mesh)
    behind = points[:, 0] < -0.4
    assert np.abs(colors[behind] - 200).max() <= 1
    before = (points[:, 0] > 0.5) & (np.abs(points[:, 2]) < 0.3)
    assert np.abs(colors[before] - painted(points[before])).mean() < 2


def test_masks_keep_the_background_out(tmp_path):
    mesh = run_task(bake_texture(ball(), photos(tmp_path, 8, masks=True), 256, 256))
    points, colors = texel_colors(mesh)
    seen = points[:, 2] > -0.25
    assert np.quantile(np.abs(colors[seen] - painted(points[seen])), 0.99) < 8


def test_exposures_are_levelled_by_what_photos_share():
    """Two photos that share nothing with a third: each pair is levelled for itself."""
    random = np.random.default_rng(0)
    truth = random.uniform(60, 150, (400, 3))
    gains = np.array([0.8, 1.25, 1.0])
    quality = np.zeros((3, 400), np.float32)
    quality[:2, :200] = 1
    quality[2, 200:] = 1
    colors = np.round(truth * gains[:, None, None]).astype(np.uint8)
    found = level_exposure(quality, colors)
    np.testing.assert_allclose(found[0] / found[1], 1.25 / 0.8, rtol=0.03)
    np.testing.assert_allclose(found[2], 1, atol=0.05)


def test_the_size_follows_the_photos():
    """A ball of radius 0.7 has 6.2 units² of surface; at 70 % filled, 100 texels a unit take
    297 a side, 1000 take 2966."""
    mesh = ball(3)
    for density, size in ((100, 512), (1000, 4096), (100_000, 4096)):
        assert texture_size_for(mesh, np.full(len(mesh.vertices), float(density)), 4096) == size


def test_progress_grows_and_closing_ends_the_other_process(tmp_path):
    fractions = []
    task = unwrap(ball(5), 512)
    for _ in range(3):
        fractions.append(next(task).fraction)
    assert fractions == sorted(fractions)
    task.close()  # returns at once, the process is gone
