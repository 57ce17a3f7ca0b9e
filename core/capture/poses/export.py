"""Writes a posed capture so that other programs, and our own readers, can open it."""

# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pycolmap and trimesh are partly typed.

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from core.base.interrupts import preserve_handlers
from core.base.outputs import Outputs
from core.capture.photos import photo_names
from core.capture.poses.report_file import in_english, read_report
from core.capture.scene import Intrinsics, Photo, Scene
from core.geometry.rigid import invert, world_from_opengl_camera

_DISTORTION_KEYS = {
    "pinhole": (),
    "opencv": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "fisheye": ("k1", "k2", "k3", "k4"),
}
_CAMERA_MODELS = {"pinhole": "PINHOLE", "opencv": "OPENCV", "fisheye": "OPENCV_FISHEYE"}


def write_poses(scene: Scene, out_dir: Path, workspace: Path | None = None) -> None:
    """Write a posed capture, its training and held-out photos.

    It is a COLMAP model in ``sparse/0``, ``transforms.json`` (nerfstudio's flavour, OpenGL camera
    axes) with ``points.ply``, links to the photos in ``images`` (copies where the system has no
    links), and ``report.json``. All of it appears together; obsolete links of an earlier run go.

    Args:
        scene: the capture.
        out_dir: folder of the results.
        workspace: of `solve_poses`; with it the model keeps its tracks and the report its times and
            reprojection error.

    Raises:
        UserError: ``out_dir`` cannot be written, or holds files of these names that Gradina did
            not write.
    """
    out_dir = Path(out_dir)
    photos = (*scene.photos, *scene.held_out)
    files = _file_names(photos)
    with Outputs(out_dir) as outputs, TemporaryDirectory(prefix="gradina-") as temporary:
        for photo, names in zip(photos, files):
            outputs.link(photo.path, out_dir / names.photo)
            if photo.mask_path is not None:
                outputs.link(photo.mask_path, out_dir / names.mask)
        model, points = Path(temporary) / "sparse" / "0", Path(temporary) / "points.ply"
        model.mkdir(parents=True)
        if workspace is not None:
            _rename_model(
                Path(workspace) / "solved", dict(zip((p.name for p in photos), files)), model
            )
        else:
            _write_model(scene, files, model)
        if len(scene.points):
            import trimesh  # only here, as it takes a third of a second to import

            trimesh.PointCloud(scene.points).export(points)
        for file in filter(Path.is_file, Path(temporary).rglob("*")):
            outputs.write(out_dir / file.relative_to(temporary), file.read_bytes())
        outputs.write(out_dir / "transforms.json", _json(_transforms(scene, files)))
        outputs.write(out_dir / "report.json", _json(_report(scene, workspace)))
        for folder in ("images/*", "masks/*", "sparse/0/*", "points.ply"):
            outputs.remove_stale(folder)


@dataclass(frozen=True)
class _Files:
    """Paths of a photo and its mask relative to the folder of results, with slashes."""

    photo: str
    mask: str
    """empty where there is no mask"""

    @property
    def name(self) -> str:
        """Name of the photo in a COLMAP model."""
        return self.photo.removeprefix("images/")


def _file_names(photos: tuple[Photo, ...]) -> list[_Files]:
    """Return for each photo unique names that stay below ``images`` and ``masks``."""
    taken: set[str] = set()
    unsafe = [i for i, photo in enumerate(photos) if not _is_plain(photo.name)]
    short = dict(zip(unsafe, photo_names([photos[i].path for i in unsafe])))
    files: list[_Files] = []
    for i, photo in enumerate(photos):
        relative = short.get(i, photo.name).removeprefix("images/").replace("\\", "_")
        name = PurePosixPath(relative)
        name = name if name.suffix else name.with_name(name.name + photo.path.suffix)
        mask = name.with_suffix(photo.mask_path.suffix) if photo.mask_path else name
        files.append(
            _Files(
                _unique(PurePosixPath("images") / name, taken),
                _unique(PurePosixPath("masks") / mask, taken) if photo.mask_path else "",
            )
        )
    return files


def _is_plain(name: str) -> bool:
    """Return whether ``name`` is a plain relative path on every system."""
    return (
        "\\" not in name
        and ":" not in name
        and not any(part in ("", ".", "..") for part in name.split("/"))
    )


