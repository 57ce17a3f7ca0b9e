"""Reader of LLFF captures: ``poses_bounds.npy`` beside ``images/``.

Each of its rows holds a 3x5 matrix, whose columns are the camera's down, right and backward axes in
the input frame, its centre, and (height, width, focal length), and then the near and far depths.
Source: the format's own description, Mildenhall et al. 2019 (LLFF).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.base.errors import UserError
from core.base.text import text
from core.capture.photos import list_photos
from core.capture.region import propose_region
from core.capture.scene import Intrinsics, Photo, Scene
from core.geometry.rigid import nearest_rigid, world_from_opengl_camera

LLFF = text("an LLFF capture (poses_bounds.npy)")
_FILE = "poses_bounds.npy"


def find_llff(path: Path) -> Path | None:
    """Return the file of poses of the capture at ``path`` (folder, or the file itself), if any."""
    file = path / _FILE if path.is_dir() else path
    return file if file.name == _FILE and file.is_file() else None


def read_llff(path: Path) -> Scene:
    """Read the capture in folder ``path``.

    Raises:
        UserError: the file is damaged or does not fit the photos.
    """
    file = find_llff(Path(path))
    if file is None:
        raise UserError(
            text("{path} holds no {file}", path=path, file=_FILE), text("Check the path.")
        )
    try:
        rows = np.asarray(np.load(file, allow_pickle=False), np.float64)
        matrices = rows[:, :15].reshape(-1, 3, 5)
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise UserError(
            text("{file} is not a readable table of poses", file=file), text("Copy it again.")
        ) from error
    photos = list_photos(file.parent)
    if len(photos) != len(matrices):
        raise UserError(
            text(
                "{file} has {n_poses} poses for {n_photos} photos",
                file=file,
                n_poses=len(matrices),
                n_photos=len(photos),
            ),
            text("Restore the photos that the poses were made from."),
        )
    return propose_region(
        Scene(
            LLFF,
            tuple(
                Photo(photo.name, photo, _lens(file, matrix), _pose(file, matrix, photo))
                for photo, matrix in zip(photos, matrices)
            ),
            np.eye(4),
        )
    )


def _lens(file: Path, matrix: np.ndarray) -> Intrinsics:
    height, width, focal = matrix[:, 4].tolist()
    if not (np.isfinite(matrix[:, 4]).all() and focal > 0 and width >= 1 and height >= 1):
        raise UserError(
            text("{file} has a focal length or size that is not positive", file=file),
            text("Export it again."),
        )
    return Intrinsics(int(width), int(height), focal, focal, width / 2, height / 2)


def _pose(file: Path, matrix: np.ndarray, photo: Path) -> np.ndarray:
    """Return world_from_camera [4, 4], OpenCV axes."""
    pose = np.eye(4)
    down, right, backward, center = matrix[:, :4].T
    pose[:3] = np.stack([right, -down, backward, center], 1)
    try:
        return world_from_opengl_camera(nearest_rigid(pose))
    except ValueError as error:
        raise UserError(
            text(
                "{file}: the pose of {name} cannot be used: {error}",
                file=file,
                name=photo.name,
                error=error,
            ),
            text("Export the file again."),
        ) from error
