"""Relief and texture carried from a fine mesh to a coarse one."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from core.base.jobs import run_task
from core.meshing.mesh import Mesh
from core.meshing.texture.atlas import rasterize_texels, unwrap
from core.meshing.texture.bake import bake_texture, fill_empty_texels
from core.meshing.texture.transfer import bake_normal_map, transfer_texture, vertex_tangents
from tests.core.meshing.painted_ball import RADIUS, ball, painted, photos


def bumpy(points: np.ndarray) -> np.ndarray:
    """Unit normals [N, 3] of a ball whose relief tilts them a little."""
    n = points / np.linalg.norm(points, axis=1, keepdims=True)
    tilted = n + 0.3 * np.cross(n, [0, 0, 1]) * np.sin(9 * n[:, 2:])
    return tilted / np.linalg.norm(tilted, axis=1, keepdims=True)


def decoded(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Positions [T, 3] and world normals [T, 3] as a glTF viewer makes them of map and tangents."""
    texels = rasterize_texels(mesh, mesh.normal_map.shape[0])
    everything = np.arange(len(texels.where))
    at = [
        texels.interpolate(mesh.faces, v, everything).astype(float)
        for v in (mesh.vertices, mesh.normals, mesh.tangents)
    ]
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
    coarse = run_task(bake_normal_map(fine, run_task(unwrap(ball(2), 256)), 256))
    points, world = decoded(coarse)
    angle = np.degrees(np.arccos(np.clip((world * bumpy(points)).sum(1), -1, 1)))
    assert np.quantile(angle, 0.95) < 3
    flat = np.degrees(
        np.arccos(
            np.clip(
                (bumpy(points) * points / np.linalg.norm(points, axis=1)[:, None]).sum(1), -1, 1
            )
        )
    )
    assert flat.mean() > 8, "there is something to see"


def test_tangents_run_along_u_and_their_sign_tells_where_v_grows():
    """A square in the plane, its texture upright, and the same with a mirrored one."""
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    normals = np.tile(np.float32([0, 0, 1]), (4, 1))
    upright = Mesh(vertices, faces, normals=normals, uvs=vertices[:, :2].astype(np.float32))
    np.testing.assert_allclose(vertex_tangents(upright), np.tile([1, 0, 0, 1], (4, 1)), atol=1e-6)
    mirrored = Mesh(
        vertices,
        faces,
        normals=normals,
        uvs=(vertices[:, :2] * [-1, 1] + [1, 0]).astype(np.float32),
    )
    np.testing.assert_allclose(
        vertex_tangents(mirrored), np.tile([-1, 0, 0, -1], (4, 1)), atol=1e-6
    )


def test_the_frame_of_the_relief_turns_with_the_mesh():
    fine = ball(4)
    coarse = run_task(bake_normal_map(fine, run_task(unwrap(ball(2), 128)), 128))
    turn = trimesh.transformations.rotation_matrix(0.9, [1, 2, 3])
    for similarity in (turn, turn @ np.diag([1.0, 1, -1, 1])):
        moved = coarse.transformed(similarity)
        points, world = decoded(moved)
        outward = points / np.linalg.norm(points, axis=1, keepdims=True)
        assert np.quantile((world * outward).sum(1), 0.05) > 0.99


def test_a_level_of_detail_shows_the_texture_of_the_first(tmp_path):
    first = run_task(bake_texture(ball(3), photos(tmp_path, 8), 256, 256))
    coarse = run_task(transfer_texture(first, run_task(unwrap(ball(2), 128)), 128))
    texels = rasterize_texels(coarse, 128)
    points = texels.interpolate(coarse.faces, coarse.vertices, np.arange(len(texels.where)))
    colors = coarse.texture.reshape(-1, 3)[texels.where].astype(float)
    seen = points[:, 2] > -0.2
    error = np.abs(colors[seen] - painted(points[seen] * RADIUS))
    assert error.mean() < 4
    assert pytest.approx(coarse.uvs.max(), abs=0.05) == 1


def slab(top: float, bottom: float) -> Mesh:
    """A plate between two heights, faces small enough for flat corners to matter little."""
    box = trimesh.creation.box((1.0, 1.0, top - bottom)).subdivide().subdivide().subdivide()
    vertices = np.asarray(box.vertices) + [0, 0, (top + bottom) / 2]
    return Mesh(
        vertices,
        np.asarray(box.faces, np.int32),
        normals=np.asarray(box.vertex_normals, np.float32),
    )


def test_a_thin_part_shows_its_own_side_where_the_other_is_nearer():
    """The fine plate is red above 0 and blue below; the coarse one's upper side lies so deep in it
    that the lower side of the fine one is nearer: 0.006 away, and the upper 0.014."""
    fine = run_task(unwrap(slab(0.01, -0.01), 128))
    texels = rasterize_texels(fine, 128)
    height = texels.interpolate(fine.faces, fine.vertices, np.arange(len(texels.where)))[:, 2]
    picture = np.full((128 * 128, 3), 128, np.uint8)
    picture[texels.where] = np.where(height[:, None] > 0, [250, 0, 0], [0, 0, 250])
    fine = replace(
        fine,
        texture=fill_empty_texels(
            picture.reshape(128, 128, 3), (picture == 128).all(1).reshape(128, 128)
        ),
    )
    coarse = run_task(unwrap(slab(-0.004, -0.05), 128))
    painted = run_task(transfer_texture(fine, coarse, 128))
    shaped = run_task(bake_normal_map(fine, coarse, 128))
    texels = rasterize_texels(coarse, 128)
    points = texels.interpolate(coarse.faces, coarse.vertices, np.arange(len(texels.where)))
    upper = (np.abs(points[:, 2] + 0.004) < 1e-9) & (np.abs(points[:, :2]).max(1) < 0.4)
    assert upper.sum() > 500
    colors = painted.texture.reshape(-1, 3)[texels.where][upper]
    assert np.abs(colors - [250.0, 0, 0]).max() < 5
    _, normals = decoded(shaped)
    assert normals[upper, 2].min() > 0.95


def test_the_relief_needs_no_good_normals_of_the_coarse_mesh():
    """The field's normals at a few vertices may look anywhere; the picture is the same."""
    fine = ball(5)
    fine = Mesh(fine.vertices, fine.faces, normals=bumpy(fine.vertices).astype(np.float32))
    coarse = run_task(unwrap(ball(2), 128))
    askew = np.roll(coarse.normals, 1, axis=1)
    one, other = (
        run_task(bake_normal_map(fine, replace(coarse, normals=n), 128))
        for n in (coarse.normals, askew)
    )
    np.testing.assert_array_equal(one.normal_map, other.normal_map)
    np.testing.assert_allclose(one.normals, coarse.normals, atol=0.05)
