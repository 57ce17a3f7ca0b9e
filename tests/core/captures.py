"""Small captures with exact geometry, synthesised for tests."""

from pathlib import Path

import av
import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from core.geometry.cameras import Intrinsics, project
from core.geometry.rigid import invert, similarity, transform_points

DATA = Path(__file__).parents[2] / "../shared/data"
LENS = Intrinsics(80, 60, 70.0, 70.0, 40.0, 30.0)


def look_at(origin, target, up=(0.0, 0.0, 1.0)) -> np.ndarray:
    """world_from_camera [4, 4], OpenCV axes."""
    forward = np.asarray(target, float) - origin
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    return similarity(1.0, np.stack([right, down, forward], 1), np.asarray(origin, float))


def orbit(n: int, distance: float = 4.0, target=(0.0, 0.0, 0.0), arc: float = 2 * np.pi):
    """[n] poses around ``target``, looking at it from varied heights."""
    poses = []
    for i in range(n):
        yaw, pitch = arc * i / n, 0.2 + 0.5 * (i % 3) / 2
        offset = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
        poses.append(look_at(np.asarray(target) + distance * offset, target))
    return poses


def ball_mask(lens: Intrinsics, pose: np.ndarray, center, radius: float) -> np.ndarray:
    """bool [H, W]: pixels whose ray meets the ball (pinhole lens)."""
    u, v = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    rays = np.stack([(u - lens.cx) / lens.fx, (v - lens.cy) / lens.fy, np.ones_like(u)], -1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    middle = transform_points(invert(pose), np.asarray(center, float)[None])[0]
    along = rays @ middle
    return (along > 0) & (middle @ middle - along**2 < radius**2)


def noise_photo(path: Path, seed: int, size=(80, 60)) -> Path:
    """A photo file of ``size`` (width, height) with random smooth content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def dng(path: Path, value: int, size=(64, 48), orientation=1, exif: Image.Exif | None = None):
    """A RAW photo of one grey, by the DNG specification, with the tags of ``exif``."""
    width, height = size
    pixels = np.full((height, width), value, "<u2").tobytes()
    byte, short, long, signed = 1, 3, 4, 10
    tags: dict = {
        254: (long, 0),
        256: (long, width),
        257: (long, height),
        258: (short, 16),
        259: (short, 1),
        262: (short, 32803),
        271: (2, "Test"),
        272: (2, "Test"),
        273: (long, 0),
        274: (short, orientation),
        277: (short, 1),
        278: (long, height),
        279: (long, len(pixels)),
        33421: (short, (2, 2)),
        33422: (byte, bytes([0, 1, 1, 2])),
        50706: (byte, bytes([1, 4, 0, 0])),
        50708: (2, "Test"),
        50717: (long, 65535),
        50721: (signed, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)),
        50728: (5, (1.0, 1.0, 1.0)),
    }
    directory = ImageFileDirectory_v2(b"II*\0\x08\0\0\0")
    for tag, (kind, of_tag) in tags.items():
        directory.tagtype[tag] = kind
        directory[tag] = of_tag
    for tag in (0x8769, 0x8825):
        if exif is not None and exif.get_ifd(tag):
            directory.tagtype[tag] = long
            directory[tag] = exif.get_ifd(tag)
    path.write_bytes(b"II*\0\x08\0\0\0" + directory.tobytes(8) + pixels)
    return path


def textured_plane_photos(folder: Path, poses, lens: Intrinsics, seed: int = 0) -> list[Path]:
    """JPEG photos of two randomly textured planes, the floor z = 0 and a wall y = 1.5."""
    rng = np.random.default_rng(seed)
    texture = np.kron(rng.integers(0, 255, (128, 128, 3)), np.ones((4, 4, 1))).astype(np.float64)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    u, v = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    rays = np.stack([(u - lens.cx) / lens.fx, (v - lens.cy) / lens.fy, np.ones_like(u)], -1)
    for i, pose in enumerate(poses):
        origin, directions = pose[:3, 3], rays @ pose[:3, :3].T
        to_floor = np.where(directions[..., 2] < 0, -origin[2] / directions[..., 2], np.inf)
        to_wall = np.where(directions[..., 1] > 0, (1.5 - origin[1]) / directions[..., 1], np.inf)
        t = np.minimum(to_floor, to_wall)
        point = origin + np.where(np.isfinite(t), t, 0)[..., None] * directions
        first = point[..., 0]
        second = np.where(to_floor < to_wall, point[..., 1], point[..., 2] + 10)
        row = (first * 60).astype(int) % 512
        column = (second * 60).astype(int) % 512
        pixels = np.where(np.isfinite(t)[..., None], texture[row, column], 128)
        paths.append(folder / f"IMG_{i}.jpg")
        Image.fromarray(pixels.astype(np.uint8)).save(paths[-1], quality=95)
    return paths


def film_of(path: Path, photos: list[Path]) -> Path:
    """A film of which each frame is one of ``photos``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        with Image.open(photos[0]) as first:
            stream.width, stream.height = first.size
        stream.bit_rate = 20_000_000
        for photo in photos:
            container.mux(stream.encode(av.VideoFrame.from_image(Image.open(photo))))
        container.mux(stream.encode(None))
    return path


def pixels_of(lens: Intrinsics, pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[N, 2] where the camera sees world points [N, 3]."""
    return project(lens, transform_points(invert(pose), points))
