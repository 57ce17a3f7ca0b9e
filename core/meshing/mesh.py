"""A triangle mesh as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Mesh:
    """``vertices`` [V, 3] float64; ``faces`` [F, 3] int32, counter-clockwise seen from outside;
    ``colors`` [V, 3] uint8 sRGB; ``normals`` [V, 3] float32, unit, outward."""

    vertices: np.ndarray
    faces: np.ndarray
    colors: np.ndarray | None = None
    normals: np.ndarray | None = None

    def transformed(self, similarity: np.ndarray) -> Mesh:
        """The mesh carried into another frame by a similarity [4, 4] (rotation, uniform scale,
        translation; a mirroring one turns the faces so that they still wind outward)."""
        linear = np.asarray(similarity, np.float64)[:3, :3]
        determinant = np.linalg.det(linear)
        rotation = linear / np.cbrt(abs(determinant))
        return replace(
            self,
            vertices=self.vertices @ linear.T + similarity[:3, 3],
            faces=self.faces if determinant > 0 else self.faces[:, ::-1].copy(),
            normals=None if self.normals is None else (
                self.normals @ rotation.T.astype(np.float32)
            ),
        )

    def face_normals(self) -> np.ndarray:
        """[F, 3] normals by the winding; their length is twice the face's area."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return np.cross(b - a, c - a)
