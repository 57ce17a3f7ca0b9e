"""Whether a dual method would cut a better mesh than marching cubes:
``python -m tests.benchmarks.dual [PROJECT…] [--cells 64]``.

Without a project: solids with sharp edges, whose surface is known exactly, turned so that none of
their faces lies across an axis. With projects: trained fields against themselves, cut four times as
fine, all without small parts. Distances are in thousandths of half the region's longest side; a
face is *folded* where it looks against the field.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from core.api import open_project
from core.base.errors import UserError
from core.base.jobs import run_task
from core.config.mesh import MeshOptions
from core.evaluation.surface_metrics import surface_distance
from core.geometry.scene_ball import Ball
from core.meshing.build import sdf_normals
from core.meshing.from_model import mesh_source
from core.meshing.mesh import Mesh
from core.meshing.repair.clean import clean, remove_small_parts, repair, validity_report
from core.meshing.simplify import simplify
from core.meshing.surface.extract import SdfFunction, extract
from core.meshing.surface.grid import Grid
from tests.benchmarks.dual_cells import crossings, dual_surface

TURN = Rotation.from_euler("xyz", [0.4, 0.7, 0.2]).as_matrix()
BOX = np.array([[-1.0] * 3, [1.0] * 3])
FINER = 4
STEPS = 2
"""of Newton, that move vertices of marching cubes to the surface"""


@dataclass(frozen=True)
class Case:
    """``references`` by name; ``over``: share of a cell over which normals are taken."""

    name: str
    sdf: SdfFunction
    aabb: np.ndarray
    ball: Ball | None
    references: dict[str, Mesh]
    over: tuple[float, ...]


class Counted:
    """A field that counts the points it was asked for."""

    def __init__(self, sdf: SdfFunction) -> None:
        self.n, self._sdf = 0, sdf

    def __call__(self, points: np.ndarray) -> np.ndarray:
        self.n += len(points)
        return np.asarray(self._sdf(points), np.float64).reshape(-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", type=Path, nargs="*")
    parser.add_argument("--cells", type=int, default=64)
    arguments = parser.parse_args()
    cases = (project(path, arguments.cells) for path in arguments.projects)
    for case in cases if arguments.projects else solids():
        print(f"\n{case.name}, {arguments.cells} cells\n", flush=True)
        table(case, arguments.cells)


def solids() -> Iterator[Case]:
    half = np.array([0.6, 0.45, 0.3])

    def cuboid(points: np.ndarray) -> np.ndarray:
        q = np.abs(points @ TURN) - half
        return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0)

    corners = np.array(list(np.ndindex(2, 2, 2))) * 2.0 - 1
    faces = np.array(
        [
            [0, 1, 3],
            [0, 3, 2],
            [4, 6, 7],
            [4, 7, 5],
            [0, 4, 5],
            [0, 5, 1],
            [2, 3, 7],
            [2, 7, 6],
            [0, 2, 6],
            [0, 6, 4],
            [1, 5, 7],
            [1, 7, 3],
        ]
    )
    exact = Mesh((corners * half) @ TURN.T, faces.astype(np.int32))
    yield Case("a box", cuboid, BOX, None, {"exact": exact}, (0.1,))
    yield turned("a cylinder", [[0.0, -0.5], [0.45, -0.5], [0.45, 0.5], [0.0, 0.5]])
    yield turned(
        "a pulley: discs united, less a bore and a groove",
        [
            [0.15, -0.45],
            [0.35, -0.45],
            [0.35, -0.2],
            [0.7, -0.2],
            [0.5, 0.0],
            [0.7, 0.2],
            [0.35, 0.2],
            [0.35, 0.45],
            [0.15, 0.45],
        ],
    )


def turned(name: str, corners: list[list[float]], sections: int = 720) -> Case:
    """The solid that the polygon of ``corners`` [N, 2], radius and height, makes about an axis."""
    start = np.array(corners)
    way = np.roll(start, -1, 0) - start
    length = (way**2).sum(1)

    def sdf(points: np.ndarray) -> np.ndarray:
        local = points @ TURN
        p = np.stack([np.linalg.norm(local[:, :2], axis=1), local[:, 2]], 1)
        squared, inside = np.full(len(p), np.inf), np.zeros(len(p), bool)
        for a, d, n in zip(start, way, length):
            on_axis = a[0] == 0 and d[0] == 0  # no surface, but what closes the polygon
            t = np.clip((p - a) @ d / n, 0, 1)
            if not on_axis:
                squared = np.minimum(squared, ((p - a - t[:, None] * d) ** 2).sum(1))
            between = (a[1] <= p[:, 1]) != (a[1] + d[1] <= p[:, 1])
            if d[1]:
                inside ^= between & (p[:, 0] < a[0] + (p[:, 1] - a[1]) * d[0] / d[1])
        return np.sqrt(squared) * np.where(inside, -1, 1)

    angle = np.linspace(0, 2 * np.pi, sections, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    rows = np.concatenate(
        [  # short ones: slivers are slow to search
            a + np.arange(k := int(np.ceil(np.linalg.norm(d) / 0.02)))[:, None] * d / k
            for a, d in zip(start, way)
        ]
    )
    vertices = np.concatenate(
        [np.concatenate([r * ring, np.full((sections, 1), z)], 1) for r, z in rows]
    )
    own = np.arange(sections)
    following = (own + 1) % sections
    faces = []
    for i in range(len(rows)):
        a, b = i * sections, (i + 1) % len(rows) * sections
        faces += [
            np.stack([a + own, a + following, b + following], 1),
            np.stack([a + own, b + following, b + own], 1),
        ]
    mesh = Mesh(vertices @ TURN.T, np.concatenate(faces).astype(np.int32))
    area = np.linalg.norm(mesh.face_normals(), axis=1) > 1e-12
    exact = Mesh(mesh.vertices, mesh.faces[area])
    return Case(name, sdf, BOX, None, {"exact": exact}, (0.1,))


def project(path: Path, cells: int) -> Case:
    trainer = open_project(path, "cpu", lambda event: None, "").trainer
    assert trainer is not None
    subject = mesh_source(trainer.model, trainer.scene, MeshOptions())
    fine = largest(run_task(extract(subject.sdf, subject.aabb, cells * FINER, ball=subject.ball)))
    return Case(str(path), subject.sdf, subject.aabb, subject.ball, {"itself": fine}, (0.1, 0.5))


def largest(mesh: Mesh) -> Mesh:
    return remove_small_parts(clean(mesh, 0.0), 0.02, np.ones(len(mesh.vertices), np.float32))[0]


def table(case: Case, cells: int) -> None:
    grid = Grid(np.asarray(case.aabb, np.float64), cells)
    sdf = Counted(case.sdf)
    print(
        "| mesh | faces | points asked, thousands | seconds | "
        + " | ".join(f"distance to {name} | normals off" for name in case.references)
        + " | manifold | open edges | folded faces |"
    )
    print("|---" * (7 + 2 * len(case.references)) + "|")

    def row(name: str, make: Callable[[], Mesh]) -> Mesh:
        sdf.n, began = 0, time.perf_counter()
        try:
            mesh = make()
        except UserError as error:
            print(f"| {name} | {error.what} |", flush=True)
            return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
        seconds, asked = time.perf_counter() - began, sdf.n
        cells = [f"{len(mesh.faces):,}", f"{asked / 1000:,.0f}", f"{seconds:.1f}"]
        print(f"| {name} | {' | '.join(cells + measured(case, mesh, grid.cell))} |", flush=True)
        return mesh

    def cut(finer: int = 1) -> Mesh:
        mesh = run_task(extract(sdf, case.aabb, cells * finer, ball=case.ball))
        return Mesh(np.array(mesh.vertices), np.array(mesh.faces))

    def fewer(mesh: Mesh, n: int) -> Mesh:
        return run_task(simplify(repair(largest(mesh))[0], n))

    cubes = row("marching cubes", cut)
    row("… its crossings found exactly", lambda: Mesh(crossings(cubes, sdf, grid), cubes.faces))
    row("… moved along the gradient", lambda: moved(cubes, sdf, grid.cell * case.over[0]))
    row(
        "dual contouring, a vertex per cell",
        lambda: dual_surface(cubes, sdf, grid, grid.cell * case.over[0], per_patch=False),
    )
    duals = [
        row(
            f"dual marching cubes, normals over {over:g} cells",
            lambda over=over: dual_surface(cubes, sdf, grid, grid.cell * over),
        )
        for over in case.over
    ]
    row("marching cubes of twice the cells, simplified", lambda: fewer(cut(2), len(cubes.faces)))
    few = len(cubes.faces) // 8
    row("an eighth: marching cubes, simplified", lambda: fewer(cubes, few))
    row("an eighth: the best dual, simplified", lambda: fewer(duals[-1], few))
    row("an eighth: twice the cells, simplified", lambda: fewer(cut(2), few))


def moved(cubes: Mesh, sdf: SdfFunction, epsilon: float) -> Mesh:
    points = cubes.vertices
    for _ in range(STEPS):
        here = points.astype(np.float32)
        points = points - np.asarray(sdf(here)).reshape(-1, 1) * sdf_normals(sdf, here, epsilon)
    return Mesh(points, cubes.faces)


def measured(case: Case, mesh: Mesh, cell: float) -> list[str]:
    """What the table says of ``mesh`` after its cost."""
    unit = np.ptp(case.aabb, axis=0).max() / 2000
    told, mesh = [], largest(mesh)
    for reference in case.references.values():
        found = surface_distance(
            mesh.vertices, mesh.faces, reference.vertices, reference.faces, n_samples=50_000
        )
        told += [f"{found.distance / unit:.3f}", f"{found.normal_error:.2f}°"]
    sound = validity_report(mesh)
    whole = sound["edge_manifold"] and sound["vertex_manifold"]
    middle = mesh.vertices[mesh.faces].mean(1).astype(np.float32)
    against = (mesh.face_normals() * sdf_normals(case.sdf, middle, cell / 4)).sum(1) < 0
    return [*told, "yes" if whole else "no", str(sound["open_edges"]), f"{against.sum():,}"]


if __name__ == "__main__":
    main()
