"""Reader of COLMAP models, binary and text, through pycolmap.

It maps COLMAP's camera models to lenses (`core.geometry.cameras`) and refuses the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.base.errors import UserError
from core.base.interrupts import preserve_handlers
from core.base.text import Text, text
from core.capture.photos import is_photo, natural_key, require_enough
from core.capture.readers.transforms import missing_notice
from core.capture.region import propose_region
from core.capture.scene import Intrinsics, Photo, Scene
from core.geometry.rigid import invert

COLMAP = text("a COLMAP model")
"""The kind of such a scene."""

_PARTS = ("cameras", "images", "points3D")
_PHOTO_FOLDERS = ("images", "input", "photos", "")
_MAX_REPROJECTION_ERROR = 2.0  # pixels


def find_models(path: Path) -> list[Path]:
    """Return the folders at or below ``path`` that hold at least a part of a COLMAP model.

    These may be ``path`` itself, ``sparse``, ``sparse/*``, and the like.
    """
    below = [
        p
        for base in ("", "sparse", "colmap/sparse", "distorted/sparse")
        for p in [path / base, *_subfolders(path / base)]
    ]
    return list(dict.fromkeys(p for p in below if _has(p, "cameras") or _has(p, "images")))


def read_colmap(path: Path, index: int = 0) -> Scene:
    """Read a COLMAP capture.

    Args:
        path: the model folder, its ``sparse`` folder, or the folder that holds both ``sparse`` and
            the photos.
        index: of several `sub_models`, the one to read.

    Raises:
        UserError: the model lacks a file, cannot be read, or its photos are missing.
    """
    path = Path(path)
    found = _complete_models(path)
    if index >= len(found):
        raise UserError(
            text(
                "{path} has no sub-model {index}: there are {n}",
                path=path,
                index=index,
                n=len(found),
            ),
            text("Choose one from 0, the largest, to {last}", last=len(found) - 1),
        )
    reconstruction, model = found[index]
    notices: list[Text] = []
    if len(found) > 1:
        notices.append(
            text(
                "{n} sub-models; {name} with {n_photos} photos is used",
                n=len(found),
                name=model.name,
                n_photos=reconstruction.num_reg_images(),
            )
        )
    names = [image.name for image in _registered(reconstruction)]
    if not names:
        raise UserError(
            text("The COLMAP model {model} has no photo with a pose", model=model),
            text("Solve the poses again, or open the folder of photos itself"),
        )
    folder = _photo_folder(path, model, names)
    if folder is None:
        raise UserError(
            text(
                "None of the {n} photos of the COLMAP model {model} exists",
                n=len(names),
                model=model,
            ),
            text("Put them into {folder}.", folder=path / "images"),
        )
    paths = {n: folder / n for n in names if (folder / n).is_file()}
    scene = scene_from_model(reconstruction, paths)
    require_enough(len(scene.photos), folder)
    missing = [n for n in names if n not in paths]
    notices += missing_notice(text("the COLMAP model"), missing, len(names))
    return propose_region(scene, notices=notices)


def sub_models(path: Path) -> list[tuple[str, int]]:
    """Return name and number of photos of each complete sub-model at ``path``, the largest first.

    Raises:
        UserError: there is none or one is damaged.
    """
    return [(model.name, found.num_reg_images()) for found, model in _complete_models(Path(path))]


def _complete_models(path: Path) -> list[tuple[Any, Path]]:
    """Return the models (pycolmap Reconstructions) and their folders."""
    models = find_models(path)
    complete = [m for m in models if _has(m, "cameras") and _has(m, "images")]
    if not complete:
        raise _incomplete(path, models)
    # The project's own layout is preferred over intermediate ones such as distorted/sparse.
    group = [m for m in complete if m.parent == complete[0].parent]
    return sorted(((load_model(m), m) for m in group), key=lambda rm: -rm[0].num_reg_images())


def load_model(model: Path) -> Any:
    """Read the pycolmap Reconstruction in folder ``model``.

    Raises:
        UserError: it cannot be read.
    """
    with preserve_handlers():
        import pycolmap

    try:
        return pycolmap.Reconstruction(str(model))
    except Exception as error:
        raise UserError(
            text("The COLMAP model {model} is damaged or incomplete", model=model),
            text("Export it again, or open the photo folder to solve the poses."),
        ) from error


def scene_from_model(reconstruction: Any, paths: dict[str, Path]) -> Scene:
    """Return a Scene, without region, of the registered images whose name is in ``paths``."""
    photos: list[Photo] = []
    for image in _registered(reconstruction):
        if image.name in paths:
            camera_from_world = np.eye(4)
            camera_from_world[:3] = image.cam_from_world().matrix()
            lens = intrinsics_from_camera(reconstruction.cameras[image.camera_id])
            photos.append(Photo(image.name, paths[image.name], lens, invert(camera_from_world)))
    return Scene(COLMAP, tuple(photos), np.eye(4), points=good_points(reconstruction))


def good_points(reconstruction: Any) -> np.ndarray:
    """Return the sparse points, float32 [P, 3], of three or more photos and small error.

    All points are returned where these are few.
    """
    points = list(reconstruction.points3D.values())
    if not points:
        return np.zeros((0, 3), np.float32)
    positions = np.array([p.xyz for p in points], np.float32)
    lengths = np.array([p.track.length() for p in points])
    errors = np.array([p.error for p in points])
    good = np.isfinite(positions).all(1) & (lengths >= 3) & (errors <= _MAX_REPROJECTION_ERROR)
    return positions[good] if good.sum() >= 50 else positions[np.isfinite(positions).all(1)]


def intrinsics_from_camera(camera: Any) -> Intrinsics:
    """Convert a pycolmap camera.

    Raises:
        UserError: its model is not supported.
    """
    name = camera.model.name
    values = [float(v) for v in camera.params]
    size = (int(camera.width), int(camera.height))
    if name in (
        "SIMPLE_PINHOLE",
        "SIMPLE_RADIAL",
        "RADIAL",
        "SIMPLE_RADIAL_FISHEYE",
        "RADIAL_FISHEYE",
    ):
        (f, cx, cy), rest = values[:3], values[3:]
        fx = fy = f
    else:
        (fx, fy, cx, cy), rest = values[:4], values[4:]
    if name in ("SIMPLE_PINHOLE", "PINHOLE"):
        return Intrinsics(*size, fx, fy, cx, cy)
    if name in ("SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV"):
        return Intrinsics(*size, fx, fy, cx, cy, "opencv", tuple(rest))
    if name in ("SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "OPENCV_FISHEYE"):
        return Intrinsics(*size, fx, fy, cx, cy, "fisheye", tuple(rest))
    raise UserError(
        text("The COLMAP camera model {name} is not supported", name=name),
        text("Undistort the photos with COLMAP first (image_undistorter)."),
    )


def _registered(reconstruction: Any) -> list[Any]:
    images = [i for i in reconstruction.images.values() if i.has_pose]
    return sorted(images, key=lambda image: natural_key(image.name))


def _subfolders(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted((p for p in path.iterdir() if p.is_dir()), key=lambda p: natural_key(p.name))


def _has(folder: Path, part: str) -> bool:
    return any((folder / f"{part}{suffix}").is_file() for suffix in (".bin", ".txt"))


def _photo_folder(path: Path, model: Path, names: list[str]) -> Path | None:
    """Return the folder of most of the photos; of equals, the usual one nearest to ``path``."""
    roots = dict.fromkeys([path, *model.parents[:3], model])
    folders = [root / name for root in roots for name in _PHOTO_FOLDERS]
    counts = [sum((folder / n).is_file() for n in names) for folder in folders]
    best = int(np.argmax(counts))
    return folders[best] if counts[best] else None


def _incomplete(path: Path, models: list[Path]) -> UserError:
    if not models:
        return UserError(text("{path} holds no COLMAP model", path=path), text("Check the path."))
    missing = next(part for part in _PARTS if not _has(models[0], part))
    for root in (path, *models[0].parents[:3]):
        for name in _PHOTO_FOLDERS[:-1]:
            if (root / name).is_dir() and any(is_photo(p) for p in (root / name).iterdir()):
                return UserError(
                    text(
                        "The COLMAP model {model} lacks {part}.bin, which holds its {content}",
                        model=models[0],
                        part=missing,
                        content="poses" if missing == "images" else missing,
                    ),
                    text(
                        "Restore that file, or open the photos in {folder} to solve the poses.",
                        folder=root / name,
                    ),
                )
    return UserError(
        text(
            "The COLMAP model {model} lacks {part}.bin (or .txt)",
            model=models[0],
            part=missing,
        ),
        text("Restore that file, or open the photo folder to solve the poses."),
    )
