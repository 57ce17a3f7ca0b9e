"""Distances between a mesh and a reference surface.

Surfaces are compared point to surface (two 60k-point samples of one surface of radius 1 are 0.005
apart, which would hide the error), and only where the capture shows them: an underside that no
camera sees tells nothing about a reconstruction.
"""
# scipy and libigl and trimesh have no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

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
from core.base.shapes import check_shapes
from core.base.text import Text, text
from core.geometry.cameras import Intrinsics, project

OCCLUSION_TOLERANCE = 5e-4
"""of the surface's diagonal: a ray from a camera reaches a sample when it ends this close to it,
since flat facets hide a little of each other at grazing angles
"""
RELATIVE_THRESHOLDS = (0.005, 0.01, 0.02)
"""default thresholds of the F-score, as fractions of half the reference's diagonal"""


class Camera(Protocol):
    """A photo's camera in the frame of the surfaces, as `core.capture.scene.Photo` has it."""

    @property
    def intrinsics(self) -> Intrinsics:
        """The lens."""
        ...

    @property
    def world_from_camera(self) -> np.ndarray:
        """[4, 4] rigid, OpenCV axes."""
        ...


@dataclass(frozen=True)
class SurfaceReport:
    """Distances between a mesh and a reference, in the reference's units."""

    accuracy: float
    """mean distance of the mesh's samples to the reference"""
    completeness: float
    """mean distance of the reference's samples to the mesh"""
    thresholds: tuple[float, ...]
    """of the F-score"""
    precision: tuple[float, ...]
    """fraction of the mesh's samples within each threshold"""
    recall: tuple[float, ...]
    """fraction of the reference's samples within each threshold"""
    normal_error: float | None
    """mean angle, degrees, between normals of nearest points, both ways, regardless of sign; None
    where the reference is a point cloud"""
    n_mesh_samples: int
    """that counted"""
    n_reference_samples: int
    """that counted"""

    @property
    def distance(self) -> float:
        """Mean two-way distance (Chamfer, halved)."""
        return (self.accuracy + self.completeness) / 2

    @property
    def f_scores(self) -> tuple[float, ...]:
        """Harmonic means of precision and recall, one for each threshold."""
        return tuple(
            2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(self.precision, self.recall)
        )


def surface_distance(
    vertices: np.ndarray,
    faces: np.ndarray,
    reference_vertices: np.ndarray,
    reference_faces: np.ndarray,  # [G, 3]; G = 0: the reference is a point cloud
    cameras: Sequence[Camera] = (),
    *,
    thresholds: Sequence[float] | None = None,
    n_samples: int = 30_000,
    min_cameras: int = 2,
    seed: int = 0,
) -> SurfaceReport:
    """Compare a mesh with a reference by samples, point to surface.

    With ``cameras``, a sample counts only where enough of them see it, each surface occluding
    itself: samples of the reference are tested against the reference, samples of the mesh against
    the mesh. The points of a cloud count where they lie in the images, since a cloud occludes
    nothing.

    Args:
        vertices: [V, 3] of the mesh.
        faces: [F, 3] of the mesh.
        reference_vertices: [W, 3].
        reference_faces: [G, 3]; none for a point cloud.
        cameras: in the same frame; none: all samples count.
        n_samples: of each surface.
        min_cameras: that must see a sample.
        thresholds: of the F-score, lengths; None for `RELATIVE_THRESHOLDS`.
        seed: of the samples.

    Raises:
        ValueError: an array has a wrong shape.
        UserError: a surface is empty, or no camera sees it.
    """
    check_shapes(
        vertices=(vertices, "V 3"),
        faces=(faces, "F 3"),
        reference_vertices=(reference_vertices, "W 3"),
        reference_faces=(reference_faces, "G 3"),
    )
    mesh = _Surface(vertices, faces, text("the mesh"))
    reference = _Surface(reference_vertices, reference_faces, text("the reference"))
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
    """Read a mesh file (PLY, OBJ, GLB, STL, OFF), or a PLY of a point cloud.

    Returns:
        Vertices [V, 3] and faces [F, 3]; no faces for a point cloud.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        loaded = trimesh.load(path, process=False)
        if isinstance(loaded, trimesh.Scene):
            loaded = loaded.to_mesh()
        vertices = np.asarray(getattr(loaded, "vertices", ()), np.float64).reshape(-1, 3)
        faces = np.asarray(getattr(loaded, "faces", np.zeros((0, 3), np.int64)))
    except Exception as error:  # the many parsers behind it raise what they like
        raise UserError(
            text("{path} is not a readable mesh", path=path),
            text("Give a PLY, OBJ, GLB or STL file"),
        ) from error
    if not len(vertices):
        raise UserError(
            text("{path} has no surface", path=path), text("Give a PLY, OBJ, GLB or STL file")
        )
    return vertices, faces


def sample_surface(
    vertices: np.ndarray, faces: np.ndarray, n_samples: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Sample points uniformly by area.

    Returns:
        Points [n_samples, 3] float64, and the unit normals [n_samples, 3] of their faces.
    """
    check_shapes(vertices=(vertices, "V 3"), faces=(faces, "F 3"))
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

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, name: Text) -> None:
        self.name = name
        self.vertices = np.ascontiguousarray(vertices, np.float64).reshape(-1, 3)
        self.faces = np.ascontiguousarray(faces, np.int64).reshape(-1, 3)
        if not len(self.vertices) or not np.isfinite(self.vertices).all():
            raise UserError(
                text("{surface} is empty or not finite", surface=name),
                text("Choose another mesh to compare"),
            )
        self.diagonal = float(np.linalg.norm(np.ptp(self.vertices, axis=0)))
        if len(self.faces):
            self._tree = igl.AABB()
            self._tree.init(self.vertices, self.faces)
        else:
            self._cloud = KDTree(self.vertices)

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Find the nearest points of the surface.

        Returns:
            [N] distances of ``points`` [N, 3], and unit normals [N, 3] there; None for a cloud.
        """
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
        """Sample what at least ``min_cameras`` see; without cameras, everything.

        Returns:
            Points [N, 3], and unit normals [N, 3] there; None for a cloud.
        """
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
                    "No part of {surface} is seen by {min_cameras} cameras",
                    surface=self.name,
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
        """[N] bool: the point lies in the image and nothing of the surface is in front of it."""
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
    """Mean angle in degrees between unit vectors [N, 3], regardless of sign."""
    if one is None or other is None:
        return None
    cosine = np.abs((one * other).sum(1))
    return float(np.degrees(np.arccos(np.clip(cosine, 0, 1))).mean())
