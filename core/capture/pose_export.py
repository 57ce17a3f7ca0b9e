"""Writes a posed capture so that other programs, and our own readers, can open it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.capture.scene import Intrinsics, Photo, Scene
from core.errors import UserError
from core.geometry.rigid import invert, world_from_opengl_camera

_DISTORTION_KEYS = {
    "pinhole": (), "opencv": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "fisheye": ("k1", "k2", "k3", "k4"),
}
_CAMERA_MODELS = {"pinhole": "PINHOLE", "opencv": "OPENCV", "fisheye": "OPENCV_FISHEYE"}


def write_poses(scene: Scene, out_dir: Path, workspace: Path | None = None) -> None:
    """Write ``scene`` (training and held-out photos) into ``out_dir``: a COLMAP model in
    ``sparse/0``, ``transforms.json`` (nerfstudio's flavour, OpenGL camera axes) with
    ``points.ply``, links to the photos in ``images`` (copies where links are not to be had), and
    ``report.json``.

    With the ``workspace`` of `solve_poses` the model keeps its tracks and the report its times and
    reprojection error. Raises UserError where ``out_dir`` cannot be written.
    """
    out_dir = Path(out_dir)
    photos = (*scene.photos, *scene.held_out)
    try:
        names = _link_photos(photos, out_dir)
        model = out_dir / "sparse" / "0"
        model.mkdir(parents=True, exist_ok=True)
        if workspace is not None and (Path(workspace) / "solved").is_dir():
            shutil.copytree(Path(workspace) / "solved", model, dirs_exist_ok=True)
        else:
            _write_model(scene, names, model)
        _write_json(out_dir / "transforms.json", _transforms(scene, names, out_dir))
        _write_json(out_dir / "report.json", _report(scene, workspace))
    except OSError as error:
        raise UserError(f"{out_dir} cannot be written ({error.strerror or error})",
                        "Choose another folder.") from error


def _link_photos(photos: tuple[Photo, ...], out_dir: Path) -> dict[str, str]:
    """Make every photo and mask available below ``out_dir``; the file's name, below ``images``,
    by photo name."""
    names: dict[str, str] = {}
    for photo in photos:
        name = photo.name.removeprefix("images/")
        names[photo.name] = name if Path(name).suffix else name + photo.path.suffix
        _link(photo.path, out_dir / "images" / names[photo.name])
        if photo.mask_path is not None:
            _link(photo.mask_path, _mask_file(out_dir, names[photo.name], photo.mask_path))
    return names


def _mask_file(out_dir: Path, name: str, mask: Path) -> Path:
    return (out_dir / "masks" / name).with_suffix(mask.suffix)


def _link(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(source.resolve())
    except OSError:  # Windows without the privilege, or a file system without links
        shutil.copy2(source, target)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _report(scene: Scene, workspace: Path | None) -> dict[str, Any]:
    solved = Path(workspace) / "report.json" if workspace is not None else None
    if solved is not None and solved.is_file():
        report = json.loads(solved.read_text(encoding="utf-8"))
        report.pop("fingerprint", None)
    else:
        report = {"photos_used": len(scene.photos) + len(scene.held_out),
                  "points": len(scene.points)}
    return report | {"notices": list(scene.notices)}


def _transforms(scene: Scene, names: dict[str, str], out_dir: Path) -> dict[str, Any]:
    photos = (*scene.photos, *scene.held_out)
    shared = len({photo.intrinsics for photo in photos}) == 1
    frames = []
    for photo in photos:
        frame: dict[str, Any] = {} if shared else _lens_entry(photo.intrinsics)
        frame["file_path"] = f"images/{names[photo.name]}"
        if photo.mask_path is not None:
            mask = _mask_file(out_dir, names[photo.name], photo.mask_path)
            frame["mask_path"] = mask.relative_to(out_dir).as_posix()
        frame["transform_matrix"] = world_from_opengl_camera(photo.world_from_camera).tolist()
        frames.append(frame)
    header: dict[str, Any] = _lens_entry(photos[0].intrinsics) if shared else {}
    if len(scene.points):
        import trimesh  # only here, as it takes a third of a second to import

        trimesh.PointCloud(scene.points).export(out_dir / "points.ply")
        header["ply_file_path"] = "points.ply"
    return header | {"frames": frames}


def _lens_entry(lens: Intrinsics) -> dict[str, Any]:
    entry = {"w": lens.width, "h": lens.height, "fl_x": lens.fx, "fl_y": lens.fy,
             "cx": lens.cx, "cy": lens.cy, "camera_model": _CAMERA_MODELS[lens.model]}
    return entry | dict(zip(_DISTORTION_KEYS[lens.model], lens.distortion))


def _write_model(scene: Scene, names: dict[str, str], folder: Path) -> None:
    """A COLMAP model of what the scene knows: its points have no tracks."""
    import pycolmap

    model = pycolmap.Reconstruction()
    camera_ids: dict[str, int] = {}
    for index, photo in enumerate((*scene.photos, *scene.held_out), start=1):
        key = json.dumps(asdict(photo.intrinsics))
        if key not in camera_ids:
            camera_ids[key] = len(camera_ids) + 1
            camera = _colmap_camera(photo.intrinsics, camera_ids[key])
            model.add_camera_with_trivial_rig(camera)
        image = pycolmap.Image(names[photo.name], camera_id=camera_ids[key], image_id=index)
        camera_from_world = pycolmap.Rigid3d(invert(photo.world_from_camera)[:3])
        model.add_image_with_trivial_frame(image, camera_from_world)
    for point in scene.points:
        model.add_point3D(point.astype(np.float64), pycolmap.Track(), np.full(3, 128, np.uint8))
    model.write_binary(str(folder))


def _colmap_camera(lens: Intrinsics, camera_id: int) -> Any:
    import pycolmap

    name, n = _CAMERA_MODELS[lens.model], {"pinhole": 0, "opencv": 4, "fisheye": 4}[lens.model]
    if any(lens.distortion[n:]):
        name, n = "FULL_OPENCV", 8
    distortion = (*lens.distortion, *[0.0] * 8)[:n]
    return pycolmap.Camera(
        camera_id=camera_id, model=name, width=lens.width, height=lens.height,
        params=[lens.fx, lens.fy, lens.cx, lens.cy, *distortion],
    )
