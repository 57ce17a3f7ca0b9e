"""Mesh files: OBJ, PLY, GLB and STL.

Vertices are written in the frame they are given in, axes included: a GLB is not turned Y-up,
so that every format lies in the frame and scale of the input.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from trimesh.exchange.gltf import export_glb
from trimesh.exchange.ply import export_ply
from trimesh.exchange.stl import export_stl

from core.errors import UserError
from core.files import write_atomically
from core.meshing.mesh import Mesh
from core.tasks import Progress, Task, in_background, run

FORMATS = ("obj", "ply", "glb", "stl")
LINES = 1 << 14
"""of an OBJ formatted at once; Python runs no other thread meanwhile"""


def write_mesh(mesh: Mesh, path: Path, format: str | None = None) -> int:
    """`writing_mesh`, all at once."""
    return run(writing_mesh(mesh, path, format))


def writing_mesh(mesh: Mesh, path: Path, format: str | None = None) -> Task[int]:
    """Write ``mesh`` to ``path`` (``format`` None: by its suffix); returns the file's bytes.

    OBJ, PLY and GLB carry colours and normals, STL geometry alone. The file appears complete or
    not at all. Raises UserError for an empty mesh, an unknown format, or a place that cannot be
    written.
    """
    path = Path(path)
    format = (format or path.suffix.lstrip(".")).lower()
    if format not in FORMATS:
        raise UserError(f"{path}: unknown mesh format", f"Choose one of {', '.join(FORMATS)}")
    if not len(mesh.faces):
        raise UserError(
            f"{path}: the mesh is empty, there is no surface in the region yet",
            "Train longer, or enlarge the region",
        )
    data = yield from in_background(
        lambda: _encode(mesh, format), Progress(1.0, f"writing {path.name}")
    )
    write_atomically(path, data, "the mesh")
    return len(data)


def _encode(mesh: Mesh, format: str) -> bytes:
    if format == "obj":
        return _obj(mesh)
    shape = trimesh.Trimesh(
        mesh.vertices, mesh.faces, vertex_normals=mesh.normals, vertex_colors=mesh.colors,
        process=False,
    )
    has_normals = mesh.normals is not None
    if format == "ply":
        return export_ply(shape, encoding="binary", vertex_normal=has_normals)
    if format == "stl":
        return export_stl(shape)
    return export_glb(
        shape.scene(), include_normals=has_normals, buffer_postprocessor=_finish_gltf
    )


def _obj(mesh: Mesh) -> bytes:
    """Colours stand behind the positions, as MeshLab and Blender read them."""
    vertices = mesh.vertices
    if mesh.colors is not None:
        vertices = np.concatenate([vertices, mesh.colors / 255], 1)
    parts = _lines("v" + " %.8f" * vertices.shape[1], vertices)
    corner = " %d"
    if mesh.normals is not None:
        parts += _lines("vn %.6f %.6f %.6f", mesh.normals)
        corner = " %d//%d"
    columns = 1 if mesh.normals is None else 2
    parts += _lines("f" + 3 * corner, np.repeat(mesh.faces + 1, columns, axis=1))
    return b"".join(parts)


def _lines(form: str, rows: np.ndarray) -> list[bytes]:
    """A line of the ``form`` for each of ``rows`` [N, C], in pieces of `LINES`."""
    pieces = [rows[i : i + LINES] for i in range(0, len(rows), LINES)]
    form += "\n"
    return [(form * len(piece) % tuple(piece.ravel().tolist())).encode() for piece in pieces]


def _finish_gltf(buffers: dict, tree: dict) -> None:
    """glTF wants vertex colours linear (16 bits keep the dark tones apart), and its default
    material is metal, which shows them nearly black."""
    primitive = tree["meshes"][0]["primitives"][0]
    tree["materials"] = [
        {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 1}, "doubleSided": True}
    ]
    primitive["material"] = 0
    if "COLOR_0" not in primitive["attributes"]:
        return
    accessor = list(tree["accessors"].values())[primitive["attributes"]["COLOR_0"]]
    key = list(buffers)[accessor["bufferView"]]
    rgba = np.frombuffer(buffers[key], np.uint8).reshape(-1, 4) / 255.0
    rgba[:, :3] = np.where(
        rgba[:, :3] <= 0.04045, rgba[:, :3] / 12.92, ((rgba[:, :3] + 0.055) / 1.055) ** 2.4
    )
    linear = np.round(rgba * 65535).astype("<u2")
    buffers[key] = linear.tobytes()
    accessor["componentType"] = 5123  # unsigned short
    for bound in ("min", "max"):
        if bound in accessor:
            accessor[bound] = getattr(linear, bound)(0).tolist()
