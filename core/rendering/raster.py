"""Triangle meshes seen from a photo's camera: a z-buffer on the CPU."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from core.geometry.cameras import Intrinsics, project
from core.rendering.shading import CLAY, OVER_THE_SHOULDER, lambert

BACK_FACE_COLOR = (0.62, 0.45, 0.42)  # of faces seen from within: wrong winding shows at once
NEAR_PLANE = 1e-6


@dataclass(frozen=True)
class Raster:
    """``depth`` [H, W] float32, camera z, infinite where there is nothing; ``face_id`` [H, W]
    int32, -1 where there is nothing; ``barycentric`` [H, W, 2] float32, perspective-correct
    weights of the face's second and third vertex; ``front`` [H, W] bool, the face is seen from
    outside."""

    depth: np.ndarray
    face_id: np.ndarray
    barycentric: np.ndarray
    front: np.ndarray

    def interpolate(self, faces: np.ndarray, attributes: np.ndarray) -> np.ndarray:
        """[N, C] of per-vertex ``attributes`` [V, C] at the covered pixels, in row order."""
        covered = self.face_id >= 0
        corners = attributes[faces[self.face_id[covered]]]  # [N, 3, C]
        b = self.barycentric[covered]
        weights = np.stack([1 - b.sum(1), b[:, 0], b[:, 1]], 1)
        return (corners * weights[..., None]).sum(1)


def rasterize(
    vertices: np.ndarray,  # [V, 3] world
    faces: np.ndarray,  # [F, 3]
    intrinsics: Intrinsics,
    world_from_camera: np.ndarray,  # [4, 4] rigid, OpenCV axes
) -> Raster:
    """The nearest face at each pixel's centre, seen from both sides.

    A lens distortion bends where vertices fall; edges between them stay straight, which is right
    for meshes whose triangles are small in the picture. Triangles that reach behind the camera
    are left out whole.
    """
    rotation, center = world_from_camera[:3, :3], world_from_camera[:3, 3]
    local = (np.asarray(vertices, np.float64) - center) @ rotation
    pixels = _project_safely(intrinsics, local)
    return _rasterize(pixels, local[:, 2], faces, intrinsics.width, intrinsics.height)


def rasterize_parallel(
    pixels: np.ndarray, z: np.ndarray, faces: np.ndarray, width: int, height: int
) -> Raster:
    """Seen by parallel rays (orthographic): vertices at ``pixels`` [V, 2] and depths ``z`` [V],
    all of which are seen."""
    return _rasterize(pixels, z, faces, width, height, False)


def _rasterize(
    pixels: np.ndarray,
    z: np.ndarray,
    faces: np.ndarray,
    width: int,
    height: int,
    perspective: bool = True,
) -> Raster:
    depth = np.full((height, width), np.inf, np.float32)
    face_id = np.full(depth.shape, -1, np.int32)
    barycentric = np.zeros((*depth.shape, 2), np.float32)
    front = np.zeros(depth.shape, np.bool_)
    _fill_triangles(
        np.ascontiguousarray(pixels, np.float64),
        np.ascontiguousarray(z, np.float64),
        np.ascontiguousarray(faces, np.int32),
        perspective,
        depth,
        face_id,
        barycentric,
        front,
    )
    return Raster(depth, face_id, barycentric, front)


def shade(
    vertices: np.ndarray,  # [V, 3] world
    faces: np.ndarray,  # [F, 3]
    normals: np.ndarray,  # [V, 3] unit
    intrinsics: Intrinsics,
    world_from_camera: np.ndarray,  # [4, 4]
    *,
    colors: np.ndarray | None = None,  # [V, 3] uint8
    uvs: np.ndarray | None = None,  # [V, 2], v up
    texture: np.ndarray | None = None,  # [S, S, 3] uint8
    background: tuple[float, float, float] = (1.0, 1.0, 1.0),
    supersample: int = 2,
) -> np.ndarray:
    """A picture [H, W, 3] of the mesh: clay in Lambert's shading, or with a ``texture`` or
    ``colors`` those, unlit, since colours taken from photos hold the light already."""
    width, height = intrinsics.width, intrinsics.height
    fine = intrinsics.scaled(width * supersample, height * supersample)
    raster = rasterize(vertices, faces, fine, world_from_camera)
    covered = raster.face_id >= 0
    image = np.empty((*covered.shape, 3), np.float32)
    image[:] = background
    if texture is not None and uvs is not None:
        at = raster.interpolate(faces, np.stack([uvs[:, 0], 1 - uvs[:, 1]], 1))
        image[covered] = bilinear(texture, at * [texture.shape[1], texture.shape[0]]) / 255
    elif colors is not None:
        image[covered] = raster.interpolate(faces, colors.astype(np.float32) / 255)
    else:
        n = raster.interpolate(faces, np.asarray(normals, np.float32))
        n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-12)
        front = raster.front[covered][:, None]
        n = np.where(front, n, -n)
        light = world_from_camera[:3, :3] @ OVER_THE_SHOULDER
        image[covered] = np.where(front, CLAY, BACK_FACE_COLOR) * lambert(n, light)
    return image.reshape(height, supersample, width, supersample, 3).mean((1, 3))


def bilinear(image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """[N, C] float32 of ``image`` [H, W, C] at ``pixels`` [N, 2]; beyond its border, that of its
    border."""
    out = np.empty((len(pixels), image.shape[2]), np.float32)
    _sample_bilinear(np.ascontiguousarray(image), np.ascontiguousarray(pixels, np.float64), out)
    return out


@njit(cache=True, nogil=True)
def _sample_bilinear(image, pixels, out):
    height, width, n = image.shape
    for i in range(len(pixels)):
        x = min(max(pixels[i, 0] - 0.5, 0.0), width - 1.0)
        y = min(max(pixels[i, 1] - 0.5, 0.0), height - 1.0)
        left, top = int(x), int(y)
        right, low = min(left + 1, width - 1), min(top + 1, height - 1)
        x, y = x - left, y - top
        for c in range(n):
            above = image[top, left, c] * (1 - x) + image[top, right, c] * x
            below = image[low, left, c] * (1 - x) + image[low, right, c] * x
            out[i, c] = above * (1 - y) + below * y


def _project_safely(intrinsics: Intrinsics, local: np.ndarray) -> np.ndarray:
    """[V, 2] pixels. The polynomials of a distortion fold far outside the picture, so there the
    pinhole's pixels stand, which are outside as well."""
    if intrinsics.model != "opencv":
        return project(intrinsics, local)
    pixels = project(replace(intrinsics, model="pinhole", distortion=()), local)
    size = np.array([intrinsics.width, intrinsics.height])
    near = np.flatnonzero(np.all((pixels > -size / 2) & (pixels < size * 1.5), axis=1))
    pixels[near] = project(intrinsics, local[near])
    return pixels


