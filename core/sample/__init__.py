"""The embedded sample: an owl that is defined by formulas, photographed by the project itself.

The photos in `FOLDER` are a capture like any other; that the surface behind them is known exactly
lets a demo say how far its mesh is from the truth.

Not here: the command that reconstructs it (`core.cli.demo`) and synthetic captures of single tests
(``tests/core/captures.py``). Tests: ``tests/core/sample``.
"""

# pyright: reportUnknownMemberType=false
# numba's compiled functions are partly typed.

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.base.jobs import Progress, Task
from core.base.program import ROOT
from core.base.shapes import check_shapes
from core.base.text import verbatim
from core.geometry.cameras import Intrinsics
from core.geometry.rigid import CV_FROM_GL, invert, transform_points
from core.meshing.mesh import Mesh
from core.meshing.repair.clean import clean
from core.meshing.surface.extract import extract
from core.sample import photos, shape

FOLDER = ROOT / "assets" / "sample"
LENS = Intrinsics(400, 400, 600.0, 600.0, 200.0, 200.0)
YAW, CENTER = np.radians(25.0), (0.1, 0.2, 0.9)
"""Of the owl in the capture's frame, radians and metres."""
RINGS = ((6.0, 2.85, 14), (30.0, 2.75, 14), (58.0, 2.7, 8))
TEST_VIEWS = ((18.0, 2.8, 3), (44.0, 2.75, 3))
"""Elevation in degrees, distance in metres, number of photos of each ring around the owl."""
WEBP_QUALITY = 92


def world_from_owl() -> np.ndarray:
    """[4, 4] rigid: the capture's frame (metres, +Z up) is not the owl's own, as in life."""
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(YAW), -np.sin(YAW)], [np.sin(YAW), np.cos(YAW)]]
    pose[:3, 3] = CENTER
    return pose


def sample_sdf(points: np.ndarray) -> np.ndarray:
    """Return the signed distances to the owl.

    They are exact in sign and at zero, off by the relief's slope beside it, a bound farther away.

    Args:
        points: [N, 3], metres, in the capture's frame.

    Returns:
        [N], metres.
    """
    check_shapes(points=(points, "N 3"))
    local = transform_points(invert(world_from_owl()), np.asarray(points, np.float64))
    return shape.sdf_at(np.ascontiguousarray(local))


def reference_mesh(resolution: int = 320) -> Task[Mesh]:
    """Return the owl's surface as a fine mesh in the capture's frame."""
    box = np.array([[-1.0] * 3, [1.0] * 3]) * shape.EXTENT
    mesh = yield from extract(lambda p: shape.sdf_at(p.astype(np.float64)), box, resolution)
    return clean(mesh, 0.01).transformed(world_from_owl())


def generate_sample(folder: Path) -> Task[int]:
    """Write ``transforms_train.json`` and ``transforms_test.json`` with their photos into a folder.

    Photos are transparent around the owl. The result is the same every time, up to the last bits of
    the processor's arithmetic.

    Returns:
        The number of photos.
    """
    splits = {"train": camera_poses(RINGS), "test": camera_poses(TEST_VIEWS)}
    total, done = sum(map(len, splits.values())), 0
    for split, poses in splits.items():
        (folder / split).mkdir(parents=True, exist_ok=True)
        frames: list[dict[str, Any]] = []
        for index, world_from_camera in enumerate(poses):
            path = f"{split}/{index:03d}.webp"
            save_photo(folder / path, photograph(world_from_camera))
            gl = (world_from_camera @ CV_FROM_GL).round(9) + 0.0
            frames.append({"file_path": path, "transform_matrix": gl.tolist()})
            done += 1
            yield Progress(done / total, verbatim(path))
        header = {
            "w": LENS.width,
            "h": LENS.height,
            "fl_x": LENS.fx,
            "fl_y": LENS.fy,
            "cx": LENS.cx,
            "cy": LENS.cy,
        }
        text = json.dumps({**header, "frames": frames}, indent=1)
        (folder / f"transforms_{split}.json").write_text(text + "\n")
    return done


def camera_poses(rings: tuple[tuple[float, float, int], ...]) -> list[np.ndarray]:
    """Return world_from_camera [4, 4] of hand-held cameras on ``rings`` around the owl."""
    poses: list[np.ndarray] = []
    for ring, (elevation, distance, count) in enumerate(rings):
        for i in range(count):
            azimuth = 2 * np.pi * (i + 0.37 * ring + 0.1) / count
            up = np.radians(elevation + 3 * np.sin(2.4 * i + ring))
            back = np.array(
                [np.sin(azimuth) * np.cos(up), -np.cos(azimuth) * np.cos(up), np.sin(up)]
            )
            right = np.cross(-back, [0, 0, 1])
            right /= np.linalg.norm(right)
            pose = np.eye(4)
            pose[:3, :3] = np.stack([right, np.cross(-back, right), -back], 1)
            pose[:3, 3] = np.array(CENTER) + back * distance * (1 + 0.03 * np.cos(1.7 * i + ring))
            poses.append(pose)
    return poses


def photograph(world_from_camera: np.ndarray, lens: Intrinsics = LENS) -> np.ndarray:
    """Render a photo, uint8 [H, W, 4], sRGB, straight alpha, by a pose in the capture's frame."""
    return photos.render(lens, invert(world_from_owl()) @ world_from_camera)


def save_photo(path: Path, rgba: np.ndarray) -> None:
    """Save a photo, uint8 [H, W, 4]."""
    # WebP keeps the alpha exact and is a fifth of a PNG.
    Image.fromarray(rgba, "RGBA").save(path, quality=WEBP_QUALITY, alpha_quality=100, method=6)
