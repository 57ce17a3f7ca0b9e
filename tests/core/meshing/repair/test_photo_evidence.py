"""What cameras say of a mesh whose true surface is known."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from core.base.jobs import run_task
from core.meshing.mesh import Mesh
from core.meshing.repair.photo_evidence import gather_evidence, remove_contradicted, remove_unseen
from tests.core.meshing.painted_ball import RADIUS, ball, photos


def together(*meshes: Mesh) -> Mesh:
    shape = trimesh.util.concatenate(
        [trimesh.Trimesh(m.vertices, m.faces, process=False) for m in meshes]
    )
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces, np.int32))


def at(mesh: Mesh, center, scale: float) -> Mesh:
    return replace(mesh, vertices=mesh.vertices * scale + center)


@pytest.fixture(scope="module")
def seen_from(tmp_path_factory):
    return photos(tmp_path_factory.mktemp("photos"), 10, masks=True, distance=3.5)


def test_what_lies_inside_is_not_seen_and_what_lies_outside_is(seen_from):
    mesh = together(ball(3), at(ball(2), [0, 0, 0], 0.5))
    evidence = run_task(gather_evidence(mesh, seen_from, False))
    outside = np.linalg.norm(mesh.vertices, axis=1) > 0.6
    assert evidence.seen[outside & (mesh.vertices[:, 2] > -0.2)].min() >= 2
    assert evidence.seen[~outside].max() == 0


def test_what_no_camera_saw_is_cut_off_but_for_a_margin(seen_from):
    """All cameras look down: the lowest quarter of the ball is out of sight."""
    whole = ball(4)
    mesh, evidence, counts = remove_unseen(
        whole, run_task(gather_evidence(whole, seen_from, False))
    )
    gone = len(whole.faces) - len(mesh.faces)
    assert counts == {"faces that no camera saw": gone}
    assert -0.69 < mesh.vertices[:, 2].min() < -0.6
    assert mesh.vertices[:, 2].max() == pytest.approx(RADIUS)
    assert len(evidence.seen) == len(mesh.vertices)


def test_what_masks_show_background_through_goes(seen_from):
    """A floater beside the ball, before the empty background of most photos."""
    floater = at(ball(2), [0.7, 0.7, 0.3], 0.1)
    mesh = together(ball(3), floater)
    evidence = run_task(gather_evidence(mesh, seen_from, True))
    mesh, _, counts = remove_contradicted(mesh, evidence)
    assert counts == {"faces that cameras saw through": len(floater.faces)}
    assert len(mesh.faces) == len(ball(3).faces)
