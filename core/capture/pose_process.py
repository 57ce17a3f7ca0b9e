"""The process that solves poses with pycolmap: ``python -m core.capture.pose_process``.

It is a process of its own, since pycolmap can abort. It reads one JSON job from its standard
input and writes JSON lines, progress and at last the result or an error, to its standard output;
it ends as soon as its input closes, so it never outlives the one who started it.

Working copies, upright and of moderate size, are what pycolmap sees; the solved model is written
with the original names and scaled to the original size. Nothing opens the database while pycolmap
writes to it (that aborts): progress comes from handing out the work in small lots.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.capture.photos import exif_focal, photo_size, read_photo, require_enough
from core.capture.pose_matching import Clock, lots, match_photos, opened
from core.errors import UserError
from core.geometry.rigid import invert, rotation_between
from core.geometry.scene_box import up_direction

_THREADS = 2
_PHOTOS_PER_LOT = 4
_MAX_FEATURES = 6000
_FREE_LENS_FROM = 20  # photos of one camera that suffice for a full lens model


@dataclass(frozen=True)
class WorkingCopy:
    """A photo as pycolmap sees it: ``name`` is the original's, ``copy`` the file's in the
    workspace; ``size`` that of the upright original; ``focal`` in pixels of the copy, or None."""

    name: str
    copy: str
    size: tuple[int, int]
    copy_size: tuple[int, int]
    focal: float | None


def solve(job: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Solve the poses of ``job["photos"]`` (paths) within ``job["workspace"]``; the model goes to
    ``workspace/solved``. Returns what `poses.solve_poses` reports. Raises UserError."""
    workspace, seed = Path(job["workspace"]), int(job["seed"])
    clock = Clock(report)
    paths = [Path(p) for p in job["photos"]]
    copies, damaged = _copy_photos(paths, workspace / "photos", int(job["max_side"]), clock)
    require_enough(len(copies), paths[0].parent)
    _extract(workspace, copies, clock)
    compared = match_photos(workspace / "database.db", [c.copy for c in copies], seed, clock)
    model = _map(workspace, copies, seed, clock)
    reasons = damaged | _why_unused(workspace, copies, model)
    if model is None:
        raise _nothing_registered(workspace, paths[0].parent, len(copies), compared)
    error = float(model.compute_mean_reprojection_error())
    _turn_upright(model)
    _restore_originals(model, copies)
    (workspace / "solved").mkdir(exist_ok=True)
    model.write_binary(str(workspace / "solved"))
    return {
        "photos_in": len(paths),
        "photos_used": model.num_reg_images(),
        "unused": reasons,
        "points": model.num_points3D(),
        "reprojection_error_px": round(error, 3),
        "working_size_px": int(job["max_side"]),
        "seconds": clock.seconds | {"total": round(sum(clock.seconds.values()), 2)},
    }


