"""How well two photos agree over a mesh, and how its vertices should move for that.

The agreement is the zero-mean normalised cross-correlation (ZNCC) of 5x5 windows between a photo
and a neighbour that is reprojected over the mesh into its pixels. Its gradient for the depth at
each pixel is exact, by box filters; its curvature is that of Gauss and Newton.

Source: Vu, Labatut, Pons and Keriven 2012, "High accuracy and visibility-consistent dense multiview
stereo", section 4 (the gradient); the second order is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from core.geometry.cameras import Intrinsics
from core.meshing.refinement.pinhole_photo import PinholePhoto
from core.rendering.raster import Raster, rasterize

RADIUS = 2
"""pixels from the centre of a window to its border"""
FEWEST = 15
"""pixels of a window that both photos must see"""
NOISE = 1e-4
"""variance of grey values in [0, 1] that noise may have: what plain windows show counts for less"""
GRAZING = 0.2
"""cosine between ray and normal, below which a pixel says nothing"""


@dataclass(frozen=True)
class MeshView:
    """A photo, and what of the mesh its camera sees."""

    photo: PinholePhoto
    raster: Raster


def view_mesh(vertices: np.ndarray, faces: np.ndarray, photo: PinholePhoto) -> MeshView:
    """What ``photo`` sees of the mesh of ``vertices`` [V, 3] and ``faces`` [F, 3]."""
    return MeshView(photo, rasterize(vertices, faces, photo.lens, photo.world_from_camera))


@dataclass(frozen=True)
class Agreement:
    """What one pair of photos says of a mesh."""

    gradient: np.ndarray
    """[V] float64 of the summed 1 - ZNCC, for a move of each vertex along its normal"""
    curvature: np.ndarray
    """[V] float64, of the same, at least 0"""
    score: float
    """the sum of the ZNCC over all windows that are compared"""
    n: int
    """how many windows are"""


def compare(
    view: MeshView,
    neighbour: MeshView,
    faces: np.ndarray,
    normals: np.ndarray,
    face_normals: np.ndarray,
) -> Agreement:
    """Compare a photo with its neighbour over a mesh that both look at.

    Args:
        view: of the photo.
        neighbour: of another photo, of the same mesh.
        faces: [F, 3] int32.
        normals: [V, 3] float64, unit, along which the vertices move.
        face_normals: [F, 3] float64, unit.
    """
    a, b = view.photo, neighbour.photo
    b_from_a = np.linalg.inv(b.world_from_camera) @ a.world_from_camera
    warped, slope, both = _reproject(
        view.raster.depth,
        a.known & view.raster.front,
        _numbers(a.lens),
        b_from_a,
        neighbour.raster.depth,
        b.grey,
        b.known,
        _numbers(b.lens),
    )
    pixel_gradient, stiffness, score, n = _correlate(a.grey, warped, both)
    gradient = np.zeros(len(normals))
    curvature = np.zeros(len(normals))
    _scatter(
        view.raster.face_id,
        view.raster.barycentric,
        _numbers(a.lens),
        np.ascontiguousarray(a.world_from_camera[:3, :3]),
        pixel_gradient * slope,
        stiffness * slope**2,
        faces,
        normals,
        face_normals,
        gradient,
        curvature,
    )
    return Agreement(gradient, curvature, score, n)


def _numbers(lens: Intrinsics) -> np.ndarray:
    return np.array([lens.fx, lens.fy, lens.cx, lens.cy])


@njit(cache=True, nogil=True, fastmath=True)
def _reproject(depth, known, lens, b_from_a, b_depth, b_grey, b_known, b_lens):
    """Read the neighbour's grey values [H, W] at the points that the photo's pixels see.

    Returns:
        They, their slope along the depth of those points, and where both see the same point.
    """
    height, width = depth.shape
    b_height, b_width = b_depth.shape
    warped = np.zeros((height, width), np.float32)
    slope = np.zeros((height, width), np.float32)
    both = np.zeros((height, width), np.bool_)
    m = b_from_a
    for row in range(height):
        y = (row + 0.5 - lens[3]) / lens[1]
        for column in range(width):
            z = depth[row, column]
            if not known[row, column] or not np.isfinite(z):
                continue
            x = (column + 0.5 - lens[2]) / lens[0]
            ax = m[0, 0] * x + m[0, 1] * y + m[0, 2]
            ay = m[1, 0] * x + m[1, 1] * y + m[1, 2]
            az = m[2, 0] * x + m[2, 1] * y + m[2, 2]
            far = az * z + m[2, 3]
            if far <= 1e-9:
                continue
            u = b_lens[0] * (ax * z + m[0, 3]) / far + b_lens[2] - 0.5
            v = b_lens[1] * (ay * z + m[1, 3]) / far + b_lens[3] - 0.5
            if not (u >= 0 and v >= 0 and u < b_width - 1 and v < b_height - 1):
                continue
            left, top = int(u), int(v)
            nearest = b_depth[top, left]
            farthest = nearest
            seen = True
            for i in range(2):
                for j in range(2):
                    there = b_depth[top + i, left + j]
                    seen = seen and b_known[top + i, left + j] and np.isfinite(there)
                    nearest, farthest = min(nearest, there), max(farthest, there)
            pixel = far / b_lens[0]
            if not seen or far > farthest + 2 * pixel or farthest - nearest > 8 * pixel:
                continue
            du, dv = u - left, v - top
            g00, g01 = b_grey[top, left], b_grey[top, left + 1]
            g10, g11 = b_grey[top + 1, left], b_grey[top + 1, left + 1]
            above, below = g00 + (g01 - g00) * du, g10 + (g11 - g10) * du
            along_u = (g01 - g00) * (1 - dv) + (g11 - g10) * dv
            warped[row, column] = above + (below - above) * dv
            u_z = b_lens[0] * (ax * m[2, 3] - az * m[0, 3]) / (far * far)
            v_z = b_lens[1] * (ay * m[2, 3] - az * m[1, 3]) / (far * far)
            slope[row, column] = along_u * u_z + (below - above) * v_z
            both[row, column] = True
    return warped, slope, both


@njit(cache=True, nogil=True, fastmath=True)
def _box(values):
    """[C, H, W] sums over the windows about each pixel."""
    n, height, width = values.shape
    rows = np.zeros_like(values)
    out = np.zeros_like(values)
    for c in range(n):
        for i in range(height):
            total = 0.0
            for j in range(min(RADIUS, width)):
                total += values[c, i, j]
            for j in range(width):
                if j + RADIUS < width:
                    total += values[c, i, j + RADIUS]
                if j > RADIUS:
                    total -= values[c, i, j - RADIUS - 1]
                rows[c, i, j] = total
        for i in range(height):
            for k in range(max(0, i - RADIUS), min(height, i + RADIUS + 1)):
                for j in range(width):
                    out[c, i, j] += rows[c, k, j]
    return out


@njit(cache=True, nogil=True, fastmath=True)
def _correlate(grey, warped, both):
    """Differentiate the summed 1 - ZNCC for each pixel [H, W] of the neighbour.

    Returns:
        The gradient, the second derivative, the summed ZNCC, and the number of windows.
    """
    height, width = grey.shape
    values = np.zeros((6, height, width))
    for i in range(height):
        for j in range(width):
            if both[i, j]:
                a, b = grey[i, j], warped[i, j]
                values[0, i, j] = 1.0
                values[1, i, j] = a
                values[2, i, j] = b
                values[3, i, j] = a * a
                values[4, i, j] = b * b
                values[5, i, j] = a * b
    sums = _box(values)
    score, count = 0.0, 0
    values = np.zeros((5, height, width))
    for i in range(height):
        for j in range(width):
            n = sums[0, i, j]
            if not both[i, j] or n < FEWEST:
                continue
            mean_a, mean_b = sums[1, i, j] / n, sums[2, i, j] / n
            var_a = max(sums[3, i, j] / n - mean_a * mean_a, 0.0) + NOISE
            var_b = max(sums[4, i, j] / n - mean_b * mean_b, 0.0) + NOISE
            z = (sums[5, i, j] / n - mean_a * mean_b) / np.sqrt(var_a * var_b)
            score += z
            count += 1
            if z <= 0.0:
                continue
            alpha = 1 / (n * np.sqrt(var_a * var_b))
            beta = z / (n * var_b)
            values[0, i, j] = alpha
            values[1, i, j] = alpha * mean_a
            values[2, i, j] = beta
            values[3, i, j] = beta * mean_b
            values[4, i, j] = 1 / (n * var_b)
    sums = _box(values)
    pixel_gradient = np.zeros((height, width))
    stiffness = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            if both[i, j]:
                pixel_gradient[i, j] = -(
                    grey[i, j] * sums[0, i, j]
                    - sums[1, i, j]
                    - warped[i, j] * sums[2, i, j]
                    + sums[3, i, j]
                )
                stiffness[i, j] = sums[4, i, j]
    return pixel_gradient, stiffness, score, count


@njit(cache=True, nogil=True, fastmath=True)
def _scatter(
    face_id,
    barycentric,
    lens,
    rotation,
    pixel_gradient,
    stiffness,
    faces,
    normals,
    face_normals,
    gradient,
    curvature,
):
    """Add to vertices what pixels want of the depth that they see."""
    height, width = face_id.shape
    shares = np.zeros(3)
    for row in range(height):
        y = (row + 0.5 - lens[3]) / lens[1]
        for column in range(width):
            if stiffness[row, column] == 0.0 and pixel_gradient[row, column] == 0.0:
                continue
            f = face_id[row, column]
            x = (column + 0.5 - lens[2]) / lens[0]
            rx = rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2]
            ry = rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2]
            rz = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2]
            nx, ny, nz = face_normals[f, 0], face_normals[f, 1], face_normals[f, 2]
            toward = nx * rx + ny * ry + nz * rz
            if toward > -GRAZING * np.sqrt(x * x + y * y + 1):
                continue
            w1, w2 = barycentric[row, column, 0], barycentric[row, column, 1]
            total = 0.0
            for k in range(3):
                v = faces[f, k]
                w = 1 - w1 - w2 if k == 0 else (w1 if k == 1 else w2)
                facing = nx * normals[v, 0] + ny * normals[v, 1] + nz * normals[v, 2]
                shares[k] = w * facing / toward
                total += shares[k]
            for k in range(3):
                gradient[faces[f, k]] += pixel_gradient[row, column] * shares[k]
                curvature[faces[f, k]] += stiffness[row, column] * max(shares[k] * total, 0.0)
