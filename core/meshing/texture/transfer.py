"""Transfer of a fine mesh's texture and normals to a coarser mesh.

Each texel of the coarse mesh's atlas samples the fine surface in front of it or behind it. The
nearest point alone could lie on the back of a thin part, across a fold or in the interior, and
would show as a dark blotch. Where nothing faces the same way, neighbours in the atlas fill in.
"""
# libigl has no type stubs
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from dataclasses import replace

import igl
import numpy as np

from core.base.jobs import Progress, Task, run_in_thread
from core.base.text import Text, text
from core.meshing.mesh import Mesh
from core.meshing.texture.atlas import Texels, rasterize_texels
from core.meshing.texture.bake import fill_empty_texels
from core.rendering.raster import bilinear

TEXELS_PER_CHUNK = 1 << 14
"""processed at once: igl holds the interpreter's lock meanwhile"""
MAX_RAY_LENGTH = 0.1
"""of the mesh's diagonal"""
RAY_PREFERENCE = 3.0
"""a hit along the normal is preferred up to this multiple of the nearest point's distance"""
MIN_SIDE_COSINE = 0.1
"""to the coarse surface's normal; a hit below it belongs to another sheet"""


def transfer_texture(fine: Mesh, coarse: Mesh, size: int) -> Task[Mesh]:
    """Transfer the texture of ``fine``.

    Args:
        fine: with uvs and a texture.
        coarse: with uvs.
        size: of the new texture, texels a side.
    """
    assert fine.texture is not None
    assert fine.uvs is not None
    at = np.stack([fine.uvs[:, 0], 1 - fine.uvs[:, 1]], 1) * fine.texture.shape[0]
    texels = yield from run_in_thread(
        lambda: rasterize_texels(coarse, size), Progress(0, text("rasterising the atlas"))
    )
    pixels, known = yield from _sample_fine_surface(
        fine, coarse, texels, at, text("transferring the texture")
    )
    colors = np.round(bilinear(fine.texture, pixels)).astype(np.uint8)
    image = yield from run_in_thread(
        lambda: _texture_image(texels, colors, known), Progress(1.0, text("filling seams"))
    )
    return replace(coarse, texture=image)


def bake_normal_map(fine: Mesh, coarse: Mesh, size: int) -> Task[Mesh]:
    """Bake the normals of ``fine`` into a normal map; ``coarse`` gets smooth normals and tangents.

    Args:
        fine: with normals.
        coarse: with uvs.
        size: of the normal map, texels a side.
    """
    assert fine.normals is not None
    # The normals of the field at few vertices are worse than those of the faces.
    coarse = replace(coarse, normals=smooth_normals(coarse))
    coarse = replace(coarse, tangents=vertex_tangents(coarse))
    texels = yield from run_in_thread(
        lambda: rasterize_texels(coarse, size), Progress(0, text("rasterising the atlas"))
    )
    task = _sample_fine_surface(fine, coarse, texels, fine.normals, text("baking the normal map"))
    normals, known = yield from task
    image = yield from run_in_thread(
        lambda: _texture_image(texels, _tangent_space_colors(coarse, texels, normals), known),
        Progress(1.0, text("filling seams")),
    )
    return replace(coarse, normal_map=image)


def vertex_tangents(mesh: Mesh) -> np.ndarray:
    """Compute tangents as glTF defines them.

    Returns:
        [V, 4] float32: unit vectors across the normal, along growing u, and the sign of the
        direction of growing v against normal × tangent.
    """
    assert mesh.uvs is not None
    assert mesh.normals is not None
    corners, uv = mesh.vertices[mesh.faces], mesh.uvs.astype(np.float64)[mesh.faces]
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    d1, d2 = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    along_u = e1 * d2[:, 1:] - e2 * d1[:, 1:]
    along_v = e2 * d1[:, :1] - e1 * d2[:, :1]
    turn = np.sign(d1[:, :1] * d2[:, 1:] - d2[:, :1] * d1[:, 1:])
    u = _sum_at_vertices(along_u * turn, mesh)
    v = _sum_at_vertices(along_v * turn, mesh)
    n = mesh.normals.astype(np.float64)
    u -= n * (u * n).sum(1, keepdims=True)
    lost = np.linalg.norm(u, axis=1) < 1e-30
    u[lost] = np.cross(n[lost], np.eye(3)[np.abs(n[lost]).argmin(1)])
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-30)
    sign = np.where((np.cross(n, u) * v).sum(1) < 0, -1.0, 1.0)
    return np.concatenate([u, sign[:, None]], 1).astype(np.float32)


def _sum_at_vertices(of_faces: np.ndarray, mesh: Mesh) -> np.ndarray:
    """[V, 3] sums of [F, 3] over the faces around each vertex."""
    out = np.zeros_like(mesh.vertices)
    for corner in range(3):
        for axis in range(3):
            out[:, axis] += np.bincount(mesh.faces[:, corner], of_faces[:, axis], len(out))
    return out


