"""A triangle mesh as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from core.base.shapes import check_shapes
from core.meshing.spill_array import map_chunks


@dataclass(frozen=True)
class Mesh:
    """Arrays of a triangle mesh; those that are None are not there."""

    vertices: np.ndarray
    """[V, 3] float64"""
    faces: np.ndarray
    """[F, 3] int32, counter-clockwise seen from outside"""
    colors: np.ndarray | None = None
    """[V, 3] uint8 sRGB"""
    normals: np.ndarray | None = None
    """[V, 3] float32, unit, outward"""
    uvs: np.ndarray | None = None
    """[V, 2] float32: (0, 0) is the lower left corner of ``texture``; vertices on seams occur once
    per chart"""
    texture: np.ndarray | None = None
    """[S, S, 3] uint8 sRGB; the first row is its top"""
    normal_map: np.ndarray | None = None
    """[S, S, 3] uint8: normals in the tangent frame, as glTF has them"""
    tangents: np.ndarray | None = None
    """[V, 4] float32: unit tangents and the sign of the bitangent, as glTF has them"""

    def __post_init__(self) -> None:
        check_shapes(vertices=(self.vertices, "V 3"), faces=(self.faces, "F 3"))
        n_vertices = len(self.vertices)
        for name, width in (("colors", 3), ("normals", 3), ("uvs", 2), ("tangents", 4)):
            rows = getattr(self, name)
            if rows is not None:
                check_shapes(**{name: (rows, f"{n_vertices} {width}")})

    def transformed(self, similarity: np.ndarray) -> Mesh:
        """Transform the mesh by a similarity.

        Args:
            similarity: [4, 4] rotation, uniform scale and translation. A mirroring one reverses the
                faces, so that they still wind outward.
        """
        check_shapes(similarity=(similarity, "4 4"))
        linear, shift = np.asarray(similarity, np.float64)[:3, :3], similarity[:3, 3]
        determinant = np.linalg.det(linear)
        rotation = (linear / np.cbrt(abs(determinant))).astype(np.float32)
        tangents = self.tangents
        if tangents is not None:
            sign = tangents[:, 3:] * np.float32(np.sign(determinant))
            tangents = np.concatenate([tangents[:, :3] @ rotation.T, sign], 1)
        return replace(
            self,
            vertices=map_chunks(lambda rows: rows @ linear.T + shift, self.vertices),
            faces=self.faces
            if determinant > 0
            else map_chunks(lambda rows: rows[:, ::-1], self.faces),
            normals=None
            if self.normals is None
            else map_chunks(lambda rows: rows @ rotation.T, self.normals),
            tangents=tangents,
        )

    def face_normals(self) -> np.ndarray:
        """[F, 3] normals by the winding; their length is twice the face's area."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return np.cross(b - a, c - a)

    def reindexed(self, chosen: np.ndarray, faces: np.ndarray) -> Mesh:
        """Return the mesh of ``faces`` with the chosen vertices and their attributes.

        Args:
            chosen: [W] indices of vertices of this mesh.
            faces: [G, 3] indices into ``chosen``.
        """

        def of(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else map_chunks(lambda indices: values[indices], chosen)

        return replace(
            self,
            vertices=map_chunks(lambda indices: self.vertices[indices], chosen),
            faces=faces.astype(np.int32, copy=False),
            colors=of(self.colors),
            normals=of(self.normals),
            uvs=of(self.uvs),
            tangents=of(self.tangents),
        )


@njit(cache=True, nogil=True)
def face_normal(
    vertices: np.ndarray, a: int, b: int, c: int
) -> tuple[np.float64, np.float64, np.float64]:
    """The normal (x, y, z) of the face of three vertices; its length is twice the area."""
    ux, uy, uz = (
        vertices[b, 0] - vertices[a, 0],
        vertices[b, 1] - vertices[a, 1],
        vertices[b, 2] - vertices[a, 2],
    )
    vx, vy, vz = (
        vertices[c, 0] - vertices[a, 0],
        vertices[c, 1] - vertices[a, 1],
        vertices[c, 2] - vertices[a, 2],
    )
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
