"""Reader of the IDR/NeuS layout of DTU: ``cameras_sphere.npz`` beside ``image/`` and ``mask/``.

``world_mat_i`` projects the input frame (millimetres in DTU) to pixels whose centres are whole
numbers; ``scale_mat_i`` carries the unit ball into the input frame.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import cast

import numpy as np
from scipy.linalg import rq  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from core.base.errors import UserError
from core.base.shapes import check_shapes
from core.base.text import text
from core.capture.photos import is_photo, natural_key, photo_size, require_enough
from core.capture.readers.transforms import WHITE, require_same_size
from core.capture.region import propose_region
from core.capture.scene import Intrinsics, Photo, Scene
from core.geometry.rigid import invert, nearest_rigid, similarity

IDR = text("an IDR/DTU capture (cameras_sphere.npz)")
_CAMERA_FILES = ("cameras_sphere.npz", "cameras.npz")


def find_idr(path: Path) -> Path | None:
    """Return the camera file of the capture at ``path`` (a folder, or the .npz itself), if any."""
    if path.is_file():
        return path if path.suffix == ".npz" else None
    return next((path / n for n in _CAMERA_FILES if (path / n).is_file()), None)


def read_idr(path: Path) -> Scene:
    """Read the capture described by ``cameras_sphere.npz`` in folder ``path``.

    Raises:
        UserError: the file is damaged, does not fit the photos, or masks do not fit them.
    """
    file = find_idr(Path(path))
    if file is None:
        raise UserError(
            text("{path} holds no cameras_sphere.npz", path=path), text("Check the path.")
        )
    cameras = _load(file)
    images = _files(file.parent, "image")
    masks = _files(file.parent, "mask")
    require_enough(len(images), file.parent / "image")
    if masks and len(masks) != len(images):
        raise UserError(
            text(
                "{folder} has {n_photos} photos but {n_masks} masks",
                folder=file.parent,
                n_photos=len(images),
                n_masks=len(masks),
            ),
            text("Provide one mask for each photo, or none."),
        )
    photos: list[Photo] = []
    for index, image in enumerate(images):
        if f"world_mat_{index}" not in cameras:
            raise UserError(
                text(
                    "{file} has no world_mat_{index}, the camera of {name}",
                    file=file,
                    index=index,
                    name=image.name,
                ),
                text("Remove the photo, or restore its camera."),
            )
        mask = masks[index] if masks else None
        if mask is not None:
            require_same_size(image, mask)
        lens, pose = _camera(file, cameras[f"world_mat_{index}"], index, photo_size(image))
        photos.append(Photo(image.name, image, lens, pose, mask))
    scene = Scene(
        IDR, tuple(photos), np.eye(4), has_masks=bool(masks), background=WHITE if masks else None
    )
    return propose_region(scene, declared_ball=_declared_ball(cameras))


def decompose_projection(projection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decompose a projection matrix [3, 4] by RQ (Hartley and Zisserman 2004, 6.2.4).

    Returns:
        K [3, 3] (positive diagonal, K[2, 2] = 1) and world_from_camera [4, 4].

    Raises:
        ValueError: it is not finite or singular.
    """
    check_shapes(projection=(projection, "3 4"))
    if not np.isfinite(projection).all():
        raise ValueError("it holds NaN or infinite numbers")
    if abs(np.linalg.det(projection[:, :3])) < 1e-12 * np.abs(projection[:, :3]).max() ** 3:
        raise ValueError("it is singular")
    # The overall sign of a projection is free; this one makes the rotation a proper one.
    projection = projection * np.sign(np.linalg.det(projection[:, :3]))
    k, rotation = cast(tuple[np.ndarray, np.ndarray], rq(projection[:, :3]))
    signs = np.diag(np.sign(np.diag(k)))
    k, rotation = k @ signs, signs @ rotation
    camera_from_world = similarity(1.0, rotation, np.linalg.solve(k, projection[:, 3]))
    return k / k[2, 2], invert(nearest_rigid(camera_from_world))


def _load(file: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name], np.float64) for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise UserError(
            text("{file} is not a readable .npz file", file=file), text("Copy it again.")
        ) from error


def _files(folder: Path, name: str) -> list[Path]:
    directory = next((folder / n for n in (name, f"{name}s") if (folder / n).is_dir()), None)
    if directory is None:
        return []
    files = (p for p in directory.iterdir() if is_photo(p))
    return sorted(files, key=lambda p: natural_key(p.name))


def _camera(
    file: Path, world_mat: np.ndarray, index: int, size: tuple[int, int]
) -> tuple[Intrinsics, np.ndarray]:
    try:
        k, pose = decompose_projection(world_mat[:3, :4])
    except (ValueError, IndexError) as error:
        raise UserError(
            text(
                "{file}: world_mat_{index} cannot be used: {error}",
                file=file,
                index=index,
                error=error,
            ),
            text("Export the file again."),
        ) from error
    fx, fy, cx, cy = float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2])
    return Intrinsics(*size, fx, fy, cx + 0.5, cy + 0.5), pose


def _declared_ball(cameras: dict[str, np.ndarray]) -> tuple[np.ndarray, float] | None:
    """Return centre [3] and radius of the region given by ``scale_mat_0``, if any."""
    scale_mat = cameras.get("scale_mat_0")
    if scale_mat is None or not np.isfinite(scale_mat).all() or scale_mat[0, 0] <= 0:
        return None
    return scale_mat[:3, 3], float(scale_mat[0, 0])
