"""Reader of BlendedMVS and other captures in MVSNet's layout.

There is a ``cams/00000012_cam.txt`` for each ``blended_images/00000012.jpg`` (or ``images/``). It
holds, after the words extrinsic and intrinsic, camera_from_world [4, 4] with OpenCV axes and
K [3, 3], whose pixel centres are whole numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.base.errors import UserError
from core.base.text import text, verbatim
from core.capture.photos import SUFFIXES, natural_key, photo_size, require_enough
from core.capture.readers.transforms import missing_notice
from core.capture.region import propose_region
from core.capture.scene import Intrinsics, Photo, Scene
from core.geometry.rigid import invert, nearest_rigid

MVSNET = text("a capture in MVSNet's layout (cams)")
_FOLDERS = ("blended_images", "images", "image")


def find_mvsnet(path: Path) -> list[Path]:
    """Return the camera files of the capture in folder ``path``."""
    return sorted((path / "cams").glob("*_cam.txt"), key=lambda p: natural_key(p.name))


def read_mvsnet(path: Path) -> Scene:
    """Read the capture in folder ``path``.

    Raises:
        UserError: a camera is damaged or fewer than three photos exist.
    """
    photos: list[Photo] = []
    missing: list[str] = []
    cameras = find_mvsnet(Path(path))
    for file in cameras:
        name = file.name.removesuffix("_cam.txt")
        photo = _photo(Path(path), name)
        if photo is None:
            missing.append(name)
            continue
        k, pose = _camera(file)
        (fx, _, cx), (_, fy, cy), _ = k.tolist()
        lens = Intrinsics(*photo_size(photo), fx, fy, cx + 0.5, cy + 0.5)
        photos.append(Photo(photo.name, photo, lens, pose))
    require_enough(len(photos), Path(path))
    notices = missing_notice(verbatim("cams"), missing, len(cameras))
    return propose_region(Scene(MVSNET, tuple(photos), np.eye(4)), notices=notices)


def _photo(folder: Path, name: str) -> Path | None:
    files = (folder / f / f"{name}{suffix}" for f in _FOLDERS for suffix in SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def _camera(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return K [3, 3] and world_from_camera [4, 4]."""
    try:
        words = file.read_text(encoding="utf-8").split()
        at, k_at = words.index("extrinsic") + 1, words.index("intrinsic") + 1
        camera_from_world = np.array(words[at : at + 16], float).reshape(4, 4)
        k = np.array(words[k_at : k_at + 9], float).reshape(3, 3)
        if not (np.isfinite(k).all() and k[0, 0] > 0 and k[1, 1] > 0):
            raise ValueError("its focal length is not positive")
        return k, invert(nearest_rigid(camera_from_world))
    except (OSError, ValueError) as error:
        raise UserError(
            text("{file} is not a readable camera ({error})", file=file, error=error),
            text("Export it again, or remove it."),
        ) from error
