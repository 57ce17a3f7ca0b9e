"""Meshes with known faults."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from core.meshing.mesh import Mesh
from core.meshing.repair.clean import edge_counts, is_watertight, remove_small_parts, repair
from core.meshing.repair.holes import fill_holes


def mesh_of(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices, np.float64), np.asarray(shape.faces, np.int32))


BALL = mesh_of(trimesh.creation.icosphere(3))


def volume(mesh: Mesh) -> float:
    return float(trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).volume)


def test_a_sound_mesh_is_left_alone():
    mesh, counts = repair(BALL)
    np.testing.assert_array_equal(mesh.faces, BALL.faces)
    assert not any(counts.values())


def test_flat_and_double_faces_go_and_turned_ones_are_turned_back():
    faces = BALL.faces.copy()
    faces[[3, 50, 700]] = faces[[3, 50, 700], ::-1]
    a, b = faces[10, :2]
    middle = len(BALL.vertices)
    flat = [[a, b, middle]]  # the middle of an edge
    vertices = np.vstack([BALL.vertices, BALL.vertices[[a, b]].mean(0)])
    broken = Mesh(vertices, np.vstack([faces, faces[5:8], flat]).astype(np.int32))
    mesh, counts = repair(broken)
    assert counts["degenerate faces removed"] == 1
    assert counts["duplicate faces removed"] == 3
    assert counts["faces turned"] == 3
    assert is_watertight(mesh.faces)
    assert volume(mesh) == pytest.approx(volume(BALL))


def test_two_boxes_that_share_an_edge_are_parted():
    one = trimesh.creation.box((1, 1, 1))
    other = one.copy().apply_translation([1, 1, 0])
    both = trimesh.util.concatenate([one, other])
    both.merge_vertices()
    broken = mesh_of(both)
    assert edge_counts(broken.faces).max() == 4
    mesh, counts = repair(broken)
    assert counts["non-manifold edges parted"] == 1
    assert edge_counts(mesh.faces).max() == 2
    assert is_watertight(mesh.faces), "each box is whole"
    assert volume(mesh) == pytest.approx(2)


def test_parts_count_by_what_is_worth_counting():
    """A ball of area 4 π r²: the small one is all seen, the large one not at all."""
    small = trimesh.creation.icosphere(2, 0.1).apply_translation([3, 0, 0])
    both = mesh_of(trimesh.util.concatenate([trimesh.creation.icosphere(2), small]))
    n = len(small.faces)
    seen = (both.vertices[:, 0] > 2).astype(np.float32)
    mesh, counts = remove_small_parts(both, 0.02, seen)
    assert counts == {"parts removed": 1, "faces of them": n}
    assert mesh.vertices[:, 0].min() > 2
    assert len(remove_small_parts(both, 0.02, np.ones_like(seen))[0].faces) == n, "1 % is a speck"


def test_holes_up_to_a_size_are_closed_outward():
    """A ball whose cap, 0.4 wide, and a single face are missing."""
    center = BALL.vertices[BALL.faces].mean(1)
    gone = center[:, 2] > 0.97
    gone[np.abs(center[:, 2]).argmin()] = True
    broken = replace(BALL, faces=BALL.faces[~gone])
    mesh, counts = fill_holes(broken, 0.3)
    assert counts == {"holes closed": 1, "holes left": 1}
    mesh, counts = fill_holes(broken, 2.0)
    assert counts == {"holes closed": 2, "holes left": 0}
    assert is_watertight(mesh.faces)
    assert volume(mesh) == pytest.approx(volume(BALL), rel=0.01)
    np.testing.assert_array_equal(mesh.faces[: len(broken.faces)], broken.faces)


def test_a_rough_rim_is_closed_without_doubling_an_edge():
    """Random faces missing: rims that touch themselves and run along each other."""
    random = np.random.default_rng(1)
    for _ in range(5):
        kept = random.random(len(BALL.faces)) > 0.15
        broken, _ = repair(replace(BALL, faces=BALL.faces[kept]))
        mesh, counts = fill_holes(broken, np.inf)
        assert edge_counts(mesh.faces).max() == 2
        assert counts["holes closed"] > 0
