"""The protocol of the DTU benchmark: distances in millimetres over what its scanner saw.

Source: Jensen et al. 2014, "Large scale multi-view stereopsis evaluation". Points of the mesh, none
closer than 0.2 mm to another, count where the scan's observability mask has them; points of the
scan count above the plane of the table. Distances from 20 mm on are excluded as outliers. The
reference data, as published: a folder with ``ObsMask/ObsMask65_10.mat``, ``ObsMask/Plane65.mat``
and ``Points/stl/stl065_total.ply``.
"""
# scipy has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from scipy.io import loadmat
from scipy.spatial import KDTree

from core.base.errors import UserError
from core.base.shapes import check_shapes
from core.base.text import text
from core.evaluation.surface_metrics import read_surface, sample_surface
from core.meshing.mesh import Mesh

POINT_SPACING_MM = 0.2
"""between points of the mesh, at least"""
BOX_MARGIN_MM = 60.0, 120.0
"""below and above the observed box, within which points of the mesh can be the nearest"""
MAX_DISTANCE_MM = 20.0
"""from which distances are outliers"""
SAMPLES_PER_SQUARE = 4.0
"""points of the mesh sampled for each square of `POINT_SPACING_MM`, before they are thinned"""


@dataclass(frozen=True)
class Scan:
    """A scan of the benchmark; lengths in millimetres."""

    points: np.ndarray
    """[N, 3]"""
    observed: np.ndarray
    """[I, J, K] bool: the scanner observed the place"""
    corner: np.ndarray
    """[3] position of the first cell of ``observed``"""
    end: np.ndarray
    """[3] upper end of the observed box"""
    spacing: float
    """between cells of ``observed``"""
    plane: np.ndarray
    """[4] the table, positive above it"""


def is_dtu(folder: Path) -> bool:
    """Whether ``folder`` contains the benchmark's reference data."""
    return (folder / "ObsMask").is_dir() and (folder / "Points" / "stl").is_dir()


def read_scan(folder: Path, source: str) -> Scan:
    """Read the reference data of the scan that a capture shows.

    Args:
        folder: of the reference data.
        source: path of the capture, whose name has the number of the scan.

    Raises:
        UserError: there is no number, or the data are missing.
    """
    number = re.search(r"scan_?0*(\d+)", source)
    if number is None:
        raise UserError(
            text("{source} does not name a scan of DTU", source=source),
            text("Name the folder of the capture after its scan, as in scan65"),
        )
    n = int(number[1])
    files = [folder / "ObsMask" / f"ObsMask{n}_10.mat", folder / "ObsMask" / f"Plane{n}.mat"]
    try:
        mask, plane = (loadmat(file) for file in files)
        box = np.asarray(mask["BB"], np.float64)
        scan = np.asarray(mask["ObsMask"]).astype(bool), float(np.ravel(mask["Res"])[0])
        table = np.asarray(plane["P"], np.float64).ravel()
    except (OSError, KeyError, ValueError, NotImplementedError) as error:
        raise UserError(
            text("{mask} or {plane} is missing or damaged", mask=files[0], plane=files[1]),
            text("Download the benchmark's SampleSet and Points again"),
        ) from error
    points, _ = read_surface(folder / "Points" / "stl" / f"stl{n:03d}_total.ply")
    return Scan(points, scan[0], box[0], box[1], scan[1], table)


def dtu_distances(mesh: Mesh, scan: Scan, seed: int = 0) -> dict[str, float]:
    """Compute the benchmark's distances between a mesh and its scan.

    Returns:
        Mean ``accuracy`` (mesh to scan) and ``completeness`` (scan to mesh) and their mean, the
        ``distance``, millimetres.

    Raises:
        UserError: the mesh and the scan do not meet.
    """
    area = float(np.linalg.norm(mesh.face_normals(), axis=1).sum()) / 2
    n = int(SAMPLES_PER_SQUARE * area / POINT_SPACING_MM**2)
    points, _ = sample_surface(mesh.vertices, mesh.faces, n, seed)
    points = thin_points(np.concatenate([mesh.vertices, points]), POINT_SPACING_MM, seed)
    below, above = BOX_MARGIN_MM
    points = points[((points >= scan.corner - below) & (points < scan.end + above)).all(1)]
    observed = points[_observed(points, scan)]
    table = scan.points @ scan.plane[:3] + scan.plane[3] > 0
    if not len(observed) or not table.any():
        raise UserError(
            text("The mesh lies outside of what the scanner saw"),
            text("Export it in the frame of the input, in its own unit"),
        )
    accuracy = _mean_distance(observed, scan.points)
    completeness = _mean_distance(scan.points[table], points)
    return {
        "distance": (accuracy + completeness) / 2,
        "accuracy": accuracy,
        "completeness": completeness,
    }


def _observed(points: np.ndarray, scan: Scan) -> np.ndarray:
    """[N] bool: the scanner saw the place."""
    index = np.rint((points - scan.corner) / scan.spacing).astype(int)
    inside = ((index >= 0) & (index < scan.observed.shape)).all(1)
    found = np.zeros(len(points), bool)
    found[inside] = scan.observed[tuple(index[inside].T)]
    return found


def _mean_distance(points: np.ndarray, others: np.ndarray) -> float:
    """Mean distance of ``points`` to the nearest of ``others``, without outliers."""
    distance = np.asarray(KDTree(others).query(points, workers=-1)[0])
    near = distance[distance < MAX_DISTANCE_MM]
    return float(near.mean()) if len(near) else MAX_DISTANCE_MM


def thin_points(points: np.ndarray, radius: float, seed: int = 0) -> np.ndarray:
    """Thin ``points`` [N, 3] in random order.

    Those remain that are no closer than ``radius`` to one that was kept before.
    """
    check_shapes(points=(points, "N 3"))
    points = np.random.default_rng(seed).permutation(points)
    cell = np.floor((points - points.min(0)) / radius).astype(np.int64)
    size = cell.max(0) + 3  # empty cells all around
    keys = np.asarray(np.ravel_multi_index(tuple((cell + 1).T), tuple(size)))
    order = np.argsort(keys, kind="stable")
    kept = np.zeros(len(points), np.bool_)
    adjacent = np.array(
        [
            (i * size[1] + j) * size[2] + k
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            for k in (-1, 0, 1)
        ]
    )
    _thin(points, keys, order, keys[order], adjacent, radius**2, kept)
    return points[kept]


@njit(cache=True, nogil=True)
def _thin(
    points: np.ndarray,
    keys: np.ndarray,
    order: np.ndarray,
    sorted_keys: np.ndarray,
    adjacent: np.ndarray,
    squared: float,
    kept: np.ndarray,
) -> None:
    """Set ``kept`` [N]; ``order`` sorts the ``keys`` of cells, ``adjacent`` offsets them."""
    for p in range(len(points)):
        free = True
        for shift in adjacent:
            at = np.searchsorted(sorted_keys, keys[p] + shift)
            while free and at < len(order) and sorted_keys[at] == keys[p] + shift:
                q = order[at]
                at += 1
                if kept[q]:
                    d = 0.0
                    for axis in range(3):
                        d += (points[p, axis] - points[q, axis]) ** 2
                    free = d >= squared
            if not free:
                break
        kept[p] = free
