"""A mesh whose GLB keeps to a limit of its size: fewer faces, pictures compressed and halved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Task, run_in_thread, subtask
from core.base.text import Text, join, text
from core.config.mesh import TEXTURED_FACES, MeshOptions
from core.meshing.export.gltf import encode_image, glb_pieces
from core.meshing.mesh import Mesh
from core.meshing.pipeline import MIN_TEXTURE_SIZE, FinishedMesh, MeshSource, finish_mesh

JPEG_QUALITIES = (92, 85, 75, 65)
"""tried one after the other before pictures are halved"""
MIN_FACES = 100
"""faces, below which there is nothing left to see"""
BYTES_PER_FACE, BYTES_PER_TEXTURED_FACE = 28, 56
"""Three indices, and half a vertex with normal and colour; with uvs, a tangent and the doubled
vertices of seams measured on vase and owl."""

HEADER_BYTES = 2000
"""bytes that tell what the others are"""


def max_faces(options: MeshOptions) -> int | None:
    """That a mesh may have for its limit: with pictures half of it is theirs. None: no limit."""
    if options.max_bytes is None:
        return None
    share, each = (0.5, BYTES_PER_TEXTURED_FACE) if options.texture else (1.0, BYTES_PER_FACE)
    return max(MIN_FACES, int((options.max_bytes - HEADER_BYTES) * share / each))


def finish_within_size(
    source: MeshSource, options: MeshOptions
) -> Task[tuple[FinishedMesh, int | None]]:
    """`finish_mesh`, and the quality of JPEG textures (None: PNG) at which a GLB of the finest mesh
    has at most ``max_bytes`` of ``options``. The notes say what that cost. Raises UserError as
    `finish_mesh` does, and where not even `MIN_FACES` faces fit."""
    limit, most = options.max_bytes, max_faces(options)
    if limit is None or most is None:
        return (yield from finish_mesh(source, options)), None
    asked = options.faces or (TEXTURED_FACES if options.texture else None)
    faces = most if asked is None else min(asked, most)
    while True:
        done = yield from subtask(finish_mesh(source, replace(options, faces=faces)), 0.0, 0.95)
        finest = done.lods[0]
        if not len(finest.faces):
            return done, None
        found = yield from run_in_thread(
            lambda finest=finest: _fit_textures(finest, limit),
            Progress(0.95, text("fitting the file")),
        )
        if found is not None:
            mesh, jpeg = found
            lods = [mesh, *(_limit_textures(lod, mesh) for lod in done.lods[1:])]
            fewer = "simplified" in done.steps and (asked is None or faces < asked)
            if fewer or jpeg or mesh is not finest:
                done = replace(done, notes=(*done.notes, _note(mesh, jpeg, limit)))
            return replace(done, lods=lods), jpeg
        if faces <= MIN_FACES:
            raise UserError(
                text("The mesh does not fit into {limit:.3g} MB", limit=limit / 1e6),
                text("Allow more bytes"),
            )
        faces = max(MIN_FACES, min(faces, len(finest.faces)) // 2)


def _fit_textures(mesh: Mesh, limit: int) -> tuple[Mesh, int | None] | None:
    """``mesh``, its pictures as small as they must be, and the quality of its texture."""
    if mesh.texture is None:
        return (mesh, None) if sum(map(len, glb_pieces([mesh]))) <= limit else None
    dot = np.zeros((1, 1, 3), np.uint8)
    bare = replace(mesh, texture=dot, normal_map=None if mesh.normal_map is None else dot)
    room = limit - sum(map(len, glb_pieces([bare])))
    for smaller in _smaller_textures(mesh):
        normal_map = smaller.normal_map
        left = room - (0 if normal_map is None else len(encode_image(normal_map)))
        texture, whole = smaller.texture, smaller.texture is mesh.texture
        assert texture is not None
        for jpeg in (None, *JPEG_QUALITIES) if whole else JPEG_QUALITIES:
            if left > 0 and len(encode_image(texture, jpeg)) <= left:
                return smaller, jpeg
    return None


def _smaller_textures(mesh: Mesh) -> Iterator[Mesh]:
    """``mesh`` with ever smaller pictures: the normal_map, which no JPEG shows well, goes first."""
    yield mesh
    while True:
        assert mesh.texture is not None
        texture, normal_map = mesh.texture, mesh.normal_map
        if (
            normal_map is not None
            and len(normal_map) >= len(texture)
            and _can_be_halved(normal_map)
        ):
            mesh = replace(mesh, normal_map=_halve_normal_map(normal_map))
        elif _can_be_halved(texture):
            mesh = replace(mesh, texture=_to_uint8(_average_2x2(texture.astype(np.float32))))
        else:
            return
        yield mesh


def _can_be_halved(picture: np.ndarray) -> bool:
    return len(picture) >= 2 * MIN_TEXTURE_SIZE and len(picture) % 2 == 0


def _limit_textures(mesh: Mesh, than: Mesh) -> Mesh:
    """``mesh``, the pictures halved that are larger than those of the level before."""
    return next(
        (
            m
            for m in _smaller_textures(mesh)
            if all(
                one is None or other is None or len(one) <= len(other)
                for one, other in ((m.texture, than.texture), (m.normal_map, than.normal_map))
            )
        ),
        mesh,
    )


def _note(mesh: Mesh, jpeg: int | None, limit: int) -> Text:
    parts = [text("{n:,} faces", n=len(mesh.faces))]
    if mesh.texture is not None:
        size = len(mesh.texture)
        parts.append(
            text("texture of {size} texels a side (JPEG {quality})", size=size, quality=jpeg)
            if jpeg
            else text("texture of {size} texels a side", size=size)
        )
    if mesh.normal_map is not None:
        parts.append(text("normal map of {size}", size=len(mesh.normal_map)))
    return text("To fit into {limit:.3g} MB: {parts}", limit=limit / 1e6, parts=join(", ", parts))


def _halve_normal_map(normal_map: np.ndarray) -> np.ndarray:
    normals = _average_2x2(normal_map.astype(np.float32) / 127.5 - 1)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    return _to_uint8((normals + 1) * 127.5)


def _average_2x2(picture: np.ndarray) -> np.ndarray:
    """[S / 2, S / 2, C] of [S, S, C]."""
    half, channels = len(picture) // 2, picture.shape[2]
    return picture.reshape(half, 2, half, 2, channels).mean((1, 3))


def _to_uint8(picture: np.ndarray) -> np.ndarray:
    return np.round(picture).clip(0, 255).astype(np.uint8)
