"""GLB files (glTF 2.0, Khronos): one mesh, or several levels of detail (`MSFT_lod`)."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from PIL import Image

from core.base.errors import UserError
from core.base.text import text
from core.meshing.mesh import Mesh

FLOAT, USHORT, UINT = 5126, 5123, 5125
"""component types of glTF"""
VERTICES, INDICES = 34962, 34963
"""targets of buffer views"""
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
ROWS_PER_CHUNK = 1 << 16
"""encoded at once"""
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


def glb_pieces(lods: Sequence[Mesh], jpeg: int | None = None) -> Iterator[bytes]:
    """Encode ``lods`` as a GLB.

    Positions are relative to a node in the middle: 32 bits would round far coordinates.

    Args:
        lods: the finest first; more than one become levels of one node.
        jpeg: quality of JPEG textures; None writes PNG. Normal maps are always PNG.

    Returns:
        The bytes, in pieces.

    Raises:
        UserError: they are more than a GLB can have.
    """
    build = _Builder(jpeg)
    middle = (lods[0].vertices.min(0) + lods[0].vertices.max(0)) / 2
    nodes = [
        {"mesh": build.mesh(mesh, middle), "name": f"LOD{i}", "translation": middle.tolist()}
        for i, mesh in enumerate(lods)
    ]
    tree: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Gradina"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        **build.tree,
    }
    if len(lods) > 1:
        tree["extensionsUsed"] = ["MSFT_lod"]
        nodes[0]["extensions"] = {"MSFT_lod": {"ids": list(range(1, len(lods)))}}
        nodes[0]["extras"] = {"MSFT_screencoverage": _coverage(lods)}
    return _packed(tree, build)


def _coverage(lods: Sequence[Mesh]) -> list[float]:
    """Fractions of the screen down to which each level is shown, for equal sizes of faces."""
    coverage = [0.5 * len(mesh.faces) / len(lods[0].faces) for mesh in lods[1:]]
    return [*coverage, 0.0]


class _Builder:
    """Collects the binary part and the JSON that describes it."""

    def __init__(self, jpeg: int | None) -> None:
        self.n_bytes = 0
        self.data: list[Callable[[], Iterator[bytes]]] = []
        """functions that make the binary part, view by view"""
        self._jpeg = jpeg
        self.tree: dict[str, Any] = {
            "meshes": [],
            "materials": [],
            "accessors": [],
            "bufferViews": [],
            "buffers": [{"byteLength": 0}],
        }

    def mesh(self, mesh: Mesh, middle: np.ndarray) -> int:
        """Add a mesh; returns its index."""

        def centered(vertices: np.ndarray) -> np.ndarray:
            return (vertices - middle).astype("<f4")

        lowest, highest = centered(mesh.vertices.min(0)), centered(mesh.vertices.max(0))
        position = self._accessor(mesh.vertices, centered, 3)
        self.tree["accessors"][position] |= {"min": lowest.tolist(), "max": highest.tolist()}
        attributes = {"POSITION": position}
        if mesh.normals is not None:
            attributes["NORMAL"] = self._accessor(mesh.normals, _floats, 3)
        if mesh.texture is not None and mesh.uvs is not None:
            attributes["TEXCOORD_0"] = self._accessor(mesh.uvs, _flipped, 2)
            if mesh.tangents is not None:
                attributes["TANGENT"] = self._accessor(mesh.tangents, _floats, 4)
        elif mesh.colors is not None:
            attributes["COLOR_0"] = self._accessor(mesh.colors, _opaque, 4, USHORT)
        primitive = {
            "attributes": attributes,
            "material": self._material(mesh),
            "indices": self._accessor(mesh.faces, _corners, 1, UINT),
        }
        return self._add("meshes", {"primitives": [primitive]})

    def _material(self, mesh: Mesh) -> int:
        """Add a material that is neither metallic nor glossy.

        Colours contain the light already; other materials would show them nearly black, or light
        them twice.
        """
        surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
        material: dict[str, Any] = {"pbrMetallicRoughness": surface, "doubleSided": True}
        if mesh.texture is not None:
            surface["baseColorTexture"] = {"index": self._texture(mesh.texture, self._jpeg)}
        if mesh.normal_map is not None:
            material["normalTexture"] = {"index": self._texture(mesh.normal_map, None)}
        return self._add("materials", material)

    def _texture(self, image: np.ndarray, jpeg: int | None) -> int:
        """Add a texture and its image; returns its index."""
        data = encode_image(image, jpeg)
        view = self._view(lambda: iter([data]), len(data))
        kind = "image/png" if jpeg is None else "image/jpeg"
        self.tree.setdefault("samplers", [{"magFilter": 9729, "minFilter": 9987}])
        source = self._add("images", {"bufferView": view, "mimeType": kind})
        return self._add("textures", {"sampler": 0, "source": source})

    def _accessor(
        self,
        rows: np.ndarray,
        encode: Callable[[np.ndarray], np.ndarray],
        width: int,
        component: int = FLOAT,
    ) -> int:
        """Add ``rows`` as ``encode`` makes them, of ``width`` components; returns its index."""
        n = rows.size if component == UINT else len(rows)
        data = partial(_encoded, rows, encode)
        n_bytes = n * width * (2 if component == USHORT else 4)
        view = self._view(data, n_bytes, INDICES if component == UINT else VERTICES)
        accessor = {
            "bufferView": view,
            "count": n,
            "componentType": component,
            "type": _TYPES[width],
        }
        return self._add(
            "accessors", accessor | ({"normalized": True} if component == USHORT else {})
        )

    def _view(
        self, data: Callable[[], Iterator[bytes]], n_bytes: int, target: int | None = None
    ) -> int:
        """Add a buffer view of ``n_bytes``; returns its index."""
        view = {"buffer": 0, "byteOffset": self.n_bytes, "byteLength": n_bytes}
        padding = b"\0" * (-n_bytes % 4)
        self.data += [data, lambda: iter([padding])]
        self.n_bytes += n_bytes + len(padding)
        self.tree["buffers"][0]["byteLength"] = self.n_bytes
        return self._add("bufferViews", view if target is None else view | {"target": target})

    def _add(self, kind: str, item: dict[str, Any]) -> int:
        """Append ``item`` to the array ``kind``; returns its index."""
        self.tree.setdefault(kind, []).append(item)
        return len(self.tree[kind]) - 1


def encode_image(image: np.ndarray, jpeg: int | None = None) -> bytes:
    """Encode an image, uint8 [H, W, 3], as PNG, or as JPEG of the quality ``jpeg``."""
    out = io.BytesIO()
    if jpeg is None:
        Image.fromarray(image).save(out, "PNG", compress_level=4)
    else:
        Image.fromarray(image).save(out, "JPEG", quality=jpeg, subsampling=0)
    return out.getvalue()


def srgb_to_linear(colors: np.ndarray) -> np.ndarray:
    """[V, 3] linear light in [0, 1] of sRGB [V, 3] uint8."""
    c = colors / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def _encoded(rows: np.ndarray, encode: Callable[[np.ndarray], np.ndarray]) -> Iterator[bytes]:
    """Bytes of ``rows``, chunk by chunk."""
    for start in range(0, len(rows), ROWS_PER_CHUNK):
        yield encode(rows[start : start + ROWS_PER_CHUNK]).tobytes()


def _floats(values: np.ndarray) -> np.ndarray:
    return values.astype("<f4")


def _flipped(uvs: np.ndarray) -> np.ndarray:
    return np.stack([uvs[:, 0], 1 - uvs[:, 1]], 1).astype("<f4")


def _corners(faces: np.ndarray) -> np.ndarray:
    return faces.astype("<u4")


def _opaque(colors: np.ndarray) -> np.ndarray:
    """[V, 4] 16-bit linear colours.

    glTF's vertex colours are linear, and 16 bits keep dark tones distinct.
    """
    rgba = np.concatenate([srgb_to_linear(colors), np.ones((len(colors), 1))], 1)
    return np.round(rgba * 65535).astype("<u2")


def _packed(tree: dict[str, Any], build: _Builder) -> Iterator[bytes]:
    """Header, JSON and binary part."""
    header = json.dumps(tree, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 4)
    length = 12 + 8 + len(header) + 8 + build.n_bytes
    if length >= 1 << 32:
        raise UserError(
            text("A GLB cannot hold more than 4 GB"), text("Choose PLY, or fewer cells")
        )
    head = struct.pack("<III", _MAGIC, 2, length) + struct.pack("<II", len(header), _JSON) + header
    middle = struct.pack("<II", build.n_bytes, _BIN)
    return chain([head, middle], chain.from_iterable(data() for data in build.data))