def smooth_normals(mesh: Mesh) -> np.ndarray:
    """Average the normals of the faces around each vertex by area.

    Vertices in the same place, as seams duplicate them, get the same normal.

    Returns:
        [V, 3] float32 unit.
    """
    _, place = np.unique(mesh.vertices, axis=0, return_inverse=True)
    place = place.reshape(-1)
    of_faces = mesh.face_normals()
    total = np.zeros((int(place.max()) + 1, 3))
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(
                place[mesh.faces[:, corner]], of_faces[:, axis], len(total)
            )
    return _unit(total)[place].astype(np.float32)


def _sample_fine_surface(
    fine: Mesh, coarse: Mesh, texels: Texels, values: np.ndarray, detail: Text
) -> Task[tuple[np.ndarray, np.ndarray]]:
    """Sample ``values`` [V, C] of the vertices of ``fine`` at the texels of ``coarse``.

    Returns:
        [T, C] values, and [T] bool where a surface faces the texel's side.
    """
    faces = np.ascontiguousarray(fine.faces, np.int64)
    tree = igl.AABB()
    yield from run_in_thread(lambda: tree.init(fine.vertices, faces), Progress(0.0, detail))
    reach = MAX_RAY_LENGTH * float(np.linalg.norm(np.ptp(fine.vertices, axis=0)))
    normals, fine_normals = smooth_normals(coarse), _unit(fine.face_normals())
    n = len(texels.where)
    out, known = np.empty((n, values.shape[1]), np.float64), np.zeros(n, bool)
    for i in range(0, n, TEXELS_PER_CHUNK):
        chunk = np.arange(i, min(i + TEXELS_PER_CHUNK, n))
        points = texels.interpolate(coarse.faces, coarse.vertices, chunk)
        directions = _unit(texels.interpolate(coarse.faces, normals, chunk).astype(np.float64))
        best = np.full(len(chunk), reach)
        _, face, positions = (
            np.array(a) for a in tree.squared_distance(fine.vertices, faces, points)
        )
        facing = (fine_normals[face] * directions).sum(1) > MIN_SIDE_COSINE
        best[facing] = np.linalg.norm(positions - points, axis=1)[facing] * RAY_PREFERENCE
        for sign in (1, -1):
            hit, t, _ = tree.intersect_ray_first(fine.vertices, faces, points, sign * directions)
            hit, t = np.asarray(hit), np.asarray(t)
            better = (hit >= 0) & (t < best)
            better[better] = (fine_normals[hit[better]] * directions[better]).sum(
                1
            ) > MIN_SIDE_COSINE
            best[better], face[better] = t[better], hit[better]
            positions[better] = (points + t[:, None] * sign * directions)[better]
            facing |= better
        corners = faces[face]
        weights = _barycentric(positions, fine.vertices[corners])
        out[chunk] = (values[corners] * weights[..., None]).sum(1)
        known[chunk] = facing
        yield Progress(i / n, detail)
    return out, known


def _barycentric(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[N, 3] coordinates of points [N, 3] in the planes of triangles [N, 3, 3]."""
    a, u, v = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    w = points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    area = np.maximum(uu * vv - uv * uv, 1e-300)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    out = np.clip(np.stack([1 - second - third, second, third], 1), 0, 1)
    return out / out.sum(1, keepdims=True)


def _tangent_space_colors(coarse: Mesh, texels: Texels, normals: np.ndarray) -> np.ndarray:
    """[T, 3] uint8 of ``normals`` [T, 3] in the coarse mesh's tangent frames."""
    assert coarse.normals is not None
    assert coarse.tangents is not None
    everything = np.arange(len(texels.where))
    n = _unit(texels.interpolate(coarse.faces, coarse.normals, everything))
    t = texels.interpolate(coarse.faces, coarse.tangents[:, :3], everything)
    sign = texels.interpolate(coarse.faces, coarse.tangents[:, 3], everything)
    t = _unit(t - n * (t * n).sum(1, keepdims=True))
    b = np.cross(n, t) * np.sign(sign)[:, None]
    normals = _unit(normals)
    local = np.stack([(normals * axis).sum(1) for axis in (t, b, n)], 1)
    return np.round((local + 1) / 2 * 255).clip(0, 255).astype(np.uint8)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Normalised rows."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _texture_image(texels: Texels, colors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """[S, S, 3] of ``colors`` [T, 3] where they are ``known`` [T], with no empty texel."""
    known = known if known.any() else np.ones_like(known)
    image = np.zeros((texels.size**2, 3), np.uint8)
    image[texels.where[known]] = colors[known]
    empty = np.ones(texels.size**2, bool)
    empty[texels.where[known]] = False
    shape = texels.size, texels.size
    return fill_empty_texels(image.reshape(*shape, 3), empty.reshape(shape))
