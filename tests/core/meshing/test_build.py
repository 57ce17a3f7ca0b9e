import numpy as np
import pytest
import trimesh

from core.base.jobs import run_task
from core.config.mesh import MeshOptions
from core.meshing.build import build_mesh, sdf_normals
from core.meshing.mesh import Mesh

BALL = np.array([[-1.0, -1, -1], [1, 1, 1]])
TURN = trimesh.transformations.rotation_matrix(0.7, [1, 2, 3])
INPUT_FROM_SCENE = (
    trimesh.transformations.translation_matrix([4, 5, -6]) @ TURN @ np.diag([3.0, 3, 3, 1])
)


def ball_and_speck(p):
    speck = np.linalg.norm(p - np.float32([0.8, 0, 0]), axis=1) - 0.05
    return np.minimum(np.linalg.norm(p, axis=1) - 0.6, speck)


def test_the_mesh_lies_in_the_input_frame_with_outward_normals_and_colors_of_the_field():
    options = MeshOptions(resolution=64)
    mesh = run_task(
        build_mesh(ball_and_speck, lambda p, n: (n + 1) / 2, BALL, options, INPUT_FROM_SCENE)
    )
    shape = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert shape.is_watertight
    assert shape.volume == pytest.approx(4 / 3 * np.pi * 1.8**3, rel=0.01)  # the speck is gone
    outward = (mesh.vertices - [4, 5, -6]) / 1.8
    assert np.abs(np.linalg.norm(outward, axis=1) - 1).max() < 0.01
    assert (outward * mesh.normals).sum(1).min() > 0.99
    # Colours were asked for in the scene frame: (n + 1) / 2 of the unturned normal.
    normals_in_scene = outward @ TURN[:3, :3]
    np.testing.assert_allclose(mesh.colors / 255, (normals_in_scene + 1) / 2, atol=0.02)


def test_without_color_there_is_none_and_progress_ends_at_one():
    fractions = []
    task = build_mesh(ball_and_speck, None, BALL, MeshOptions(resolution=48), np.eye(4))
    mesh = run_task(task, lambda progress: fractions.append(progress.fraction))
    assert mesh.colors is None
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_no_surface_gives_an_empty_mesh():
    mesh = run_task(build_mesh(lambda p: np.ones(len(p)), None, BALL, MeshOptions(), np.eye(4)))
    assert len(mesh.faces) == 0


def test_normals_are_the_gradient_of_the_sdf():
    points = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    slope = np.float32([1, -2, 2]) / 3
    normals = sdf_normals(lambda p: 1.7 * p @ slope, points, 0.01)
    np.testing.assert_allclose(normals, np.broadcast_to(slope, normals.shape), atol=1e-3)


def test_a_similarity_and_its_inverse_return_the_mesh_even_mirrored():
    shape = trimesh.creation.icosphere(2)
    mesh = Mesh(
        np.asarray(shape.vertices),
        np.asarray(shape.faces, np.int32),
        normals=np.asarray(shape.vertex_normals, np.float32),
    )
    for similarity in (INPUT_FROM_SCENE, INPUT_FROM_SCENE @ np.diag([1.0, 1, -1, 1])):
        there = mesh.transformed(similarity)
        assert trimesh.Trimesh(there.vertices, there.faces, process=False).volume > 0
        assert ((there.vertices - similarity[:3, 3]) * there.normals).sum(1).min() > 2.9
        back = there.transformed(np.linalg.inv(similarity))
        np.testing.assert_allclose(back.vertices, mesh.vertices, atol=1e-9)
        np.testing.assert_allclose(back.normals, mesh.normals, atol=1e-6)


def test_a_wrong_shape_is_refused_by_name():
    triangle = np.array([[0, 1, 2]], np.int32)
    with pytest.raises(ValueError, match=r"vertices has shape \[3, 2\]"):
        Mesh(np.zeros((3, 2)), triangle)
    with pytest.raises(ValueError, match=r"normals has shape \[2, 3\], and \[3, 3\] is wanted"):
        Mesh(np.zeros((3, 3)), triangle, normals=np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"similarity has shape \[3, 4\]"):
        Mesh(np.zeros((3, 3)), triangle).transformed(np.eye(4)[:3])
    with pytest.raises(ValueError, match=r"aabb has shape \[3, 2\]"):
        run_task(build_mesh(ball_and_speck, None, BALL.T, MeshOptions(), np.eye(4)))