def _copy_photos(
    paths: list[Path], folder: Path, max_side: int, clock: Clock
) -> tuple[list[WorkingCopy], dict[str, str]]:
    """Upright copies of the readable photos, and why the others are not, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    copies: list[WorkingCopy] = []
    damaged: dict[str, str] = {}
    for i, path in enumerate(paths):
        clock.update("copy", i, len(paths), f"reading photo {i + 1} of {len(paths)}")
        try:
            size = photo_size(path)
            ratio = min(1.0, max_side / max(size))
            copy_size = (max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio)))
            pixels = read_photo(path, copy_size)
            focal = exif_focal(path)
        except UserError as error:
            damaged[path.name] = error.what.removeprefix(f"{path} ")
            continue
        copy = f"{i:05d}_{path.stem}.jpg"
        Image.fromarray(pixels[..., :3]).save(folder / copy, quality=97, subsampling=0)
        copies.append(WorkingCopy(path.name, copy, size, copy_size,
                                  round(focal * ratio, 1) if focal else None))
    clock.finish("copy")
    return copies, damaged


def _extract(workspace: Path, copies: list[WorkingCopy], clock: Clock) -> None:
    """SIFT features; photos of one size and focal length share a camera."""
    import pycolmap

    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = _THREADS
    options.sift.max_num_features = _MAX_FEATURES
    database, photos = str(workspace / "database.db"), str(workspace / "photos")
    pycolmap.Database.open(database).close()  # creates it
    done = 0
    for group in _cameras(copies):
        reader = pycolmap.ImageReaderOptions()
        reader.camera_model = "SIMPLE_RADIAL"
        (width, height), focal = group[0].copy_size, group[0].focal
        if focal is not None:
            reader.camera_params = f"{focal},{width / 2},{height / 2},0"
        # entered first: else the threads of the extraction number the photos as they finish, and
        # a seed would not repeat the poses
        pycolmap.import_images(
            database, photos, camera_mode=pycolmap.CameraMode.SINGLE,
            image_names=[c.copy for c in group], options=reader,
        )
        for lot in lots(group, _PHOTOS_PER_LOT):
            clock.update("features", done, len(copies),
                         f"finding details in photo {done + 1} of {len(copies)}")
            pycolmap.extract_features(
                database, photos, image_names=[c.copy for c in lot],
                camera_mode=pycolmap.CameraMode.SINGLE, reader_options=reader,
                extraction_options=options, device=pycolmap.Device.cpu,
            )
            done += len(lot)
    clock.finish("features")


def _cameras(copies: list[WorkingCopy]) -> list[list[WorkingCopy]]:
    groups: dict[tuple[Any, ...], list[WorkingCopy]] = {}
    for copy in copies:
        groups.setdefault((copy.size, copy.focal), []).append(copy)
    return list(groups.values())


def _map(workspace: Path, copies: list[WorkingCopy], seed: int, clock: Clock) -> Any | None:
    """The largest model of incremental mapping (Schönberger and Frahm 2016), or None."""
    import pycolmap

    pycolmap.set_random_seed(seed)
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = 1  # threads add up in any order, which shows in the poses
    options.random_seed = seed
    options.min_model_size = 3
    options.max_num_models = 5
    placed = 2

    def tick() -> None:
        nonlocal placed
        placed += 1
        clock.update("mapping", placed, len(copies),
                     f"placing photo {min(placed, len(copies))} of {len(copies)}")

    clock.update("mapping", 0, 1, "choosing the first two photos")
    (workspace / "models").mkdir(exist_ok=True)
    models = pycolmap.incremental_mapping(
        str(workspace / "database.db"), str(workspace / "photos"), str(workspace / "models"),
        options=options, next_image_callback=tick,
    )
    best = max(models.values(), key=lambda m: m.num_reg_images(), default=None)
    if best is not None and best.num_reg_images() < 3:
        best = None
    if best is not None:
        clock.update("mapping", 1, 1, "refining the lens")
        _free_lenses(best)
    clock.finish("mapping")
    return best


def _free_lenses(model: Any) -> None:
    """Give cameras of many photos all of OpenCV's coefficients and adjust the whole once more.
    They start with one coefficient, as too many lead the first few photos astray."""
    import pycolmap

    counts = Counter(image.camera_id for image in model.images.values() if image.has_pose)
    for camera_id, camera in model.cameras.items():
        if counts[camera_id] >= _FREE_LENS_FROM:
            focal, cx, cy, k1 = camera.params
            camera.model = pycolmap.CameraModelId.OPENCV
            camera.params = [focal, focal, cx, cy, k1, 0.0, 0.0, 0.0]
    options = pycolmap.BundleAdjustmentOptions()
    options.ceres.solver_options.num_threads = 1
    options.print_summary = False
    pycolmap.bundle_adjustment(model, options)
    model.update_point_3d_errors()


def _why_unused(
    workspace: Path, copies: list[WorkingCopy], model: Any | None
) -> dict[str, str]:
    """A reason for each photo that has no place in the model, by name."""
    used = {i.name for i in model.images.values() if i.has_pose} if model is not None else set()
    with opened(workspace / "database.db") as database:
        ids = {image.name: image.image_id for image in database.read_all_images()}
        details = {name: database.num_keypoints_for_image(i) for name, i in ids.items()}
        pair_ids, matches = database.read_two_view_geometry_num_inliers()
    import pycolmap

    shared: dict[int, int] = {}
    for pair_id, count in zip(pair_ids, matches):
        for image_id in pycolmap.pair_id_to_image_pair(int(pair_id)):
            shared[image_id] = max(shared.get(image_id, 0), int(count))
    reasons = {}
    for copy in copies:
        if copy.copy in used:
            continue
        most = shared.get(ids.get(copy.copy, -1), 0)
        if details.get(copy.copy, 0) < 200:
            reasons[copy.name] = "too few details (blurred, dark or plain)"
        elif most < 30:
            reasons[copy.name] = "no overlap with the other photos"
        else:
            reasons[copy.name] = "does not fit together with the other photos"
    return reasons


def _nothing_registered(workspace: Path, folder: Path, n: int, compared: int) -> UserError:
    with opened(workspace / "database.db") as database:
        details = database.num_keypoints() // max(n, 1)
    return UserError(
        f"No two of the {n} photos in {folder} could be placed relative to each other "
        f"({details} details per photo found, {compared} pairs compared)",
        "Shoot 30 or more sharp photos of one still subject, each overlapping the next by "
        "two thirds, moving around it rather than turning on the spot.",
    )


def _turn_upright(model: Any) -> None:
    """Turn the model, whose axes are arbitrary, so that +Z is up in most photos."""
    import pycolmap

    poses = []
    for image in model.images.values():
        if image.has_pose:
            camera_from_world = np.eye(4)
            camera_from_world[:3] = image.cam_from_world().matrix()
            poses.append(invert(camera_from_world))
    rotation = rotation_between(up_direction(np.stack(poses)), np.array([0.0, 0.0, 1.0]))
    model.transform(pycolmap.Sim3d(1.0, pycolmap.Rotation3d(rotation), np.zeros(3)))


def _restore_originals(model: Any, copies: list[WorkingCopy]) -> None:
    """Give the model the original names, and lenses and pixel positions the original size."""
    by_copy = {copy.copy: copy for copy in copies}
    rescaled: set[int] = set()
    for image in model.images.values():
        copy = by_copy[image.name]
        camera = model.cameras[image.camera_id]
        if image.camera_id not in rescaled:
            camera.rescale(*copy.size)
            rescaled.add(image.camera_id)
        scale = np.array(copy.size) / np.array(copy.copy_size)
        for point in image.points2D:
            point.xy = point.xy * scale
        image.name = copy.name
    model.update_point_3d_errors()


def main() -> None:
    """Read a job, write messages; everything else that is printed goes to the log."""
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    job = json.loads(sys.stdin.readline())
    log = os.open(Path(job["workspace"]) / "solve.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the window and the preview come first

    def report(fraction: float, detail: str) -> None:
        messages.write(json.dumps({"fraction": fraction, "detail": detail}) + "\n")

    try:
        messages.write(json.dumps({"result": solve(job, report)}) + "\n")
    except UserError as error:
        messages.write(json.dumps({"error": [error.what, error.remedy]}) + "\n")
    messages.flush()
    os._exit(0)  # pycolmap's own threads have been seen to abort during a regular exit


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
