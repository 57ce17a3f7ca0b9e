"""How close a mesh comes to a reference surface.

Surfaces are compared point to surface (two 60k-point samples of one surface of radius 1 are 0.005
apart, which would drown what is measured), and only where the capture shows them: the underside
that no camera sees says nothing about a reconstruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import igl
import numpy as np
import trimesh
from scipy.spatial import KDTree

from core.base.errors import UserError
from core.base.text import text
from core.geometry.cameras import Intrinsics, project

# A ray from a camera has reached a sample when it ends this close to it, as a fraction of the
# surface's diagonal: surfaces are made of flat facets, which hide a little of each other at
# grazing angles.
OCCLUSION_TOLERANCE = 5e-4
# Thresholds of the F-score when none are named, as fractions of half the reference's diagonal.
RELATIVE_THRESHOLDS = (0.005, 0.01, 0.02)


class Camera(Protocol):
    """A photo's camera in the frame of the surfaces, as `core.capture.scene.Photo` has it:
    ``world_from_camera`` [4, 4] rigid, OpenCV axes."""

    @property
    def intrinsics(self) -> Intrinsics: ...

    @property
    def world_from_camera(self) -> np.ndarray: ...


@dataclass(frozen=True)
class SurfaceReport:
    """Distances in the units of the reference. ``accuracy``: mean distance of the mesh's samples
    to the reference; ``completeness``: of the reference's samples to the mesh; ``precision`` and
    ``recall``: the share of each within the threshold; ``normal_error``: mean angle, degrees, both
    ways, between normals where the surfaces are nearest, whichever way they point; None where the
    reference is a cloud; ``n_*_samples``: how many counted."""

    accuracy: float
    completeness: float
    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    normal_error: float | None
    n_mesh_samples: int
    n_reference_samples: int

    @property
    def distance(self) -> float:
        """Mean two-way distance (Chamfer, halved)."""
        return (self.accuracy + self.completeness) / 2

    @property
    def f_scores(self) -> tuple[float, ...]:
        return tuple(
            2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(self.precision, self.recall)
        )


def surface_distance(
    vertices: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
    reference_vertices: np.ndarray,  # [W, 3]
    reference_faces: np.ndarray,  # [G, 3]; G = 0: the reference is a point cloud
    cameras: Sequence[Camera] = (),
    *,
    thresholds: Sequence[float] | None = None,
    n_samples: int = 30_000,
    min_cameras: int = 2,
    seed: int = 0,
) -> SurfaceReport:
    """Two-way distance between a mesh and a reference in the same frame.

    ``n_samples`` points lie uniformly by area on each surface, and their exact distance to the
    other one is taken. With ``cameras``, a sample counts only where at least ``min_cameras`` of
    them see it, each surface hiding itself: samples of the reference are tested against the
    reference, samples of the mesh against the mesh. The points of a cloud count where they lie in
    the pictures, since a cloud hides nothing. ``thresholds`` of the F-score are lengths; None
    takes 0.5, 1 and 2 % of half the reference's diagonal.

    Raises UserError when either surface is empty or out of all cameras' sight.
    """
    mesh = _Surface(vertices, faces, "the mesh")
    reference = _Surface(reference_vertices, reference_faces, "the reference")
    if thresholds is None:
        thresholds = [reference.diagonal / 2 * fraction for fraction in RELATIVE_THRESHOLDS]
    mesh_samples, mesh_normals = mesh.seen_samples(n_samples, cameras, min_cameras, seed)
    reference_samples, reference_normals = reference.seen_samples(
        n_samples, cameras, min_cameras, seed + 1
    )
    to_reference, there = reference.nearest(mesh_samples)
    to_mesh, back = mesh.nearest(reference_samples)
    angles = [_angle(mesh_normals, there), _angle(reference_normals, back)]
    return SurfaceReport(
        accuracy=float(to_reference.mean()),
        completeness=float(to_mesh.mean()),
        thresholds=tuple(float(t) for t in thresholds),
        precision=tuple(float((to_reference <= t).mean()) for t in thresholds),
        recall=tuple(float((to_mesh <= t).mean()) for t in thresholds),
        normal_error=None if None in angles else float(np.mean(np.array(angles, float))),
        n_mesh_samples=len(mesh_samples),
        n_reference_samples=len(reference_samples),
    )


def read_surface(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] and faces [F, 3] of a mesh file (PLY, OBJ, GLB, STL, OFF), or no faces for a
    PLY that holds a point cloud. Raises UserError where it cannot be read."""
    try:
        loaded = trimesh.load(path, process=False)
        if isinstance(loaded, trimesh.Scene):
            loaded = loaded.to_mesh()
        vertices = np.asarray(getattr(loaded, "vertices", ()), np.float64).reshape(-1, 3)
        faces = np.asarray(getattr(loaded, "faces", np.zeros((0, 3), np.int64)))
    except Exception as error:  # the many parsers behind it raise what they like
        raise UserError(
            text("{path} cannot be read as a surface", path=path),
            text("Give a PLY, OBJ, GLB or STL file"),
        ) from error
    if not len(vertices):
        raise UserError(
            text("{path} holds no surface", path=path), text("Give a PLY, OBJ, GLB or STL file")
        )
    return vertices, faces


