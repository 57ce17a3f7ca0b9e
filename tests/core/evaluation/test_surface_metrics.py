"""Metrics against cases whose numbers are known."""

from dataclasses import dataclass

import numpy as np
import pytest
import trimesh

from core.base.errors import UserError
from core.base.image_metrics import psnr, ssim
from core.evaluation.surface_metrics import read_surface, sample_surface, surface_distance
from core.geometry.cameras import Intrinsics


def sphere(radius: float, center=(0.0, 0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    mesh = trimesh.creation.icosphere(5, radius)
    return np.asarray(mesh.vertices) + center, np.asarray(mesh.faces)


def quad(z: float, half: float) -> tuple[np.ndarray, np.ndarray]:
    corners = [[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]]
    return np.array(corners), np.array([[0, 1, 2], [0, 2, 3]])


def join(*meshes):
    vertices = np.concatenate([v for v, _ in meshes])
    offsets = np.cumsum([0] + [len(v) for v, _ in meshes[:-1]])
    return vertices, np.concatenate([f + o for (_, f), o in zip(meshes, offsets)])


@dataclass(frozen=True)
class View:
    intrinsics: Intrinsics
    world_from_camera: np.ndarray


def camera_above(x: float, height: float = 5.0, focal: float = 100.0) -> View:
    """Looks straight down from (x, 0, height); 100 x 100 pixels."""
    pose = np.array([[1.0, 0, 0, x], [0, -1, 0, 0], [0, 0, -1, height], [0, 0, 0, 1]])
    return View(Intrinsics(100, 100, focal, focal, 50, 50), pose)


def test_psnr_is_that_of_a_constant_error():
    target = np.full((8, 8, 3), 0.5)
    assert psnr(target + 0.1, target) == pytest.approx(20.0)
    assert psnr(target, target) == float("inf")
    with pytest.raises(ValueError, match="wanted the target's shape"):
        psnr(target[:4], target)


def test_ssim_is_one_for_equal_and_near_zero_for_unrelated_images():
    random = np.random.default_rng(0)
    image = random.random((64, 64, 3))
    assert ssim(image, image) == pytest.approx(1.0)
    assert abs(ssim(image, random.random((64, 64, 3)))) < 0.1
    assert 0.5 < ssim(np.clip(image + 0.1, 0, 1), image) < 1
    half = image.copy()
    half[:32] = random.random((32, 64, 3))
    lower = np.arange(64)[:, None] > np.full(64, 45)
    assert ssim(half, image, lower) == pytest.approx(1)
    assert ssim(half, image) < 0.6


def test_concentric_spheres_are_as_far_apart_as_their_radii():
    report = surface_distance(*sphere(1.0), *sphere(1.01), thresholds=(0.005, 0.02))
    assert report.accuracy == pytest.approx(0.01, abs=3e-4)
    assert report.completeness == pytest.approx(0.01, abs=3e-4)
    assert report.distance == pytest.approx((report.accuracy + report.completeness) / 2)
    assert report.f_scores == (0.0, 1.0)


def test_a_surface_is_at_no_distance_from_itself():
    report = surface_distance(*sphere(1.0), *sphere(1.0), n_samples=20_000)
    assert report.distance < 1e-7  # point to surface: no floor from the sampling


def test_normals_are_off_by_the_angle_between_planes():
    """A plate against one tilted by 10°, and against itself turned over."""
    corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    angle = np.radians(10)
    turn = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    report = surface_distance(corners, faces, corners @ turn.T, faces, n_samples=500)
    assert report.normal_error == pytest.approx(10)
    turned = surface_distance(corners, faces, corners, faces[:, ::-1], n_samples=500)
    assert turned.normal_error == pytest.approx(0, abs=1e-5)
    cloud = surface_distance(corners, faces, corners, np.zeros((0, 3), int), n_samples=500)
    assert cloud.normal_error is None


def test_half_a_reference_halves_the_recall():
    mesh, both = sphere(1.0), join(sphere(1.0), sphere(1.0, (5.0, 0, 0)))
    report = surface_distance(*mesh, *both, thresholds=(0.01,), n_samples=20_000)
    assert report.precision == (1.0,)
    assert report.recall[0] == pytest.approx(0.5, abs=0.02)
    assert report.f_scores[0] == pytest.approx(2 / 3, abs=0.02)


def test_what_no_two_cameras_see_does_not_count():
    """A plate hides the floor beneath it; a mesh of the plate alone is then complete."""
    plate, floor = quad(1.0, 1.0), quad(0.0, 0.9)
    cameras = [camera_above(-0.1), camera_above(0.1)]
    seen = surface_distance(*plate, *join(plate, floor), cameras, n_samples=20_000)
    assert seen.distance == pytest.approx(0.0, abs=1e-9)
    everything = surface_distance(*plate, *join(plate, floor), n_samples=20_000)
    assert everything.completeness == pytest.approx(0.9**2 / (1 + 0.9**2), abs=0.02)
    # A floater inside the mesh, out of sight, is not held against it either.
    hidden = surface_distance(*join(plate, floor), *plate, cameras, n_samples=20_000)
    assert hidden.accuracy == pytest.approx(0.0, abs=1e-9)


def test_one_camera_is_not_enough_and_pictures_have_edges():
    strip = quad(0.0, 4.0)
    # Each picture covers 5 units of the floor: x in [-4.5, 0.5] and in [-0.5, 4.5].
    cameras = [camera_above(-2.0), camera_above(2.0)]
    other = quad(0.25, 4.0)
    both = surface_distance(*other, *strip, cameras, n_samples=50_000)
    one = surface_distance(*other, *strip, cameras, n_samples=50_000, min_cameras=1)
    # x shared: 1 of 8 units; seen by either: all of 8; y: 5 of 8 units.
    assert both.n_reference_samples / 50_000 == pytest.approx(1 / 8 * 5 / 8, rel=0.1)
    assert one.n_reference_samples / 50_000 == pytest.approx(5 / 8, rel=0.05)
    assert both.distance == pytest.approx(0.25)


def test_a_point_cloud_serves_as_reference():
    cloud, _ = sample_surface(*sphere(1.02), 200_000, seed=5)
    report = surface_distance(*sphere(1.0), cloud, np.zeros((0, 3), int))
    assert report.completeness == pytest.approx(0.02, abs=1e-3)
    assert report.accuracy == pytest.approx(0.02, abs=2e-3)


def test_winding_does_not_change_what_is_seen():
    ball, cameras = sphere(1.0), [camera_above(-0.1), camera_above(0.1)]
    turned = ball[0], ball[1][:, ::-1]
    right = surface_distance(*sphere(1.1), *ball, cameras, n_samples=20_000)
    wrong = surface_distance(*sphere(1.1), *turned, cameras, n_samples=20_000)
    # From height 5 a ball shows the cap above 1/5: two fifths of its area.
    assert right.n_reference_samples / 20_000 == pytest.approx(0.4, abs=0.02)
    assert wrong.n_reference_samples / 20_000 == pytest.approx(0.4, abs=0.02)


def test_surfaces_are_sampled_evenly():
    small, large = quad(0.0, 1.0), quad(1.0, 2.0)
    points, normals = sample_surface(*join(small, large), 50_000)
    np.testing.assert_array_equal(normals, np.broadcast_to([0, 0, 1], points.shape))
    assert (points[:, 2] == 1.0).mean() == pytest.approx(0.8, abs=0.01)  # areas 4 and 16
    upper = points[points[:, 2] == 1.0]
    counts, _, _ = np.histogram2d(upper[:, 0], upper[:, 1], 4)
    assert np.ptp(counts) / len(upper) < 0.01


def test_an_empty_mesh_or_one_elsewhere_is_refused_in_one_line():
    empty = np.zeros((0, 3)), np.zeros((0, 3), int)
    with pytest.raises(UserError, match="the mesh is empty"):
        surface_distance(*empty, *sphere(1.0))
    far = sphere(1.0, (100.0, 0, 0))
    with pytest.raises(UserError, match="No part of the mesh is seen by 2 cameras"):
        surface_distance(*far, *sphere(1.0), [camera_above(0.0), camera_above(0.1)])


def test_surfaces_come_from_files_of_any_kind(tmp_path):
    shape = trimesh.creation.icosphere(2)
    for format in ("ply", "obj", "glb", "stl"):
        shape.export(tmp_path / f"m.{format}")
        vertices, faces = read_surface(tmp_path / f"m.{format}")
        assert len(faces) == len(shape.faces)
        np.testing.assert_allclose(np.linalg.norm(vertices, axis=1), 1, atol=1e-6)
    trimesh.PointCloud(shape.vertices).export(tmp_path / "cloud.ply")
    vertices, faces = read_surface(tmp_path / "cloud.ply")
    assert (vertices.shape, faces.shape) == ((len(shape.vertices), 3), (0, 3))
    for name, content in (("bad.ply", b"ply\nnonsense"), ("a.txt", b"words"), ("b.obj", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            read_surface(tmp_path / name)
    with pytest.raises(UserError, match=r"absent\.ply"):
        read_surface(tmp_path / "absent.ply")


def test_a_wrong_shape_is_refused_by_name():
    vertices, faces = quad(0.0, 1.0)
    with pytest.raises(ValueError, match=r"reference_vertices has shape \[3, 4\]"):
        surface_distance(vertices, faces, vertices.T, faces)
    with pytest.raises(ValueError, match=r"faces has shape \[6\]"):
        sample_surface(vertices, faces.ravel(), 10)
