"""A ball with stripes, photographed through a lens with distortion: what a texture should show."""

from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from core.capture.scene import Photo
from core.geometry.cameras import Intrinsics, pixel_directions
from core.meshing.mesh import Mesh
from tests.core.captures import orbit

LENS = Intrinsics(200, 160, 260.0, 260.0, 100.0, 80.0, "opencv", (-0.15, 0.05))
MAGENTA = np.array([255, 0, 255])
RADIUS = 0.7


def painted(points: np.ndarray) -> np.ndarray:
    """[N, 3] sRGB levels of points [N, 3] on the ball: a few stripes each way, no magenta."""
    x, y, z = (points / np.linalg.norm(points, axis=-1, keepdims=True)).T
    red, green, blue = 100 + 50 * np.sin(5 * z), 110 + 60 * np.sin(6 * x), 90 + 40 * np.sin(5 * y)
    return np.stack([red, green, blue], 1)


def ball(subdivisions: int = 4, grey: int = 128) -> Mesh:
    shape = trimesh.creation.icosphere(subdivisions, RADIUS)
    n = len(shape.vertices)
    return Mesh(
        np.asarray(shape.vertices, np.float64),
        np.asarray(shape.faces, np.int32),
        np.full((n, 3), grey, np.uint8),
        np.asarray(shape.vertex_normals, np.float32),
    )


def photos(
    folder: Path, n: int = 12, gains=None, masks: bool = False, arc=2 * np.pi, distance=2.5
) -> list[Photo]:
    """``n`` photos from around, brighter or darker by ``gains`` [n], before a magenta wall, or with
    that cut out."""
    found = []
    for i, pose in enumerate(orbit(n, distance, arc=arc)):
        path = folder / f"{i}.png"
        Image.fromarray(picture(pose, 1.0 if gains is None else gains[i], masks)).save(path)
        found.append(Photo(path.name, path, LENS, pose))
    return found


def picture(pose: np.ndarray, gain: float = 1.0, masks: bool = False) -> np.ndarray:
    """uint8 [H, W, 3 or 4], four rays a pixel."""
    k = 2
    lens = LENS.scaled(LENS.width * k, LENS.height * k)
    u, v = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    rays = pixel_directions(lens, np.stack([u.ravel(), v.ravel()], 1)) @ pose[:3, :3].T
    origin = pose[:3, 3]
    along = -rays @ origin
    beyond = along**2 - (origin @ origin - RADIUS**2)
    hit = beyond > 0
    rgb = np.tile(MAGENTA.astype(float), (len(rays), 1))
    points = origin + (along - np.sqrt(np.maximum(beyond, 0)))[:, None] * rays
    rgb[hit] = painted(points[hit]) * gain
    shape = LENS.height, k, LENS.width, k
    image = rgb.reshape(*shape, 3).mean((1, 3))
    alpha = 255 * hit.reshape(shape).mean((1, 3))
    out = np.concatenate([image, alpha[..., None]], -1) if masks else image
    return np.round(out).astype(np.uint8)
