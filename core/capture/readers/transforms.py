"""Reader of transforms.json in its instant-ngp, nerfstudio and NeRF-synthetic flavours.

The file gives camera-to-world matrices with OpenGL camera axes and one lens, either for all
photos or per frame; NeRF-synthetic captures split it into ``transforms_train.json`` and
``transforms_test.json`` and carry masks as alpha.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.base.errors import UserError
from core.base.text import Text, text, verbatim
from core.capture.photos import (
    SUFFIXES,
    abbreviate_names,
    has_transparency,
    photo_size,
    require_enough,
)
from core.capture.region import propose_region
from core.capture.scene import CameraModel, Intrinsics, Photo, Scene
from core.geometry.rigid import nearest_rigid, world_from_opengl_camera

TRANSFORMS = text("a posed capture (transforms.json)")
WHITE = (1.0, 1.0, 1.0)
_FISHEYE_MODELS = {"OPENCV_FISHEYE", "FISHEYE"}
_PLANAR_MODELS = {
    "",
    "OPENCV",
    "FULL_OPENCV",
    "PINHOLE",
    "SIMPLE_PINHOLE",
    "SIMPLE_RADIAL",
    "RADIAL",
    "PERSPECTIVE",
}
_OTHER_MODELS = ("ftheta_p0", "latlong", "equirectangular", "orthographic")
"""Keys by which instant-ngp marks lenses that are not supported."""
_LENS_KEYS = ("fl_x", "camera_angle_x")


def find_transforms(path: Path) -> Path | None:
    """Return the file that describes the capture at ``path`` (a folder or a .json file), if any."""
    if path.is_file():
        return path if path.suffix.lower() == ".json" else None
    for name in ("transforms.json", "transforms_train.json"):
        if (path / name).is_file():
            return path / name
    return None


def read_transforms(path: Path) -> Scene:
    """Read the capture described by a transforms.json, or by a folder that holds one.

    Frames whose file is missing are left out and listed in the notices.

    Raises:
        UserError: the file is not JSON, lacks intrinsics, holds a NaN or singular matrix, or fewer
            than three of its photos exist.
    """
    file = find_transforms(Path(path))
    if file is None:
        raise UserError(text("{path} holds no transforms.json", path=path), text("Check the path."))
    photos, notices, data = _read_split(file)
    require_enough(len(photos), file)
    held_out: list[Photo] = []
    if file.name == "transforms_train.json":
        for name in ("transforms_test.json", "transforms_val.json"):
            if (file.parent / name).is_file():
                held_out, more, _ = _read_split(file.parent / name, may_be_missing=True)
                notices += more
                break
    transparent = any(has_transparency(p.path) for p in photos[:3])
    has_masks = transparent or any(p.mask_path for p in photos)
    return propose_region(
        Scene(
            kind=TRANSFORMS,
            photos=tuple(photos),
            scene_from_input=np.eye(4),
            held_out=tuple(held_out),
            points=_sparse_points(file.parent, data),
            has_masks=has_masks,
            background=WHITE if has_masks else None,
            notices=tuple(notices),
        ),
        declared_z_up=True,
    )


def _read_split(
    file: Path, may_be_missing: bool = False
) -> tuple[list[Photo], list[Text], dict[str, Any]]:
    """Return photos, notices and the content of one file; ``may_be_missing``: none need exist."""
    data = _load(file)
    photos: list[Photo] = []
    missing: list[str] = []
    for index, frame in enumerate(data["frames"]):
        photo = _photo(file, data, frame, index)
        if photo is None:
            missing.append(Path(str(frame.get("file_path", index))).name)
        else:
            photos.append(photo)
    if missing and not photos and not may_be_missing:
        raise UserError(
            text(
                "{file} lists {n} photos, none of which exists",
                file=file,
                n=len(missing),
            ),
            text(
                "Put them beside it, the first as {name}.", name=data["frames"][0].get("file_path")
            ),
        )
    return photos, missing_notice(verbatim(file.name), missing, len(data["frames"])), data


def missing_notice(source: Text, missing: list[str], listed: int) -> list[Text]:
    """Return a notice of photos that ``source`` lists but that do not exist."""
    if not missing:
        return []
    return [
        text(
            "{n_missing} of {n} photos listed in {source} do not exist: {names}",
            n_missing=len(missing),
            n=listed,
            source=source,
            names=abbreviate_names(missing),
        )
    ]


def _load(file: Path) -> dict[str, Any]:
    try:
        data: Any = json.loads(file.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        raise UserError(
            text("{file} is not valid JSON (line {line})", file=file, line=line)
            if line
            else text("{file} is not valid JSON", file=file),
            text("Export it again."),
        ) from error
    except OSError as error:
        raise UserError(
            text("{file} cannot be read ({reason})", file=file, reason=error.strerror),
            text("Check the path."),
        ) from error
    content = cast(dict[str, Any], data) if isinstance(data, dict) else {}
    frames: Any = content.get("frames")
    listed = cast(list[Any], frames) if isinstance(frames, list) else []
    if not listed or not all(isinstance(frame, dict) for frame in listed):
        raise UserError(
            text("{file} lists no frames", file=file),
            text("A transforms.json needs a list 'frames'."),
        )
    return content


def _photo(file: Path, data: dict[str, Any], frame: dict[str, Any], index: int) -> Photo | None:
    listed = frame.get("file_path")
    if not isinstance(listed, str):
        raise UserError(
            text("{file}, frame {index}, has no file_path", file=file, index=index),
            text("Export it again."),
        )
    path = _existing(file.parent, listed)
    pose = _pose(file, frame, listed)
    lens = _intrinsics(file, data | frame, path)
    if path is None or lens is None:
        return None
    mask = frame.get("mask_path")
    mask_path = _existing(file.parent, mask) if isinstance(mask, str) else None
    if isinstance(mask, str) and mask_path is None:
        raise UserError(
            text(
                "{mask}, the mask of {photo}, does not exist",
                mask=file.parent / mask,
                photo=listed,
            ),
            text("Restore it, or remove mask_path from {name}.", name=file.name),
        )
    if mask_path is not None:
        require_same_size(path, mask_path)
    return Photo(_tidy(listed), path, lens, pose, mask_path)


def require_same_size(photo: Path, mask: Path) -> None:
    """Raise UserError where a mask does not have its photo's size."""
    (width, height), (mask_width, mask_height) = photo_size(photo), photo_size(mask)
    if (width, height) != (mask_width, mask_height):
        raise UserError(
            text(
                "The mask {mask} is {mask_width}x{mask_height} pixels, its photo {name} "
                "{width}x{height}",
                mask=mask,
                mask_width=mask_width,
                mask_height=mask_height,
                name=photo.name,
                width=width,
                height=height,
            ),
            text("Make masks of the same size as the photos."),
        )


