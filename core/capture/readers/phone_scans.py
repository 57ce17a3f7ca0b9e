"""Readers of what scanning apps export: Polycam's ``keyframes/`` and Record3D's ``metadata.json``.

Both hold the poses that ARKit solved, in metres with +Y up and OpenGL camera axes; they are rotated
so that +Z is up. Sources: the apps' export formats as nerfstudio's converters document them.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation  # pyright: ignore[reportMissingTypeStubs]

from core.base.errors import UserError
from core.base.text import text
from core.capture.photos import SUFFIXES, list_photos, natural_key, require_enough
from core.capture.readers.transforms import missing_notice
from core.capture.region import propose_region
from core.capture.scene import Intrinsics, Photo, Scene
from core.geometry.rigid import nearest_rigid, world_from_opengl_camera

POLYCAM = text("a Polycam capture (keyframes)")
RECORD3D = text("a Record3D capture (metadata.json)")
_Z_UP = np.array([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
"""From +Y up; a cyclic permutation of the axes."""


def find_polycam(path: Path) -> list[Path]:
    """Return the camera files of the capture in folder ``path`` or its ``keyframes``.

    Those that Polycam optimised afterwards are preferred.
    """
    for root in (path, path / "keyframes"):
        for name in ("corrected_cameras", "cameras"):
            files = sorted((root / name).glob("*.json"), key=lambda p: natural_key(p.name))
            if files:
                return files
    return []


def read_polycam(path: Path) -> Scene:
    """Read the Polycam capture in folder ``path``.

    Raises:
        UserError: a camera is damaged or fewer than three photos exist.
    """
    files = find_polycam(Path(path))
    photos: list[Photo] = []
    missing: list[str] = []
    for file in files:
        folder = file.parent.with_name(file.parent.name.replace("cameras", "images"))
        photo = next(filter(Path.is_file, (folder / f"{file.stem}{s}" for s in SUFFIXES)), None)
        if photo is None:
            missing.append(file.stem)
            continue
        data = _json(file)
        try:
            rows = [[float(data[f"t_{r}{c}"]) for c in range(4)] for r in range(3)]
            width, height = int(data["width"]), int(data["height"])
            fx, fy = _positive(data["fx"], data["fy"])
            lens = Intrinsics(width, height, fx, fy, float(data["cx"]), float(data["cy"]))
            pose = _pose(np.array([*rows, [0.0, 0.0, 0.0, 1.0]]))
        except (KeyError, TypeError, ValueError) as error:
            raise _unusable(file, error) from error
        photos.append(Photo(photo.name, photo, lens, pose))
    require_enough(len(photos), Path(path))
    notices = missing_notice(text("the Polycam capture"), missing, len(files))
    return propose_region(
        Scene(POLYCAM, tuple(photos), np.eye(4), unit="m"), declared_z_up=True, notices=notices
    )


def find_record3d(path: Path) -> Path | None:
    """Return the ``metadata.json`` of a Record3D export in ``path`` or its ``EXR_RGBD``, if any."""
    files = (path / "metadata.json", path / "EXR_RGBD" / "metadata.json")
    return next((f for f in files if f.is_file() and _record3d_photos(f)), None)


def _record3d_photos(file: Path) -> Path | None:
    """Return the folder of photos beside the metadata ``file``."""
    return next((p for p in (file.with_name("rgb"), file.with_name("rgbd")) if p.is_dir()), None)


def read_record3d(path: Path) -> Scene:
    """Read the Record3D capture in folder ``path``, with a lens for each photo where it has them.

    Raises:
        UserError: the metadata is damaged or does not fit the photos.
    """
    file = find_record3d(Path(path))
    folder = file and _record3d_photos(file)
    if file is None or folder is None:
        raise UserError(
            text("{path} holds no metadata.json of Record3D", path=path), text("Check the path.")
        )
    data = _json(file)
    photos = list_photos(folder)
    try:
        k = np.array(data["K"], float).reshape(3, 3).T  # stored column by column
        shared = (k[0, 0], k[1, 1], k[0, 2], k[1, 2])
        coefficients = data.get("perFrameIntrinsicCoeffs") or [shared] * len(photos)
        size = int(data["w"]), int(data["h"])
        lenses = [
            Intrinsics(*size, *_positive(fx, fy), float(cx), float(cy))
            for fx, fy, cx, cy in coefficients
        ]
        poses = np.array(data["poses"], float).reshape(-1, 7)
        if not len(poses) == len(lenses) == len(photos):
            raise ValueError(
                f"{len(poses)} poses and {len(lenses)} lenses for {len(photos)} photos"
            )
        cameras = [_from_quaternion(row) for row in poses]
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(file, error) from error
    return propose_region(
        Scene(
            RECORD3D,
            tuple(
                Photo(photo.name, photo, lens, pose)
                for photo, lens, pose in zip(photos, lenses, cameras)
            ),
            np.eye(4),
            unit="m",
        ),
        declared_z_up=True,
    )


def _from_quaternion(row: np.ndarray) -> np.ndarray:
    """Return world_from_camera [4, 4] of (qx, qy, qz, qw, x, y, z)."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.from_quat(row[:4]).as_matrix(), row[4:]
    return _pose(pose)


def _pose(arkit: np.ndarray) -> np.ndarray:
    """Return world_from_camera [4, 4], +Z up, OpenCV axes. Raises ValueError."""
    return world_from_opengl_camera(nearest_rigid(_Z_UP @ arkit))


def _positive(fx: Any, fy: Any) -> tuple[float, float]:
    found = float(fx), float(fy)
    if not all(math.isfinite(v) and v > 0 for v in found):
        raise ValueError("its focal length is not positive")
    return found


def _json(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(file, error) from error


def _unusable(file: Path, error: Exception) -> UserError:
    return UserError(
        text("{file} cannot be used ({error})", file=file, error=error),
        text("Export the capture again."),
    )