def _unique(path: PurePosixPath, taken: set[str]) -> str:
    """Add to ``taken`` and return ``path``, or one like it that differs in more than case."""
    tries = (
        path,
        *(path.with_name(f"{path.stem}_{i}{path.suffix}") for i in range(2, len(taken) + 3)),
    )
    name = next(str(p) for p in tries if str(p).casefold() not in taken)
    taken.add(name.casefold())
    return name


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def _report(scene: Scene, workspace: Path | None) -> dict[str, Any]:
    saved = read_report(Path(workspace) / "report.json") if workspace else None
    if saved is not None:
        report = in_english(saved)
        del report["fingerprint"]
    else:
        report = {
            "photos_used": len(scene.photos) + len(scene.held_out),
            "points": len(scene.points),
        }
    return report | {"notices": in_english(list(scene.notices))}


def _transforms(scene: Scene, files: list[_Files]) -> dict[str, Any]:
    photos = (*scene.photos, *scene.held_out)
    shared = len({photo.intrinsics for photo in photos}) == 1
    frames: list[dict[str, Any]] = []
    for photo, names in zip(photos, files):
        frame: dict[str, Any] = {} if shared else _lens_entry(photo.intrinsics)
        frame["file_path"] = names.photo
        if photo.mask_path is not None:
            frame["mask_path"] = names.mask
        frame["transform_matrix"] = world_from_opengl_camera(photo.world_from_camera).tolist()
        frames.append(frame)
    header: dict[str, Any] = _lens_entry(photos[0].intrinsics) if shared else {}
    if len(scene.points):
        header["ply_file_path"] = "points.ply"
    return header | {"frames": frames}


def _lens_entry(lens: Intrinsics) -> dict[str, Any]:
    entry = {
        "w": lens.width,
        "h": lens.height,
        "fl_x": lens.fx,
        "fl_y": lens.fy,
        "cx": lens.cx,
        "cy": lens.cy,
        "camera_model": _CAMERA_MODELS[lens.model],
    }
    return entry | dict(zip(_DISTORTION_KEYS[lens.model], lens.distortion))


def _rename_model(source: Path, files: dict[str, _Files], folder: Path) -> None:
    """Write the model in ``source`` into ``folder``, its photos named as their ``files``."""
    with preserve_handlers():
        import pycolmap

    model = pycolmap.Reconstruction(str(source))
    for image in model.images.values():
        if image.name in files:
            image.name = files[image.name].name
    model.write_binary(str(folder))


def _write_model(scene: Scene, files: list[_Files], folder: Path) -> None:
    """Write a COLMAP model of the scene; its points have no tracks."""
    with preserve_handlers():
        import pycolmap

    model = pycolmap.Reconstruction()
    camera_ids: dict[str, int] = {}
    photos = (*scene.photos, *scene.held_out)
    for index, (photo, names) in enumerate(zip(photos, files), start=1):
        key = json.dumps(asdict(photo.intrinsics))
        if key not in camera_ids:
            camera_ids[key] = len(camera_ids) + 1
            camera = _colmap_camera(photo.intrinsics, camera_ids[key])
            model.add_camera_with_trivial_rig(camera)
        image = pycolmap.Image(names.name, camera_id=camera_ids[key], image_id=index)
        camera_from_world = pycolmap.Rigid3d(invert(photo.world_from_camera)[:3])
        model.add_image_with_trivial_frame(image, camera_from_world)
    for point in scene.points:
        model.add_point3D(point.astype(np.float64), pycolmap.Track(), np.full(3, 128, np.uint8))
    model.write_binary(str(folder))


def _colmap_camera(lens: Intrinsics, camera_id: int) -> Any:
    with preserve_handlers():
        import pycolmap

    name, n = _CAMERA_MODELS[lens.model], {"pinhole": 0, "opencv": 4, "fisheye": 4}[lens.model]
    if any(lens.distortion[n:]):
        name, n = "FULL_OPENCV", 8
    distortion = (*lens.distortion, *[0.0] * 8)[:n]
    return pycolmap.Camera(
        camera_id=camera_id,
        model=name,
        width=lens.width,
        height=lens.height,
        params=[lens.fx, lens.fy, lens.cx, lens.cy, *distortion],
    )
