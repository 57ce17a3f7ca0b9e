"""The protocol on a ball over a table, with reference data in the benchmark's layout."""

import numpy as np
import pytest
import trimesh
from scipy.io import savemat
from scipy.spatial import KDTree

from core.base.errors import UserError
from core.evaluation.dtu import dtu_distances, is_dtu, read_scan, thin_points
from core.meshing.mesh import Mesh

RADIUS = 10.0


def sphere(radius: float, center=(0, 0, 0)) -> Mesh:
    shape = trimesh.creation.icosphere(4, radius).apply_translation(center)
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces, np.int32))


@pytest.fixture
def reference(tmp_path):
    """Scan 7: a ball of 10 mm, seen above z = -4; the table at -6. Points below it are noise."""
    for folder in ("ObsMask", "Points/stl"):
        (tmp_path / folder).mkdir(parents=True)
    box = np.array([[-20.0, -20, -20], [20, 20, 20]])
    height = np.arange(-20.0, 20, 0.5)
    observed = np.broadcast_to(height > -4, (80, 80, 80)).astype(np.uint8)
    savemat(tmp_path / "ObsMask/ObsMask7_10.mat", {"ObsMask": observed, "BB": box, "Res": 0.5})
    savemat(tmp_path / "ObsMask/Plane7.mat", {"P": np.array([[0.0], [0], [1], [6]])})
    points = np.random.default_rng(0).normal(size=(60_000, 3))
    points *= RADIUS / np.linalg.norm(points, axis=1, keepdims=True)
    points[points[:, 2] < -6] *= 1.6
    trimesh.PointCloud(points).export(tmp_path / "Points/stl/stl007_total.ply")
    return tmp_path


def test_distances_are_those_of_the_radii(reference):
    assert is_dtu(reference)
    scan = read_scan(reference, "/data/dtu_scan7/")
    found = dtu_distances(sphere(RADIUS + 1), scan)
    # both ways a millimetre, and a little for the scan is a cloud and the ball has facets
    assert found["accuracy"] == pytest.approx(1, abs=0.03)
    assert found["completeness"] == pytest.approx(1, abs=0.03)
    assert found["distance"] == (found["accuracy"] + found["completeness"]) / 2


def test_what_the_scanner_did_not_see_says_nothing(reference):
    """A spoilt underside: out of the mask, and below the table."""
    scan = read_scan(reference, "scan007")
    ball = sphere(RADIUS + 1)
    spoilt = ball.vertices.copy()
    spoilt[spoilt[:, 2] < -7.5] *= 1.5
    whole, found = (dtu_distances(Mesh(v, ball.faces), scan) for v in (ball.vertices, spoilt))
    assert found["accuracy"] == pytest.approx(whole["accuracy"], abs=0.05)
    assert found["completeness"] == pytest.approx(whole["completeness"], abs=0.05)


def test_far_outliers_count_for_nothing(reference):
    scan = read_scan(reference, "scan7")
    ball, speck = sphere(RADIUS), sphere(1.0, (0, 0, 32))  # 21 mm off, where nothing was seen
    both = Mesh(
        np.concatenate([ball.vertices, speck.vertices]),
        np.concatenate([ball.faces, speck.faces + len(ball.vertices)]),
    )
    assert dtu_distances(both, scan)["accuracy"] < 0.1
    with pytest.raises(UserError, match="outside of what the scanner saw"):
        dtu_distances(sphere(1.0, (500, 0, 0)), scan)


def test_thinned_points_keep_their_distance_and_leave_no_gap():
    points = np.random.default_rng(0).random((5000, 3))
    kept = thin_points(points, 0.1)
    assert KDTree(kept).query(kept, k=2)[0][:, 1].min() >= 0.1
    assert KDTree(kept).query(points)[0].max() < 0.1


def test_what_is_missing_is_told_of(reference):
    with pytest.raises(UserError, match="does not name a scan"):
        read_scan(reference, "/data/skull")
    with pytest.raises(UserError, match=r"ObsMask8_10\.mat.*missing"):
        read_scan(reference, "scan8")
