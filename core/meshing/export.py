"""Mesh files: OBJ, PLY, GLB, STL and USDZ.

Vertices are written in the frame they are given in, axes included: a GLB is not turned Y-up,
so that every format lies in the frame and scale of the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import trimesh
from trimesh.exchange.ply import export_ply
from trimesh.exchange.stl import export_stl

from core.config import MeshFormat
from core.errors import UserError
from core.files import write_atomically
from core.meshing.gltf import encode_glb, encode_picture
from core.meshing.mesh import Mesh
from core.meshing.usd import encode_usdz, require_usd
from core.tasks import Progress, Task, in_background, run

FORMATS: tuple[str, ...] = get_args(MeshFormat)
LINES = 1 << 14
"""of an OBJ formatted at once; Python runs no other thread meanwhile"""


@dataclass(frozen=True)
class Stated:
    """What some formats state of the frame: its ``up`` axis and how many metres one unit is;
    ``jpeg``: quality of a GLB's texture, None for PNG."""

    up: str = "Z"
    metres_per_unit: float = 1.0
    jpeg: int | None = None


AS_IS = Stated()


def write_mesh(mesh: Mesh, path: Path, format: str | None = None) -> int:
    """`writing_mesh`, all at once."""
    return run(writing_mesh(mesh, path, format))


def writing_mesh(
    mesh: Mesh, path: Path, format: str | None = None, stated: Stated = AS_IS
) -> Task[int]:
    """Write ``mesh`` to ``path`` (``format`` None: by its suffix); returns the bytes written.

    All but STL, which is geometry alone, carry normals and colours or the texture: inside GLB and
    USDZ, beside OBJ (with its MTL) and PLY as a PNG of the same name. Each file appears complete or
    not at all. Raises UserError for an empty mesh, an unknown format, or a place that cannot be
    written.
    """
    path = Path(path)
    format = checked(path, format)
    if not len(mesh.faces):
        raise UserError(
            f"{path}: the mesh is empty, there is no surface in the region yet",
            "Train longer, or enlarge the region",
        )
    files = yield from in_background(
        lambda: _encode(mesh, path, format, stated), Progress(1.0, f"writing {path.name}")
    )
    for file, data in files.items():
        write_atomically(file, data, "the mesh")
    return sum(map(len, files.values()))


def writing_lods(lods: Sequence[Mesh], path: Path, stated: Stated = AS_IS) -> Task[int]:
    """All levels in one GLB at ``path``; returns its bytes."""
    data = yield from in_background(
        lambda: encode_glb(lods, stated.jpeg), Progress(1.0, f"writing {path.name}")
    )
    write_atomically(path, data, "the mesh")
    return len(data)


def checked(path: Path, format: str | None) -> str:
    """The format that ``path`` will have. Raises UserError where there is none such, or what it
    takes to write it is not installed."""
    format = (format or path.suffix.lstrip(".")).lower()
    if format not in FORMATS:
        raise UserError(f"{path}: unknown mesh format", f"Choose one of {', '.join(FORMATS)}")
    if format == "usdz":
        require_usd(path)
    return format


def _encode(mesh: Mesh, path: Path, format: str, stated: Stated) -> dict[Path, bytes]:
    """The files' bytes, what others refer to first."""
    if format == "glb":
        return {path: encode_glb([mesh], stated.jpeg)}
    if format == "usdz":
        return {path: encode_usdz(mesh, stated.up, stated.metres_per_unit)}
    shape = trimesh.Trimesh(
        mesh.vertices, mesh.faces, vertex_normals=mesh.normals, process=False,
        vertex_colors=mesh.colors if mesh.texture is None else None,
    )
    if format == "stl":
        return {path: export_stl(shape)}
    beside = _pictures(mesh, path)
    names = [file.name for file in beside]
    if format == "obj":
        if names:
            beside[path.with_suffix(".mtl")] = _mtl(names)
        return beside | {path: _obj(mesh, path.with_suffix(".mtl").name if names else None)}
    return beside | {path: _ply(mesh, shape, names)}


def _pictures(mesh: Mesh, path: Path) -> dict[Path, bytes]:
    files = {}
    if mesh.texture is not None:
        files[path.with_suffix(".png")] = encode_picture(mesh.texture)
        if mesh.normal_map is not None:
            files[path.with_name(f"{path.stem}_normals.png")] = encode_picture(mesh.normal_map)
    return files


def _mtl(pictures: list[str]) -> bytes:
    lines = ["newmtl surface", "Ka 0 0 0", "Kd 1 1 1", "Ks 0 0 0", "illum 1",
             f"map_Kd {pictures[0]}", *(f"norm {name}" for name in pictures[1:])]
    return ("\n".join(lines) + "\n").encode()


def _obj(mesh: Mesh, material: str | None) -> bytes:
    """Colours stand behind the positions, as MeshLab and Blender read them."""
    vertices = mesh.vertices
    head = []
    if material is not None:
        head = [f"mtllib {material}\nusemtl surface\n".encode()]
    elif mesh.colors is not None:
        vertices = np.concatenate([vertices, mesh.colors / 255], 1)
    parts = head + _lines("v" + " %.8f" * vertices.shape[1], vertices)
    corner = " %d"
    if material is not None and mesh.uvs is not None:
        parts += _lines("vt %.7f %.7f", mesh.uvs)
        corner = " %d/%d"
    if mesh.normals is not None:
        parts += _lines("vn %.6f %.6f %.6f", mesh.normals)
        corner = " %d/%d/%d" if "/" in corner else " %d//%d"
    parts += _lines("f" + 3 * corner, np.repeat(mesh.faces + 1, corner.count("%"), axis=1))
    return b"".join(parts)


def _lines(form: str, rows: np.ndarray) -> list[bytes]:
    """A line of the ``form`` for each of ``rows`` [N, C], in pieces of `LINES`."""
    pieces = [rows[i : i + LINES] for i in range(0, len(rows), LINES)]
    form += "\n"
    return [(form * len(piece) % tuple(piece.ravel().tolist())).encode() for piece in pieces]


def _ply(mesh: Mesh, shape: trimesh.Trimesh, pictures: list[str]) -> bytes:
    """With a texture, s and t at each vertex and its name in a comment, as MeshLab reads them."""
    if pictures and mesh.uvs is not None:
        shape.vertex_attributes["s"] = mesh.uvs[:, 0].astype(np.float32)
        shape.vertex_attributes["t"] = mesh.uvs[:, 1].astype(np.float32)
    data = export_ply(shape, encoding="binary", vertex_normal=mesh.normals is not None)
    if not pictures:
        return data
    first = data.index(b"\n", data.index(b"format")) + 1
    return data[:first] + f"comment TextureFile {pictures[0]}\n".encode() + data[first:]
