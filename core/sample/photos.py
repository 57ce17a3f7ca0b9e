"""Photos of the owl: rays are marched to the surface and shaded like a studio would light it.

Nothing here is cached by numba, which would not notice a change of the shape in the other file.
"""

# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false
# numba infers the types of compiled functions.

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from core.base.shapes import check_shapes
from core.geometry.cameras import Intrinsics
from core.sample import colors, shape

SUPERSAMPLE = 3
KEY = (-0.42, -0.62, 0.663)
"""Direction to the key light, owl's frame."""
EPSILON = 0.0008
SHARED = 0.012  # more than half a pixel's diagonal at the owl, with the slope of the sdf


@njit
def _march(ox, oy, oz, dx, dy, dz, start, end, tolerance):
    """Distance along the ray to within ``tolerance`` of the surface, or -1."""
    t = start
    for _ in range(400):
        step = shape.sdf(ox + t * dx, oy + t * dy, oz + t * dz)
        if step < tolerance:
            return t
        t += step * shape.SAFE_STEP
        if t > end:
            break
    return -1.0


@njit
def _normal(x, y, z):
    nx, ny, nz = 0.0, 0.0, 0.0
    for i in range(4):  # the corners of a tetrahedron
        kx = 1.0 if i == 0 or i == 3 else -1.0
        ky = 1.0 if i == 2 or i == 3 else -1.0
        kz = 1.0 if i == 1 or i == 3 else -1.0
        d = shape.sdf(x + EPSILON * kx, y + EPSILON * ky, z + EPSILON * kz)
        nx, ny, nz = nx + kx * d, ny + ky * d, nz + kz * d
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    return nx / length, ny / length, nz / length


@njit
def _light_reaching(x, y, z):
    """Share of the key light that reaches a point; soft, since the lamp is a large one."""
    share, t = 1.0, 0.02
    for _ in range(60):
        d = shape.sdf(x + KEY[0] * t, y + KEY[1] * t, z + KEY[2] * t)
        share = min(share, 0.5 + 0.5 * d / (0.12 * t))
        if share <= 0.0:
            return 0.0
        t += max(0.012, d * shape.SAFE_STEP)
        if t > 1.8:
            break
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


@njit
def _openness(x, y, z, nx, ny, nz):
    """How much of the sky a point sees: the sdf along the normal falls short in corners."""
    hidden, weight = 0.0, 1.0
    for i in range(1, 6):
        reach = 0.012 * i * i
        d = shape.sdf(x + nx * reach, y + ny * reach, z + nz * reach)
        hidden += weight * max(reach - d, 0.0) / reach
        weight *= 0.62
    return min(max(1.0 - 0.42 * hidden, 0.0), 1.0)


@njit
def _shade(x, y, z, dx, dy, dz):
    """Linear light (r, g, b) toward the eye that looks along (dx, dy, dz)."""
    nx, ny, nz = _normal(x, y, z)
    r, g, b, gloss = colors.albedo(x, y, z)
    lift = 0.004
    key = max(nx * KEY[0] + ny * KEY[1] + nz * KEY[2], 0.0)
    if key > 0.0:
        key *= _light_reaching(x + nx * lift, y + ny * lift, z + nz * lift)
    sky = _openness(x, y, z, nx, ny, nz) * (0.62 + 0.38 * nz)
    rim = max(0.55 * nx + 0.75 * ny + 0.35 * nz, 0.0) * 0.25
    hx, hy, hz = KEY[0] - dx, KEY[1] - dy, KEY[2] - dz
    half = max((nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz), 0.0)
    shine = gloss * key * (0.5 * half**60 + 0.12 * half**12)
    return (
        r * (1.55 * key + 0.55 * sky + rim) + shine,
        g * (1.44 * key + 0.59 * sky + rim) + shine,
        b * (1.29 * key + 0.66 * sky + rim) + shine,
    )


@njit(parallel=True, nogil=True)
def _render(directions, center, image):
    """Render into ``image`` [H, W, 4] linear light, averaged over hits, and coverage.

    Args:
        directions: [H, W, S, 3], unit, the middle one through the pixel's centre, owl's frame.
        center: of the camera [3], owl's frame.
        image: receives the result.
    """
    height, width, samples = directions.shape[:3]
    for row in prange(height):
        for column in range(width):
            r, g, b, hits = 0.0, 0.0, 0.0, 0
            ox, oy, oz = center
            dx, dy, dz = directions[row, column, samples // 2]
            middle = -(ox * dx + oy * dy + oz * dz)
            # All rays of a pixel share the way until the surface may lie between them.
            near = _march(
                ox, oy, oz, dx, dy, dz, middle - shape.EXTENT, middle + shape.EXTENT, SHARED
            )
            for s in range(samples if near > 0.0 else 0):
                dx, dy, dz = directions[row, column, s]
                t = _march(ox, oy, oz, dx, dy, dz, near, middle + shape.EXTENT, 4e-4)
                if t < 0.0:
                    continue
                light = _shade(ox + t * dx, oy + t * dy, oz + t * dz, dx, dy, dz)
                r, g, b, hits = r + light[0], g + light[1], b + light[2], hits + 1
            if hits:
                image[row, column, 0] = r / hits
                image[row, column, 1] = g / hits
                image[row, column, 2] = b / hits
                image[row, column, 3] = hits / samples


def render(lens: Intrinsics, owl_from_camera: np.ndarray) -> np.ndarray:
    """Render an sRGB photo with straight alpha.

    Args:
        lens: a pinhole.
        owl_from_camera: [4, 4], rigid.

    Returns:
        uint8 [H, W, 4].
    """
    check_shapes(owl_from_camera=(owl_from_camera, "4 4"))
    offsets = (np.arange(SUPERSAMPLE) + 0.5) / SUPERSAMPLE
    y, x, sy, sx = np.meshgrid(
        np.arange(lens.height), np.arange(lens.width), offsets, offsets, indexing="ij"
    )
    directions = np.stack(
        [(x + sx - lens.cx) / lens.fx, (y + sy - lens.cy) / lens.fy, np.ones_like(sx)], -1
    ).reshape(lens.height, lens.width, SUPERSAMPLE**2, 3)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    directions = directions @ owl_from_camera[:3, :3].T
    image = np.zeros((lens.height, lens.width, 4))
    _render(np.ascontiguousarray(directions), np.ascontiguousarray(owl_from_camera[:3, 3]), image)
    light = np.clip(image[..., :3], 0, 1)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(np.concatenate([srgb, image[..., 3:]], -1) * 255).astype(np.uint8)
