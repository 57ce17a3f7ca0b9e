"""Refinement against photos of a ball that is known exactly."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import UserError
from core.base.jobs import run_task
from core.config.mesh import MeshOptions
from core.meshing.mesh import Mesh
from core.meshing.pipeline import finish_mesh
from core.meshing.refinement import refine as module
from core.meshing.refinement.refine import refine
from core.meshing.repair.clean import is_watertight
from tests.core.meshing import painted_ball
from tests.core.meshing.painted_ball import RADIUS, ball, photos
from tests.core.meshing.test_pipeline import sphere, subject


def bumpy():
    """Up to 0.03 off, two pixels of its photos."""
    mesh = ball(4)
    bumps = 0.03 * np.sin(mesh.vertices * 9).prod(1)
    return replace(mesh, vertices=mesh.vertices * (1 + bumps / RADIUS)[:, None])


def error(mesh) -> float:
    """Of the upper part, which all photos see."""
    seen = mesh.vertices[:, 2] > -0.1
    return float(np.abs(np.linalg.norm(mesh.vertices[seen], axis=1) - RADIUS).mean())


def speckled(points):
    """[N, 3] sRGB levels, fine enough to tell where the surface is."""
    at = 24 * points / np.linalg.norm(points, axis=-1, keepdims=True)
    return 128 + 50 * (np.sin(at) + np.sin(0.6 * at[:, [1, 2, 0]] + 1))


@pytest.fixture
def textured(monkeypatch):
    monkeypatch.setattr(painted_ball, "painted", speckled)


@pytest.mark.parametrize("masks", [True, False])
def test_bumps_that_photos_deny_go_and_the_mesh_stays_valid(masks, tmp_path, textured):
    rough = bumpy()
    found = run_task(refine(rough, photos(tmp_path, 16, masks=masks)))
    assert found.kept
    assert found.after > found.before + 0.02
    assert error(found.mesh) < 0.35 * error(rough)
    assert is_watertight(found.mesh.faces)
    outward = (found.mesh.face_normals() * found.mesh.vertices[found.mesh.faces[:, 0]]).sum(1)
    assert (outward > 0).all(), "no face turned over"


def test_exposures_that_differ_do_not_matter(tmp_path, textured):
    gains = 0.75 + 0.05 * (np.arange(16) % 5)
    found = run_task(refine(bumpy(), photos(tmp_path, 16, gains=gains)))
    assert error(found.mesh) < 0.35 * error(bumpy())


def test_photos_that_see_none_of_the_mesh_change_nothing(tmp_path, textured):
    seen = photos(tmp_path, 12)
    away = [
        replace(p, world_from_camera=p.world_from_camera @ np.diag([-1.0, 1, -1, 1])) for p in seen
    ]
    found = run_task(refine(bumpy(), [away[0], *seen]))
    assert np.isfinite(found.after)
    assert found.kept
    nothing = run_task(refine(ball(3), away))
    assert not nothing.kept
    np.testing.assert_array_equal(nothing.mesh.vertices, ball(3).vertices)


def test_what_held_out_pairs_deny_is_not_kept(tmp_path, textured, monkeypatch):
    def spoilt(mesh, *rest):
        return np.full(len(mesh.vertices), 0.1)

    monkeypatch.setattr(module, "_step", spoilt)
    exact = ball(4)
    found = run_task(refine(exact, photos(tmp_path, 16)))
    assert not found.kept
    np.testing.assert_array_equal(found.mesh.vertices, exact.vertices)
    done = run_task(finish_mesh(subject(sphere, tmp_path), MeshOptions(32, refine=True)))
    assert "Not refined" in str(done.notes[0])


def test_vertices_that_no_photo_sees_stay(tmp_path, textured):
    """The photos are taken from above: the lowest part of the ball is hidden."""
    found = run_task(refine(bumpy(), photos(tmp_path, 16)))
    below = found.mesh.vertices[found.mesh.vertices[:, 2] < -0.68]
    distance = np.linalg.norm(below[:, None] - bumpy().vertices, axis=2).min(1)
    assert distance.max() < 0.06


def test_offsets_that_would_turn_a_face_over_are_taken_back():
    mesh = ball(3)
    far = np.zeros_like(mesh.vertices)
    far[::7] = -1.5 * mesh.vertices[::7]  # through the middle and out on the other side
    moved = module._without_folds(mesh, far)
    assert ((moved.face_normals() * mesh.face_normals()).sum(1) > 0).all()
    assert np.abs(moved.vertices - mesh.vertices).max() > 0.01, "what does no harm stays"


def test_few_photos_are_told_of_and_a_missing_one_is_an_error(tmp_path):
    seen = photos(tmp_path, 5)
    assert run_task(refine(ball(3), seen)) is None
    assert run_task(refine(Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32)), seen * 3)) is None
    with pytest.raises(UserError, match=r"gone\.png"):
        run_task(
            refine(ball(3), [*photos(tmp_path, 8), replace(seen[0], path=tmp_path / "gone.png")])
        )
