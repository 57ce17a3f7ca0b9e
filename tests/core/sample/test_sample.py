"""The embedded sample: its photos, its geometry and its formulas say the same."""

import numpy as np
import pytest
import trimesh
from PIL import Image

from core.base.jobs import run_task
from core.capture.readers.transforms import read_transforms
from core.rendering.raster import rasterize
from core.sample import (
    CENTER,
    FOLDER,
    RINGS,
    TEST_VIEWS,
    camera_poses,
    photograph,
    reference_mesh,
    sample_sdf,
)
from core.sample.shape import EXTENT


@pytest.fixture(scope="module")
def reference():
    return run_task(reference_mesh(160))


def test_it_reads_as_a_capture_with_held_out_views():
    scene = read_transforms(FOLDER)
    assert (len(scene.photos), len(scene.held_out)) == (36, 6)
    assert scene.has_masks
    assert scene.notices == ()
    for photos, rings in ((scene.photos, RINGS), (scene.held_out, TEST_VIEWS)):
        for photo, pose in zip(photos, camera_poses(rings)):
            np.testing.assert_allclose(photo.world_from_camera, pose, atol=1e-8)
    assert sum(file.stat().st_size for file in FOLDER.rglob("*.*")) < 2.5e6


@pytest.mark.slow
def test_a_shipped_photo_is_what_the_generator_takes():
    shipped = np.asarray(Image.open(FOLDER / "test" / "001.webp")).astype(float)
    taken = photograph(camera_poses(TEST_VIEWS)[1]).astype(float)
    assert (np.abs(taken[..., 3] - shipped[..., 3]) > 1).mean() < 1e-3
    solid = (taken[..., 3] == 255) & (shipped[..., 3] == 255)
    assert solid.mean() > 0.1
    assert np.abs(taken - shipped)[solid][:, :3].mean() < 4  # what WebP costs, of 255


def test_silhouettes_are_those_of_the_surface(reference):
    scene = read_transforms(FOLDER)
    for photo in (*scene.photos[::7], *scene.held_out[:2]):
        alpha = np.asarray(Image.open(photo.path))[..., 3] > 127
        raster = rasterize(
            reference.vertices, reference.faces, photo.intrinsics, photo.world_from_camera
        )
        covered = raster.face_id >= 0
        assert (alpha & covered).sum() / (alpha | covered).sum() > 0.985


def test_the_reference_mesh_is_closed_has_a_handle_and_lies_on_the_sdf(reference):
    shape = trimesh.Trimesh(reference.vertices, reference.faces, process=False)
    assert shape.is_watertight
    assert shape.euler_number <= 0  # the root is a loop
    assert shape.volume > 0.4
    assert shape.body_count == 1
    distance = np.abs(sample_sdf(reference.vertices))
    assert distance.mean() < 5e-4
    assert np.linalg.norm(reference.vertices - CENTER, axis=1).max() < EXTENT - 0.01


def test_the_sdf_is_a_distance_beside_the_surface(reference):
    vertices, step = reference.vertices[::20], 1e-3
    gradients = np.stack(
        [
            (sample_sdf(vertices + e) - sample_sdf(vertices - e)) / (2 * step)
            for e in step * np.eye(3)
        ],
        1,
    )
    assert np.median(np.linalg.norm(gradients, axis=1)) == pytest.approx(1.0, abs=0.05)
    assert sample_sdf(np.array([CENTER]))[0] < -0.2
    far = np.array(CENTER) + [[3.0, 0, 0], [0, 0, 3.0]]
    nearest = np.linalg.norm(far[:, None] - reference.vertices, axis=2).min(1)
    assert (sample_sdf(far) > 0).all()
    assert (sample_sdf(far) < nearest).all()


def test_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="points has shape"):
        sample_sdf(np.zeros((4, 2)))
