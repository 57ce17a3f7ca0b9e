"""GLB files (glTF 2.0, Khronos): one mesh, or one in several levels of detail (`MSFT_lod`)."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from core.meshing.mesh import Mesh

FLOAT, USHORT, UINT = 5126, 5123, 5125
VERTICES, INDICES = 34962, 34963
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


def encode_glb(lods: Sequence[Mesh], jpeg: int | None = None) -> bytes:
    """The bytes of a GLB of ``lods``, the finest first; more than one become levels of one node.
    ``jpeg``: quality of JPEG textures; None writes PNG. Normal maps are always PNG.

    Positions are relative to a node placed in the middle: 32 bits would round far coordinates.
    """
    build = _Builder(jpeg)
    middle = (lods[0].vertices.min(0) + lods[0].vertices.max(0)) / 2
    nodes = [
        {"mesh": build.mesh(mesh, middle), "name": f"LOD{i}", "translation": middle.tolist()}
        for i, mesh in enumerate(lods)
    ]
    tree: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Gradina"},
        "scene": 0, "scenes": [{"nodes": [0]}], "nodes": nodes, **build.tree,
    }
    if len(lods) > 1:
        tree["extensionsUsed"] = ["MSFT_lod"]
        nodes[0]["extensions"] = {"MSFT_lod": {"ids": list(range(1, len(lods)))}}
        nodes[0]["extras"] = {"MSFT_screencoverage": _coverage(lods)}
    return _packed(tree, bytes(build.data))


def _coverage(lods: Sequence[Mesh]) -> list[float]:
    """Shares of the screen down to which each level is shown: a face then covers as much of it."""
    shares = [0.5 * len(mesh.faces) / len(lods[0].faces) for mesh in lods[1:]]
    return [*shares, 0.0]


class _Builder:
    """Collects the binary part and what describes it."""

    def __init__(self, jpeg: int | None) -> None:
        self.data = bytearray()
        self._jpeg = jpeg
        self.tree: dict[str, Any] = {
            "meshes": [], "materials": [], "accessors": [], "bufferViews": [],
            "buffers": [{"byteLength": 0}],
        }

    def mesh(self, mesh: Mesh, middle: np.ndarray) -> int:
        position = (mesh.vertices - middle).astype("<f4")
        attributes = {"POSITION": self._accessor(position, bounds=True)}
        if mesh.normals is not None:
            attributes["NORMAL"] = self._accessor(mesh.normals.astype("<f4"))
        if mesh.texture is not None and mesh.uvs is not None:
            flipped = np.stack([mesh.uvs[:, 0], 1 - mesh.uvs[:, 1]], 1)
            attributes["TEXCOORD_0"] = self._accessor(flipped.astype("<f4"))
            if mesh.tangents is not None:
                attributes["TANGENT"] = self._accessor(mesh.tangents.astype("<f4"))
        elif mesh.colors is not None:
            attributes["COLOR_0"] = self._accessor(_opaque(mesh.colors), normalized=True)
        faces = mesh.faces.astype("<u4").reshape(-1, 1)
        primitive = {"attributes": attributes, "indices": self._accessor(faces, target=INDICES),
                     "material": self._material(mesh)}
        return self._add("meshes", {"primitives": [primitive]})

    def _material(self, mesh: Mesh) -> int:
        """Neither metal nor gloss, which would show colours that hold the light already nearly
        black, or light them twice."""
        surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
        material: dict[str, Any] = {"pbrMetallicRoughness": surface, "doubleSided": True}
        if mesh.texture is not None:
            surface["baseColorTexture"] = {"index": self._texture(mesh.texture, self._jpeg)}
        if mesh.normal_map is not None:
            material["normalTexture"] = {"index": self._texture(mesh.normal_map, None)}
        return self._add("materials", material)

    def _texture(self, picture: np.ndarray, jpeg: int | None) -> int:
        view = self._view(encode_picture(picture, jpeg))
        kind = "image/png" if jpeg is None else "image/jpeg"
        self.tree.setdefault("samplers", [{"magFilter": 9729, "minFilter": 9987}])
        source = self._add("images", {"bufferView": view, "mimeType": kind})
        return self._add("textures", {"sampler": 0, "source": source})

    def _accessor(
        self, values: np.ndarray, *, target: int = VERTICES, bounds: bool = False,
        normalized: bool = False,
    ) -> int:
        kinds = {"f": FLOAT, "u": UINT if values.itemsize == 4 else USHORT}
        accessor: dict[str, Any] = {
            "bufferView": self._view(values.tobytes(), target), "count": len(values),
            "componentType": kinds[values.dtype.kind], "type": _TYPES[values.shape[1]],
        }
        if bounds:
            accessor |= {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        if normalized:
            accessor["normalized"] = True
        return self._add("accessors", accessor)

    def _view(self, data: bytes, target: int | None = None) -> int:
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        self.data += data + b"\0" * (-len(data) % 4)
        self.tree["buffers"][0]["byteLength"] = len(self.data)
        return self._add("bufferViews", view if target is None else view | {"target": target})

    def _add(self, kind: str, item: dict[str, Any]) -> int:
        self.tree.setdefault(kind, []).append(item)
        return len(self.tree[kind]) - 1


def encode_picture(picture: np.ndarray, jpeg: int | None = None) -> bytes:
    """uint8 [H, W, 3] as a PNG, or as a JPEG of that quality."""
    out = io.BytesIO()
    if jpeg is None:
        Image.fromarray(picture).save(out, "PNG", compress_level=4)
    else:
        Image.fromarray(picture).save(out, "JPEG", quality=jpeg, subsampling=0)
    return out.getvalue()


def linear(colors: np.ndarray) -> np.ndarray:
    """[V, 3] linear light in [0, 1] of sRGB [V, 3] uint8."""
    c = colors / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def _opaque(colors: np.ndarray) -> np.ndarray:
    """[V, 4] 16-bit linear: glTF's vertex colours are linear, and 16 bits keep the dark tones
    apart."""
    rgba = np.concatenate([linear(colors), np.ones((len(colors), 1))], 1)
    return np.round(rgba * 65535).astype("<u2")


def _packed(tree: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(tree, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + len(data)
    return b"".join([
        struct.pack("<III", _MAGIC, 2, length), struct.pack("<II", len(text), _JSON), text,
        struct.pack("<II", len(data), _BIN), data,
    ])
