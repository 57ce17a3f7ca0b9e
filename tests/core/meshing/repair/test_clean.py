import numpy as np
import trimesh

from core.meshing.mesh import Mesh
from core.meshing.repair.clean import clean, parts


def joined(*shapes: trimesh.Trimesh) -> Mesh:
    shape = trimesh.util.concatenate(shapes)
    n = len(shape.vertices)
    return Mesh(
        np.asarray(shape.vertices),
        np.asarray(shape.faces, np.int32),
        np.arange(3 * n, dtype=np.uint32).astype(np.uint8).reshape(n, 3),
        np.asarray(shape.vertex_normals, np.float32),
    )


def ball(radius, x):
    return trimesh.creation.icosphere(2, radius).apply_translation([x, 0, 0])


def test_parts_smaller_than_the_fraction_of_the_largest_area_go():
    mesh = joined(ball(1.0, 0), ball(0.3, 3), ball(0.1, 5))  # areas 1 : 0.09 : 0.01
    assert parts(mesh).max() == 2
    assert parts(clean(mesh, 0.05)).max() == 1
    largest = clean(mesh, 0.5)
    assert np.linalg.norm(largest.vertices, axis=1).max() < 1.001
    assert len(clean(mesh, 0.0).faces) == len(mesh.faces)


def test_colors_and_normals_stay_with_their_vertices():
    mesh = joined(ball(0.1, 5), ball(1.0, 0))
    kept = clean(mesh, 0.5)
    n = len(kept.vertices)
    np.testing.assert_array_equal(kept.vertices, mesh.vertices[-n:])
    np.testing.assert_array_equal(kept.colors, mesh.colors[-n:])
    np.testing.assert_array_equal(kept.normals, mesh.normals[-n:])


def test_faces_without_area_and_vertices_without_faces_go():
    vertices = np.array([[0.0, 0, 0], [9, 9, 9], [1, 0, 0], [0, 1, 0]])
    mesh = clean(Mesh(vertices, np.array([[0, 2, 3], [0, 0, 2], [2, 3, 2]], np.int32)), 0.0)
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2]])
    np.testing.assert_array_equal(mesh.vertices, vertices[[0, 2, 3]])


def test_an_empty_mesh_stays_empty():
    assert clean(Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32)), 0.02).faces.shape == (0, 3)
