"""A triangle mesh as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from core.meshing.spill_array import map_chunks


@dataclass(frozen=True)
class Mesh:
    """``vertices`` [V, 3] float64; ``faces`` [F, 3] int32, counter-clockwise seen from outside;
    ``colors`` [V, 3] uint8 sRGB; ``normals`` [V, 3] float32, unit, outward.

    ``uvs`` [V, 2] float32: (0, 0) is the lower left corner of ``texture`` [S, S, 3] uint8 sRGB,
    whose first row is its top; vertices on seams stand there once for each chart. ``normal_map``
    [S, S, 3] uint8: normals in the frame of ``tangents`` [V, 4] float32, unit and a sign, as glTF
    has them.
    """

    vertices: np.ndarray
    faces: np.ndarray
    colors: np.ndarray | None = None
    normals: np.ndarray | None = None
    uvs: np.ndarray | None = None
    texture: np.ndarray | None = None
    normal_map: np.ndarray | None = None
    tangents: np.ndarray | None = None

    def transformed(self, similarity: np.ndarray) -> Mesh:
        """The mesh carried into another frame by a similarity [4, 4] (rotation, uniform scale,
        translation; a mirroring one turns the faces so that they still wind outward)."""
        linear, shift = np.asarray(similarity, np.float64)[:3, :3], similarity[:3, 3]
        determinant = np.linalg.det(linear)
        rotation = (linear / np.cbrt(abs(determinant))).astype(np.float32)
        tangents = self.tangents
        if tangents is not None:
            sign = tangents[:, 3:] * np.float32(np.sign(determinant))
            tangents = np.concatenate([tangents[:, :3] @ rotation.T, sign], 1)
        return replace(
            self,
            vertices=map_chunks(lambda v: v @ linear.T + shift, self.vertices),
            faces=self.faces if determinant > 0 else map_chunks(lambda f: f[:, ::-1], self.faces),
            normals=None
            if self.normals is None
            else map_chunks(lambda n: n @ rotation.T, self.normals),
            tangents=tangents,
        )

    def face_normals(self) -> np.ndarray:
        """[F, 3] normals by the winding; their length is twice the face's area."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return np.cross(b - a, c - a)

    def reindexed(self, chosen: np.ndarray, faces: np.ndarray) -> Mesh:
        """The mesh of ``faces`` [G, 3], numbered in ``chosen`` [W], vertices of this one."""

        def of(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else map_chunks(lambda some: values[some], chosen)

        return replace(
            self,
            vertices=map_chunks(lambda some: self.vertices[some], chosen),
            faces=faces.astype(np.int32, copy=False),
            colors=of(self.colors),
            normals=of(self.normals),
            uvs=of(self.uvs),
            tangents=of(self.tangents),
        )


@njit(cache=True, nogil=True)
def face_normal(vertices, a, b, c):
    """x, y, z of the normal of the face of three vertices; its length is twice the area."""
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
