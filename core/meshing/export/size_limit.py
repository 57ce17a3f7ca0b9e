"""Meshes whose GLB keeps to a size limit, by fewer faces and smaller textures."""

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
"""tried one after the other before textures are halved"""
MIN_FACES = 100
"""with fewer, nothing is left to see"""
BYTES_PER_FACE, BYTES_PER_TEXTURED_FACE = 28, 56
"""Three indices, and half a vertex with normal and colour; with a texture also uvs, a tangent and
the duplicated vertices of seams, measured on vase and owl.
"""

HEADER_BYTES = 2000
"""of a GLB's header and JSON"""


def max_faces(options: MeshOptions) -> int | None:
    """Number of faces that fit into the limit of ``options``, half of which goes to textures.

    None without a limit.
    """
    if options.max_bytes is None:
        return None
    fraction, each = (0.5, BYTES_PER_TEXTURED_FACE) if options.texture else (1.0, BYTES_PER_FACE)
    return max(MIN_FACES, int((options.max_bytes - HEADER_BYTES) * fraction / each))


def finish_within_size(
    source: MeshSource, options: MeshOptions
) -> Task[tuple[FinishedMesh, int | None]]:
    """Finish a mesh whose finest level fits into ``options.max_bytes`` as a GLB.

    The notes state what was reduced.

    Returns:
        The mesh, and the quality of its JPEG textures (None: PNG).

    Raises:
        UserError: as `finish_mesh` does, and where not even `MIN_FACES` faces fit.
    """
    limit, fitting = options.max_bytes, max_faces(options)
    if limit is None or fitting is None:
        return (yield from finish_mesh(source, options)), None
    asked = options.faces or (TEXTURED_FACES if options.texture else None)
    faces = fitting if asked is None else min(asked, fitting)
    while True:
        done = yield from subtask(finish_mesh(source, replace(options, faces=faces)), 0.0, 0.95)
        finest = done.lods[0]
        if not len(finest.faces):
            return done, None
        fitted = yield from run_in_thread(
            lambda finest=finest: _fit_textures(finest, limit),
            Progress(0.95, text("reducing the file size")),
        )
        if fitted is not None:
            mesh, jpeg = fitted
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
    """Shrink the textures of ``mesh`` as far as needed; returns also the JPEG quality.

    None where they cannot be shrunk enough.
    """
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
    """``mesh`` with ever smaller textures.

    The normal map, which JPEG would spoil, is halved first.
    """
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


def _can_be_halved(image: np.ndarray) -> bool:
    """Whether a square image is large enough."""
    return len(image) >= 2 * MIN_TEXTURE_SIZE and len(image) % 2 == 0


def _limit_textures(mesh: Mesh, than: Mesh) -> Mesh:
    """Halve the textures of ``mesh`` that are larger than those of the finer level ``than``."""
    return next(
        (
            m
            for m in _smaller_textures(mesh)
            if all(
                image is None or limit is None or len(image) <= len(limit)
                for image, limit in ((m.texture, than.texture), (m.normal_map, than.normal_map))
            )
        ),
        mesh,
    )


def _note(mesh: Mesh, jpeg: int | None, limit: int) -> Text:
    """What was reduced to fit into the limit."""
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
    """Halve a normal map; its normals stay unit."""
    normals = _average_2x2(normal_map.astype(np.float32) / 127.5 - 1)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    return _to_uint8((normals + 1) * 127.5)


def _average_2x2(image: np.ndarray) -> np.ndarray:
    """[S / 2, S / 2, C] of [S, S, C]."""
    half, channels = len(image) // 2, image.shape[2]
    return image.reshape(half, 2, half, 2, channels).mean((1, 3))


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.round(image).clip(0, 255).astype(np.uint8)
