"""Relief and texture carried from a fine mesh to a coarse one."""

import numpy as np
import pytest
import trimesh

from core.meshing.atlas import texels_of, unwrap
from core.meshing.mesh import Mesh
from core.meshing.texture import textured
from core.meshing.transfer import tangents_of, with_normal_map_of, with_texture_of
from core.tasks import run
from tests.core.meshing.painted_ball import RADIUS, ball, painted, photos


def bumpy(points: np.ndarray) -> np.ndarray:
    """Unit normals [N, 3] of a ball whose relief tilts them a little."""
    n = points / np.linalg.norm(points, axis=1, keepdims=True)
    tilted = n + 0.3 * np.cross(n, [0, 0, 1]) * np.sin(9 * n[:, 2:])
    return tilted / np.linalg.norm(tilted, axis=1, keepdims=True)


def decoded(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Positions [T, 3] and world normals [T, 3] as a glTF viewer makes them of map and tangents."""
    texels = texels_of(mesh, mesh.normal_map.shape[0])
    everything = np.arange(len(texels.where))
    at = [texels.interpolate(mesh.faces, v, everything).astype(float)
          for v in (mesh.vertices, mesh.normals, mesh.tangents)]
    local = mesh.normal_map.reshape(-1, 3)[texels.where] / 255 * 2 - 1
    n, t = at[1] / np.linalg.norm(at[1], axis=1, keepdims=True), at[2][:, :3]
    t -= n * (n * t).sum(1, keepdims=True)
    t /= np.linalg.norm(t, axis=1, keepdims=True)
    b = np.cross(n, t) * np.sign(at[2][:, 3:])
    world = local[:, :1] * t + local[:, 1:2] * b + local[:, 2:] * n
    return at[0], world / np.linalg.norm(world, axis=1, keepdims=True)


def test_a_viewer_sees_the_fine_normals_on_the_coarse_mesh():
    fine = ball(5)
    fine = Mesh(fine.vertices, fine.faces, normals=bumpy(fine.vertices).astype(np.float32))
    coarse = run(with_normal_map_of(fine, run(unwrap(ball(2), 256)), 256))
    points, world = decoded(coarse)
    angle = np.degrees(np.arccos(np.clip((world * bumpy(points)).sum(1), -1, 1)))
    assert np.quantile(angle, 0.95) < 3
    flat = np.degrees(np.arccos(np.clip(
        (bumpy(points) * points / np.linalg.norm(points, axis=1)[:, None]).sum(1), -1, 1)))
    assert flat.mean() > 8, "there is something to see"


def test_tangents_run_along_u_and_their_sign_tells_where_v_grows():
    """A square in the plane, its texture upright, and the same with a mirrored one."""
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    normals = np.tile(np.float32([0, 0, 1]), (4, 1))
    upright = Mesh(vertices, faces, normals=normals, uvs=vertices[:, :2].astype(np.float32))
    np.testing.assert_allclose(tangents_of(upright), np.tile([1, 0, 0, 1], (4, 1)), atol=1e-6)
    mirrored = Mesh(vertices, faces, normals=normals,
                    uvs=(vertices[:, :2] * [-1, 1] + [1, 0]).astype(np.float32))
    np.testing.assert_allclose(tangents_of(mirrored), np.tile([-1, 0, 0, -1], (4, 1)), atol=1e-6)


def test_the_frame_of_the_relief_turns_with_the_mesh():
    fine = ball(4)
    coarse = run(with_normal_map_of(fine, run(unwrap(ball(2), 128)), 128))
    turn = trimesh.transformations.rotation_matrix(0.9, [1, 2, 3])
    for similarity in (turn, turn @ np.diag([1.0, 1, -1, 1])):
        moved = coarse.transformed(similarity)
        points, world = decoded(moved)
        outward = points / np.linalg.norm(points, axis=1, keepdims=True)
        assert np.quantile((world * outward).sum(1), 0.05) > 0.99


def test_a_level_of_detail_shows_the_texture_of_the_first(tmp_path):
    first = run(textured(ball(3), photos(tmp_path, 8), 256, 256))
    coarse = run(with_texture_of(first, run(unwrap(ball(2), 128)), 128))
    texels = texels_of(coarse, 128)
    points = texels.interpolate(coarse.faces, coarse.vertices, np.arange(len(texels.where)))
    colors = coarse.texture.reshape(-1, 3)[texels.where].astype(float)
    seen = points[:, 2] > -0.2
    error = np.abs(colors[seen] - painted(points[seen] * RADIUS))
    assert error.mean() < 4
    assert pytest.approx(coarse.uvs.max(), abs=0.05) == 1
