"""Laws of what the refinement is made of."""

import numpy as np
import pytest

from core.geometry.cameras import Intrinsics
from core.meshing.mesh import Mesh
from core.meshing.refinement import correlation
from core.meshing.refinement.correlation import compare, view_mesh
from core.meshing.refinement.neighbours import choose_neighbours
from core.meshing.refinement.pinhole_photo import PinholePhoto
from core.meshing.refinement.subdivide import split_edges
from core.meshing.refinement.thin_plate import bending_matrix, smooth_step
from core.meshing.repair.clean import is_watertight
from tests.core.meshing.painted_ball import ball

LENS = Intrinsics(96, 96, 120.0, 120.0, 48.0, 48.0)


def grid(n=9, size=1.0):
    """A flat square of (n - 1)² · 2 faces at z = 0, seen from above counter-clockwise."""
    x, y = np.meshgrid(np.linspace(-size / 2, size / 2, n), np.linspace(-size / 2, size / 2, n))
    vertices = np.stack([x, y, np.zeros_like(x)], -1).reshape(-1, 3)
    a = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + n], 1), np.stack([a + 1, a + n + 1, a + n], 1)])
    return vertices, faces.astype(np.int32)


def pattern(x, y):
    return 0.5 + 0.2 * np.sin(31 * x + 3 * y) + 0.2 * np.sin(27 * y - 9 * x + 1)