def _tidy(listed: str) -> str:
    return listed.replace("\\", "/").removeprefix("./")


def _existing(folder: Path, listed: str) -> Path | None:
    path = folder / _tidy(listed)
    candidates = [path, *(path.with_name(path.name + s) for s in (".png", *SUFFIXES))]
    return next((c for c in candidates if c.is_file()), None)


def _pose(file: Path, frame: dict[str, Any], listed: str) -> np.ndarray:
    """Return world_from_camera [4, 4], OpenCV axes."""
    try:
        matrix = np.array(frame.get("transform_matrix"), np.float64)
        if matrix.shape not in ((3, 4), (4, 4)):
            raise ValueError("it is not a 4x4 matrix")
        full = np.eye(4)
        full[:3] = matrix[:3]
        return world_from_opengl_camera(nearest_rigid(full))
    except (TypeError, ValueError) as error:
        reason = str(error) if str(error).startswith("it ") else "it is not a 4x4 matrix"
        raise UserError(
            text(
                "{file}: the transform_matrix of frame {frame} cannot be used: {reason}",
                file=file,
                frame=listed,
                reason=reason,
            ),
            text("Remove that frame, or export the file again."),
        ) from error


def _intrinsics(file: Path, entry: dict[str, Any], path: Path | None) -> Intrinsics | None:
    """Return the lens of one frame; ``entry`` is the file's header overlaid with the frame.

    None where it needs the size of a photo that does not exist.
    """
    if not any(key in entry for key in _LENS_KEYS):
        raise UserError(
            text("{file} lacks intrinsics (camera_angle_x, or fl_x with cx and cy)", file=file),
            text("Export it with the focal length, or open the photo folder to solve the poses."),
        )
    try:
        width, height = int(entry.get("w", 0)), int(entry.get("h", 0))
        if not (width and height):
            if path is None:
                return None
            width, height = photo_size(path)
        fx = _focal(entry, "fl_x", "camera_angle_x", width)
        fy = _focal(entry, "fl_y", "camera_angle_y", height, fx)
        cx, cy = float(entry.get("cx", width / 2)), float(entry.get("cy", height / 2))
        model, distortion = _lens_model(file, entry)
    except (TypeError, ValueError) as error:
        raise UserError(
            text("{file} has intrinsics that are not numbers", file=file), text("Export it again.")
        ) from error
    if not (math.isfinite(fx * fy * cx * cy) and fx > 0 and fy > 0):
        raise UserError(
            text("{file} has a focal length that is not positive", file=file),
            text("Export it again."),
        )
    return Intrinsics(width, height, fx, fy, cx, cy, model, distortion)


def _focal(
    entry: dict[str, Any], key: str, angle_key: str, side: int, default: float = math.nan
) -> float:
    if key in entry:
        return float(entry[key])
    if "fl_x" in entry or angle_key not in entry:
        return default
    return 0.5 * side / math.tan(0.5 * float(entry[angle_key]))


def _lens_model(file: Path, entry: dict[str, Any]) -> tuple[CameraModel, tuple[float, ...]]:
    other = next((key for key in _OTHER_MODELS if entry.get(key, False) is not False), "")
    name = str(entry.get("camera_model", other)).upper()
    if name not in _FISHEYE_MODELS | _PLANAR_MODELS:
        raise UserError(
            text(
                "{file} uses the camera model {name}, which is not supported", file=file, name=name
            ),
            text("Undistort the photos to a pinhole camera first."),
        )

    def coefficients(*keys: str) -> tuple[float, ...]:
        return tuple(float(entry.get(k, 0.0)) for k in keys)

    if name in _FISHEYE_MODELS or entry.get("is_fisheye"):
        return "fisheye", coefficients("k1", "k2", "k3", "k4")
    distortion = coefficients("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    return ("opencv", distortion) if any(distortion) else ("pinhole", ())


def _sparse_points(folder: Path, data: dict[str, Any]) -> np.ndarray:
    listed = data.get("ply_file_path")
    if not isinstance(listed, str) or not (folder / listed).is_file():
        return np.zeros((0, 3), np.float32)
    import trimesh  # only here, as it takes a third of a second to import

    try:
        vertices = np.asarray(trimesh.load(folder / listed, process=False).vertices, np.float32)  # type: ignore[union-attr]
    except Exception as error:
        raise UserError(
            text("{file} is not a readable PLY file", file=folder / listed),
            text("Export it again, or remove ply_file_path."),
        ) from error
    return vertices[np.isfinite(vertices).all(1)]
