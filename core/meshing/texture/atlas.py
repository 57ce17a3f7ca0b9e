"""A UV atlas of a mesh, and the positions of its texels on the surface.

Charts and packing are xatlas's. Its charts grow slower the larger the mesh is (20k faces 4 s, 200k
over 100 s), so it is given pieces of neighbouring faces: 100k then take 14 s.
"""
# xatlas has no type stubs
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.base.jobs import Task
from core.base.subprocess_call import run_in_subprocess
from core.base.text import text
from core.meshing.mesh import Mesh
from core.rendering.raster import rasterize_parallel

MAX_PIECE_FACES = 5000
"""faces of a piece"""
PADDING_TEXELS = 4
"""between charts"""
FACES_PER_S = 6000
"""that are unwrapped, for progress"""


def unwrap(mesh: Mesh, size: int) -> Task[Mesh]:
    """Give ``mesh`` ``uvs`` for a square texture of ``size`` texels a side.

    Vertices on seams are duplicated.
    """
    source, faces, uvs = yield from run_in_subprocess(
        compute_atlas,
        mesh.vertices,
        mesh.faces,
        size,
        detail=text("unwrapping"),
        expected_s=2 + len(mesh.faces) / FACES_PER_S,
    )
    return replace(mesh.reindexed(source, faces), uvs=uvs)


def compute_atlas(
    vertices: np.ndarray, faces: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unwrap a mesh with xatlas.

    Returns:
        For each vertex of the atlas its vertex of the mesh [W], faces [F, 3] in the mesh's order,
        and uvs [W, 2] float32, v up.
    """
    import xatlas

    atlas, pieces = xatlas.Atlas(), _pieces(vertices[faces].mean(1))
    scale = 1 / np.ptp(vertices, 0).max()  # xatlas takes what is small for degenerate
    origins: list[np.ndarray] = []
    for piece in pieces:
        origin, local = np.unique(faces[piece], return_inverse=True)
        origins.append(origin)
        points = (vertices[origin] - vertices.mean(0)) * scale
        atlas.add_mesh(points.astype(np.float32), local.reshape(-1, 3).astype(np.uint32))
    packing = xatlas.PackOptions()
    packing.resolution, packing.padding, packing.bilinear = size, PADDING_TEXELS, True
    atlas.generate(xatlas.ChartOptions(), packing)
    out_faces = np.empty((len(faces), 3), np.int32)
    sources: list[np.ndarray] = []
    uvs: list[np.ndarray] = []
    count = 0
    side = max(atlas.width, atlas.height)
    for number, (piece, origin) in enumerate(zip(pieces, origins)):
        source, local, uv = atlas.get_mesh(number)
        out_faces[piece] = local + count
        sources.append(origin[source])
        uvs.append(np.asarray(uv) * [atlas.width / side, atlas.height / side])
        count += len(source)
    flat = np.concatenate(uvs)
    flat[:, 1] = 1 - flat[:, 1]
    return np.concatenate(sources), out_faces, flat.astype(np.float32)


def _pieces(centers: np.ndarray) -> list[np.ndarray]:
    """Divide faces with these ``centers`` [F, 3] into pieces of at most `MAX_PIECE_FACES`."""
    done: list[np.ndarray] = []
    todo = [np.arange(len(centers))]
    while todo:
        piece = todo.pop()
        if len(piece) <= MAX_PIECE_FACES:
            done.append(piece)
            continue
        axis = np.ptp(centers[piece], 0).argmax()
        order = piece[np.argsort(centers[piece, axis], kind="stable")]
        todo += [order[: len(order) // 2], order[len(order) // 2 :]]
    return done


@dataclass(frozen=True)
class Texels:
    """The texels that lie on the surface, ordered by face."""

    size: int
    """of the texture, texels a side"""
    where: np.ndarray
    """[T] int64 number in the texture, row by row"""
    weights: np.ndarray
    """[T, 3] float32 barycentric coordinates"""
    face: np.ndarray
    """[T] the face that each lies on"""

    def of_faces(self, chosen: np.ndarray) -> np.ndarray:
        """Indices of the texels on the ``chosen`` faces, [F] bool."""
        return np.flatnonzero(chosen[self.face])

    def interpolate(self, faces: np.ndarray, values: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Interpolate values at the vertices [V, ...] to the texels ``which`` [N]; [N, ...]."""
        corners = faces[self.face[which]]
        w = self.weights[which].astype(values.dtype)
        if values.ndim > 1:
            w = w[:, :, None]
        first, second, third = (w[:, i] * values[corners[:, i]] for i in range(3))
        return first + second + third


def rasterize_texels(mesh: Mesh, size: int) -> Texels:
    """Find the texels of a texture of ``size`` a side on ``mesh``, which has uvs."""
    assert mesh.uvs is not None
    pixels = np.stack([mesh.uvs[:, 0], 1 - mesh.uvs[:, 1]], 1).astype(np.float64) * size
    raster = rasterize_parallel(pixels, np.zeros(len(pixels)), mesh.faces, size, size)
    where = np.flatnonzero(raster.face_id >= 0)
    face = raster.face_id.reshape(-1)[where]
    order = np.argsort(face, kind="stable")
    where, face = where[order], face[order]
    second = raster.barycentric.reshape(-1, 2)[where]
    weights = np.concatenate([1 - second.sum(1, keepdims=True), second], 1)
    return Texels(size, where, weights, face)