@njit(cache=True, nogil=True, fastmath=False)
def _fill_triangles(pixels, z, faces, perspective, depth, face_id, barycentric, front):
    height, width = depth.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f]
        if perspective and not (z[a] > NEAR_PLANE and z[b] > NEAR_PLANE and z[c] > NEAR_PLANE):
            continue
        ax, ay, bx, by = pixels[a, 0], pixels[a, 1], pixels[b, 0], pixels[b, 1]
        cx, cy = pixels[c, 0], pixels[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0 or not np.isfinite(area):
            continue
        # Columns and rows whose centres lie within the bounds.
        left = max(0, int(np.ceil(max(-1.0, min(ax, bx, cx) - 0.5))))
        right = min(width - 1, int(np.floor(min(width + 1.0, max(ax, bx, cx) - 0.5))))
        top = max(0, int(np.ceil(max(-1.0, min(ay, by, cy) - 0.5))))
        bottom = min(height - 1, int(np.floor(min(height + 1.0, max(ay, by, cy) - 0.5))))
        for row in range(top, bottom + 1):
            y = row + 0.5
            for column in range(left, right + 1):
                x = column + 0.5
                w1 = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
                w2 = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
                w0 = 1.0 - w1 - w2
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                if perspective:
                    # 1 / z is linear in the picture, z is not.
                    w0, w1, w2 = w0 / z[a], w1 / z[b], w2 / z[c]
                    far = 1.0 / (w0 + w1 + w2)
                    w1, w2 = w1 * far, w2 * far
                else:
                    far = w0 * z[a] + w1 * z[b] + w2 * z[c]
                if far < depth[row, column]:
                    depth[row, column] = far
                    face_id[row, column] = f
                    barycentric[row, column, 0] = w1
                    barycentric[row, column, 1] = w2
                    front[row, column] = area < 0.0  # y points down in pictures