def camera_above(x):
    """Two above the plane, looking at its middle, [4, 4]."""
    forward = -np.array([x, 0, 2.0]) / np.hypot(x, 2)
    right = np.array([0.0, 1, 0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = x, 0, 2
    return pose


def photo_of_plane(pose, lens=LENS):
    """A plane at z = 0 that shows `pattern`."""
    v, u = np.mgrid[: lens.height, : lens.width] + 0.5
    rays = np.stack([(u - lens.cx) / lens.fx, (v - lens.cy) / lens.fy, np.ones_like(u)], -1)
    rays = rays @ pose[:3, :3].T
    at = pose[:3, 3] - rays * (pose[2, 3] / rays[..., 2])[..., None]
    grey = pattern(at[..., 0], at[..., 1]).astype(np.float32)
    return PinholePhoto(lens, pose, grey, np.ones(grey.shape, bool))


def agreement(vertices, faces, photos):
    normals = np.tile([0.0, 0, 1], (len(vertices), 1))
    views = [view_mesh(vertices, faces, photo) for photo in photos]
    face_normals = np.tile([0.0, 0, 1], (len(faces), 1))
    return compare(views[0], views[1], faces, normals, face_normals)


PHOTOS = [photo_of_plane(camera_above(x)) for x in (-0.25, 0.25)]


def test_photos_agree_wholly_where_the_mesh_is_right_and_less_elsewhere():
    vertices, faces = grid()
    right = agreement(vertices, faces, PHOTOS)
    assert right.score / right.n > 0.98
    off = agreement(vertices + [0, 0, 0.06], faces, PHOTOS)
    assert off.score / off.n < right.score / right.n - 0.05


@pytest.mark.parametrize("height", [-0.012, 0.012])
def test_the_newton_step_leads_to_the_surface(height):
    """Summed over all vertices: the step of a rigid move."""
    vertices, faces = grid()
    found = agreement(vertices + [0, 0, height], faces, PHOTOS)
    step = -found.gradient.sum() / found.curvature.sum()
    assert 0.3 < -step / height < 1.3, "no farther, and a good part of the way"


def test_the_gradient_is_that_of_the_agreement(monkeypatch):
    monkeypatch.setattr(correlation, "FEWEST", 25)
    vertices, faces = grid()
    vertices = vertices + [0, 0, 0.01]
    found = agreement(vertices, faces, PHOTOS)
    rng = np.random.default_rng(0)
    inner = (np.abs(vertices[:, :2]) < 0.3).all(1)
    way = rng.normal(size=len(vertices)) * inner
    h = 1e-4
    ends = [
        agreement(vertices + s * h * way[:, None] * [0, 0, 1.0], faces, PHOTOS) for s in (-1, 1)
    ]
    assert ends[0].n == ends[1].n
    slope = -(ends[1].score - ends[0].score) / (2 * h)
    assert found.gradient @ way == pytest.approx(slope, rel=0.15)
    assert (found.curvature >= 0).all()


def test_a_plain_surface_says_little_and_a_hidden_one_nothing():
    vertices, faces = grid()
    plain = [
        PinholePhoto(p.lens, p.world_from_camera, np.full_like(p.grey, 0.5), p.known)
        for p in PHOTOS
    ]
    assert np.abs(agreement(vertices, faces, plain).gradient).max() < 1e-9
    masked = [PinholePhoto(p.lens, p.world_from_camera, p.grey, ~p.known) for p in PHOTOS]
    assert agreement(vertices, faces, masked).n == 0
    below = [photo_of_plane(camera_above(0.25)), PHOTOS[1]]
    under = np.concatenate([vertices, vertices + [0, 0, -0.3]])
    both = np.concatenate([faces, faces + len(vertices)])
    assert np.abs(agreement(under, both, below).gradient[len(vertices) :]).max() == 0


def test_a_step_without_photos_or_bending_is_none_and_noise_is_smoothed():
    vertices, faces = grid(17)
    rng = np.random.default_rng(0)
    normals = np.tile([0.0, 0, 1], (len(vertices), 1))
    bending = bending_matrix(len(vertices), faces)
    nothing = np.zeros(len(vertices))
    assert not smooth_step(vertices, normals, bending, nothing, nothing, 1.0).any()
    seen = np.ones(len(vertices))
    inner = (np.abs(vertices[:, :2]) < 0.4).all(1)
    flat = smooth_step(vertices, normals, bending, nothing, seen, 1.0)
    assert np.abs(flat[inner]).max() < 1e-9, "a plane does not bend"
    noisy = vertices + rng.normal(0, 0.01, len(vertices))[:, None] * [0, 0, 1]
    offsets = smooth_step(noisy, normals, bending, nothing, seen, 10.0)
    assert (noisy[:, 2] + offsets)[inner].std() < 0.5 * noisy[inner, 2].std()


def test_the_step_minimises_its_quadratic():
    vertices, faces = grid(9)
    rng = np.random.default_rng(1)
    vertices = vertices + rng.normal(0, 0.01, vertices.shape)
    normals = np.tile([0.0, 0, 1], (len(vertices), 1))
    bending = bending_matrix(len(vertices), faces)
    gradient, curvature = rng.normal(size=len(vertices)), rng.uniform(0.5, 2, len(vertices))
    weight = 0.7 * curvature.mean()

    def energy(offsets):
        moved = vertices + normals * offsets[:, None]
        bent = (moved * (bending @ moved)).sum()
        return gradient @ offsets + 0.5 * curvature @ offsets**2 + 0.5 * weight * bent

    best = smooth_step(vertices, normals, bending, gradient, curvature, 0.7)
    for _ in range(10):
        assert energy(best) <= energy(best + 0.05 * rng.normal(size=len(best))) + 1e-6


def test_split_edges_are_short_and_the_mesh_stays_closed():
    mesh = ball(2)
    longest = np.full(len(mesh.vertices), 0.2)
    vertices, faces = mesh.vertices, mesh.faces
    for _ in range(4):
        vertices, faces = split_edges(vertices, faces, longest)
        longest = np.full(len(vertices), 0.2)
    ends = vertices[faces] - vertices[np.roll(faces, -1, 1)]
    assert np.linalg.norm(ends, axis=2).max() <= 0.2
    assert is_watertight(faces)
    np.testing.assert_array_equal(vertices[: len(mesh.vertices)], mesh.vertices)
    before, after = Mesh(mesh.vertices, mesh.faces), Mesh(vertices, faces)
    np.testing.assert_allclose(
        np.linalg.norm(after.face_normals(), axis=1).sum(),
        np.linalg.norm(before.face_normals(), axis=1).sum(),
    )
    assert ((after.face_normals() * after.vertices[after.faces[:, 0]]).sum(1) > 0).all()


def test_only_long_edges_are_split():
    vertices, faces = grid(3)
    where = np.full(len(vertices), np.inf)
    assert len(split_edges(vertices, faces, where)[0]) == len(vertices)
    where[0] = 0.1
    split, _ = split_edges(vertices, faces, where)
    assert len(split) == len(vertices) + 2, "the two edges of the first corner"


def test_neighbours_see_the_same_from_another_side():
    xs = (-1.0, -0.5, -0.45, 0.0, 0.5, 6.0)
    photos = [photo_of_plane(camera_above(x)) for x in xs]
    vertices, _ = grid()
    normals = np.tile([0.0, 0, 1], (len(vertices), 1))
    chosen = choose_neighbours(vertices, normals, photos, 3)
    assert all(i not in others for i, others in enumerate(chosen))
    assert set(chosen[3]) >= {4}, "on both sides"
    assert chosen[3][0] in (1, 2, 4)
    assert 5 not in chosen[0]
