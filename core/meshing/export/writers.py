"""Mesh files: OBJ, PLY, GLB, STL and USDZ.

Vertices are written in the frame they are given in, axes included: a GLB is not turned Y-up, so
that every format lies in the frame and scale of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Task, run_in_thread, run_task
from core.base.outputs import Outputs
from core.base.text import text
from core.config.mesh import MeshFormat, MeshOptions
from core.meshing.export.gltf import encode_image, glb_pieces
from core.meshing.export.usd import encode_usdz, require_usd
from core.meshing.mesh import Mesh

FORMATS: tuple[str, ...] = get_args(MeshFormat)
ROWS_PER_CHUNK = 1 << 14
"""formatted at once; Python runs no other thread meanwhile"""


@dataclass(frozen=True)
class ExportMetadata:
    """What some formats state of the mesh."""

    up: str = "Z"
    """the vertical axis, Y or Z"""
    metres_per_unit: float = 1.0
    """of its lengths"""
    jpeg: int | None = None
    """quality of a GLB's textures; None for PNG"""


PLAIN_METADATA = ExportMetadata()


def write_mesh(
    mesh: Mesh, path: Path, format: str | None = None, metadata: ExportMetadata = PLAIN_METADATA
) -> int:
    """Write ``mesh`` at once; see `write_mesh_task`."""
    with Outputs(Path(path).parent) as outputs:
        return run_task(write_mesh_task(mesh, Path(path), outputs, format, metadata))


def write_mesh_task(
    mesh: Mesh,
    path: Path,
    outputs: Outputs,
    format: str | None = None,
    metadata: ExportMetadata = PLAIN_METADATA,
) -> Task[int]:
    """Write ``mesh`` to ``path``.

    All formats but STL, which is geometry alone, have normals and colours or the texture: inside
    GLB and USDZ, beside OBJ (with its MTL) and PLY as a PNG of the same name.

    Args:
        mesh: the mesh.
        path: the file.
        outputs: where files are collected until all can appear.
        format: None: by the suffix of ``path``.
        metadata: what the file states of its frame.

    Returns:
        The number of bytes written.

    Raises:
        UserError: the mesh is empty, the format unknown, or the place cannot be written.
    """
    format = check_format(path, format)
    if not len(mesh.faces):
        raise UserError(
            text("{path}: the mesh is empty, there is no surface in the region yet", path=path),
            text("Train longer, or enlarge the region"),
        )
    now = Progress(1.0, text("writing {name}", name=path.name))
    files = yield from run_in_thread(lambda: _encode_files(mesh, path, format, metadata), now)
    n_bytes = 0
    for file, pieces in files.items():
        n_bytes += yield from _write_pieces(file, pieces, outputs, now)
    return n_bytes


def write_lods_task(
    lods: Sequence[Mesh], path: Path, outputs: Outputs, metadata: ExportMetadata = PLAIN_METADATA
) -> Task[int]:
    """Write all levels into one GLB at ``path``; returns its number of bytes."""
    now = Progress(1.0, text("writing {name}", name=path.name))
    pieces = yield from run_in_thread(lambda: glb_pieces(lods, metadata.jpeg), now)
    return (yield from _write_pieces(path, pieces, outputs, now))


def _write_pieces(
    path: Path, pieces: Iterable[bytes], outputs: Outputs, now: Progress
) -> Task[int]:
    """Write ``pieces`` to one file; returns its number of bytes."""
    n_bytes = 0
    with outputs.open_file(path) as file:
        for piece in pieces:
            n_bytes += file.write(piece)
            yield now
    return n_bytes


def export_files(path: Path, options: MeshOptions) -> list[Path]:
    """All files that an export to ``path`` with ``options`` may write."""
    levels = [path, *(lod_path(path, lod) for lod in range(1, options.lods))]
    files = [*levels, path.with_name(f"{path.name}.json")]
    if options.lods > 1:
        files.append(lods_path(path))
    if options.texture and options.format in ("obj", "ply"):
        for level in levels:
            files += _texture_paths(level)
            files += [level.with_suffix(".mtl")] if options.format == "obj" else []
    return files


def lod_path(path: Path, lod: int) -> Path:
    """File of one level of detail."""
    return path if lod == 0 else path.with_name(f"{path.stem}_lod{lod}{path.suffix}")


def lods_path(path: Path) -> Path:
    """GLB of all levels of detail."""
    return path.with_name(f"{path.stem}_lods.glb")


def _texture_paths(path: Path) -> tuple[Path, Path]:
    """Files of the texture and the normal map."""
    return path.with_suffix(".png"), path.with_name(f"{path.stem}_normals.png")


def check_format(path: Path, format: str | None) -> str:
    """The format of ``path``.

    Raises:
        UserError: it is unknown, or a library that writes it is not installed.
    """
    format = (format or path.suffix.lstrip(".")).lower()
    if format not in FORMATS:
        raise UserError(
            text("{path}: unknown mesh format", path=path),
            text("Choose one of {formats}", formats=", ".join(FORMATS)),
        )
    if format == "usdz":
        require_usd(path)
    return format