def sample_surface(
    vertices: np.ndarray, faces: np.ndarray, n_samples: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Points [n_samples, 3] float64, uniform by area on the triangles, and the unit normals
    [n_samples, 3] of theirs."""
    corners = np.asarray(vertices, np.float64)[faces]  # [F, 3, 3]
    edges = corners[:, 1:] - corners[:, :1]
    normals = np.cross(edges[:, 0], edges[:, 1])
    areas = np.linalg.norm(normals, axis=1)
    random = np.random.default_rng(seed)
    cumulative = np.cumsum(areas)
    chosen = np.searchsorted(cumulative, random.random(n_samples) * cumulative[-1], "right")
    chosen = np.minimum(chosen, len(areas) - 1)
    u = random.random((n_samples, 2))
    u = np.where(u.sum(1, keepdims=True) > 1, 1 - u, u)  # fold the square onto the triangle
    points = corners[chosen, 0] + (edges[chosen] * u[..., None]).sum(1)
    return points, normals[chosen] / np.maximum(areas[chosen], 1e-300)[:, None]


class _Surface:
    """A triangle mesh, or a point cloud where there are no faces, with its search tree."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, name: str) -> None:
        self.name = name
        self.vertices = np.ascontiguousarray(vertices, np.float64).reshape(-1, 3)
        self.faces = np.ascontiguousarray(faces, np.int64).reshape(-1, 3)
        if not len(self.vertices) or not np.isfinite(self.vertices).all():
            raise UserError(
                text("{name} is empty or not finite", name=name),
                text("Choose another mesh to compare"),
            )
        self.diagonal = float(np.linalg.norm(np.ptp(self.vertices, axis=0)))
        if len(self.faces):
            self._tree = igl.AABB()
            self._tree.init(self.vertices, self.faces)
        else:
            self._cloud = KDTree(self.vertices)

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """[N] distance of each point to the nearest point of the surface, and the unit normals
        [N, 3] there; None for a cloud."""
        if not len(self.faces):
            return np.asarray(self._cloud.query(points)[0]), None
        squared, face, _ = self._tree.squared_distance(self.vertices, self.faces, points)
        a, b, c = (self.vertices[self.faces[np.asarray(face), i]] for i in range(3))
        normals = np.cross(b - a, c - a)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
        return np.sqrt(np.maximum(squared, 0)), normals

    def seen_samples(
        self, n_samples: int, cameras: Sequence[Camera], min_cameras: int, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """[N, 3] samples that at least ``min_cameras`` see; all of them without cameras; and the
        unit normals [N, 3] there, None for a cloud."""
        if len(self.faces):
            samples, normals = sample_surface(self.vertices, self.faces, n_samples, seed)
        else:
            random = np.random.default_rng(seed)
            samples, normals = random.permutation(self.vertices)[:n_samples], None
        if not cameras:
            return samples, normals
        seen = self._seen_by(samples, normals, cameras, min_cameras) >= min_cameras
        if not seen.any():
            raise UserError(
                text(
                    "{name} is not seen by {min_cameras} cameras anywhere",
                    name=self.name,
                    min_cameras=min_cameras,
                ),
                text("Check that it lies in the frame of the cameras"),
            )
        return samples[seen], None if normals is None else normals[seen]

    def _seen_by(
        self,
        samples: np.ndarray,
        normals: np.ndarray | None,
        cameras: Sequence[Camera],
        enough: int,
    ) -> np.ndarray:
        """[N] number of cameras that see each sample, counted up to ``enough``."""
        count = np.zeros(len(samples), np.int32)
        # Most rays are spared by asking first the cameras that a sample faces, neighbouring
        # cameras far from each other.
        spread = np.argsort(np.arange(len(cameras)) * 0.6180339887 % 1)
        for facing in (True, False):
            for camera in (cameras[i] for i in spread):
                undecided = np.flatnonzero(count < enough)
                if normals is not None:
                    rays = camera.world_from_camera[:3, 3] - samples[undecided]
                    cosine = (rays * normals[undecided]).sum(1) / np.linalg.norm(rays, axis=1)
                    undecided = undecided[(cosine > 0.2) == facing]
                elif not facing:
                    continue
                count[undecided] += self._sees(camera, samples[undecided])
        return count

    def _sees(self, camera: Camera, points: np.ndarray) -> np.ndarray:
        """[N] bool: the point lies in the picture and nothing of the surface is before it."""
        rotation, center = camera.world_from_camera[:3, :3], camera.world_from_camera[:3, 3]
        uv = project(camera.intrinsics, (points - center) @ rotation)
        size = camera.intrinsics.width, camera.intrinsics.height
        seen = np.all((uv >= 0) & (uv < size), axis=1)  # NaN, behind the lens, is neither
        candidates = np.flatnonzero(seen)
        if len(self.faces) and len(candidates):
            rays = points[candidates] - center
            lengths = np.linalg.norm(rays, axis=1)
            _, t, _ = self._tree.intersect_ray_first(
                self.vertices, self.faces, np.tile(center, (len(rays), 1)), rays
            )  # t is in units of the unnormalised ray: 1 at the sample
            seen[candidates] = (1 - np.asarray(t)) * lengths < OCCLUSION_TOLERANCE * self.diagonal
        return seen


def _angle(one: np.ndarray | None, other: np.ndarray | None) -> float | None:
    """Mean angle in degrees between unit vectors [N, 3], whichever way they point."""
    if one is None or other is None:
        return None
    cosine = np.abs((one * other).sum(1))
    return float(np.degrees(np.arccos(np.clip(cosine, 0, 1))).mean())