def _encode_files(
    mesh: Mesh, path: Path, format: str, metadata: ExportMetadata
) -> dict[Path, Iterable[bytes]]:
    """The bytes of all files, those that others refer to first."""
    if format == "glb":
        return {path: glb_pieces([mesh], metadata.jpeg)}
    if format == "usdz":
        return {path: [encode_usdz(mesh, metadata.up, metadata.metres_per_unit)]}
    if format == "stl":
        return {path: _stl(mesh)}
    beside: dict[Path, Iterable[bytes]] = {
        file: [data] for file, data in _encode_textures(mesh, path).items()
    }
    names = [file.name for file in beside]
    if format == "obj":
        if names:
            beside[path.with_suffix(".mtl")] = [_mtl(names)]
        return beside | {path: _obj(mesh, path.with_suffix(".mtl").name if names else None)}
    return beside | {path: _ply(mesh, names)}


def _encode_textures(mesh: Mesh, path: Path) -> dict[Path, bytes]:
    """PNG files of the texture and the normal map."""
    textures = (mesh.texture, mesh.normal_map if mesh.texture is not None else None)
    return {
        file: encode_image(image)
        for file, image in zip(_texture_paths(path), textures)
        if image is not None
    }


def _mtl(textures: list[str]) -> bytes:
    lines = [
        "newmtl surface",
        "Ka 0 0 0",
        "Kd 1 1 1",
        "Ks 0 0 0",
        "illum 1",
        f"map_Kd {textures[0]}",
        *(f"norm {name}" for name in textures[1:]),
    ]
    return ("\n".join(lines) + "\n").encode()


def _obj(mesh: Mesh, material: str | None) -> Iterator[bytes]:
    """Text of an OBJ; colours follow the positions, as MeshLab and Blender read them."""
    columns = [mesh.vertices]
    if material is not None:
        yield f"mtllib {material}\nusemtl surface\n".encode()
    elif mesh.colors is not None:
        columns.append(mesh.colors)
    for vertices, *colors in _chunks(*columns):
        yield _lines("v", " %.8f", np.concatenate([vertices, *(c / 255 for c in colors)], 1))
    corner = " %d"
    if material is not None and mesh.uvs is not None:
        for (uvs,) in _chunks(mesh.uvs):
            yield _lines("vt", " %.7f", uvs)
        corner = " %d/%d"
    if mesh.normals is not None:
        for (normals,) in _chunks(mesh.normals):
            yield _lines("vn", " %.6f", normals)
        corner = " %d/%d/%d" if "/" in corner else " %d//%d"
    for (faces,) in _chunks(mesh.faces):
        yield _lines("f", corner, np.repeat(faces + 1, corner.count("%"), axis=1))


def _lines(first: str, form: str, rows: np.ndarray) -> bytes:
    """One line for each of ``rows`` [N, C]: ``first``, and ``form`` as often as C requires."""
    line = first + form * (rows.shape[1] // form.count("%")) + "\n"
    return (line * len(rows) % tuple(rows.ravel().tolist())).encode()


def _ply(mesh: Mesh, textures: list[str]) -> Iterator[bytes]:
    """Bytes of a PLY; with a texture also s and t, and its name in a comment, as MeshLab has it."""
    columns = [("x y z", "<f4", mesh.vertices), ("nx ny nz", "<f4", mesh.normals)]
    if textures:
        columns.append(("s t", "<f4", mesh.uvs))
    else:
        columns.append(("red green blue", "u1", mesh.colors))
    columns = [(names.split(), kind, rows) for names, kind, rows in columns if rows is not None]
    kinds = {"<f4": "float", "u1": "uchar"}
    head = [
        "ply",
        "format binary_little_endian 1.0",
        *(f"comment TextureFile {name}" for name in textures[:1]),
        f"element vertex {len(mesh.vertices)}",
        *(f"property {kinds[kind]} {name}" for names, kind, _ in columns for name in names),
        f"element face {len(mesh.faces)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    yield ("\n".join(head) + "\n").encode()
    vertex = np.dtype([(names[0], kind, len(names)) for names, kind, _ in columns])
    for chunk in _chunks(*(rows for _, _, rows in columns)):
        yield _record(vertex, chunk).tobytes()
    face = np.dtype([("n", "u1"), ("corners", "<i4", 3)])
    for (faces,) in _chunks(mesh.faces):
        yield _record(face, [np.uint8(3), faces]).tobytes()


def _stl(mesh: Mesh) -> Iterator[bytes]:
    yield bytes(80) + len(mesh.faces).to_bytes(4, "little")
    facet = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    for (faces,) in _chunks(mesh.faces):
        corners = mesh.vertices[faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
        yield _record(facet, [normals, corners, np.uint16(0)]).tobytes()


def _chunks(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """The rows of ``arrays``, `ROWS_PER_CHUNK` at a time."""
    for start in range(0, len(arrays[0]), ROWS_PER_CHUNK):
        yield tuple(rows[start : start + ROWS_PER_CHUNK] for rows in arrays)


def _record(kind: np.dtype, columns: Sequence[np.ndarray | np.generic]) -> np.ndarray:
    """[N] records of the type ``kind`` with these columns, at least one of them an array."""
    assert kind.names is not None
    out = np.zeros(max(len(c) for c in columns if isinstance(c, np.ndarray)), kind)
    for name, column in zip(kind.names, columns):
        out[name] = column
    return out
