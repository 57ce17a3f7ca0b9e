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
from pathlib import Path
from typing import Any

import numpy as np

from core.capture.photos import require_enough
from core.capture.pose_matching import Clock, lots, match_photos
from core.capture.pose_photos import WorkingCopy, copy_photos
from core.capture.pose_report import examine, meeting_angle
from core.capture.pose_reuse import opened, set_aside, take_over
from core.errors import UserError
from core.geometry.rigid import invert, rotation_between
from core.geometry.scene_box import up_direction

_THREADS = 2
_PHOTOS_PER_LOT = 4
_MAX_FEATURES = 6000
FEWEST_PLACED = 3
_FREE_LENS_FROM = 20  # photos of one camera that suffice for a full lens model


def solve(job: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Solve the poses of ``job["photos"]`` (paths) within ``job["workspace"]``; the model goes to
    ``workspace/solved``. Returns what `poses.solve_poses` reports. Raises UserError."""
    workspace, seed = Path(job["workspace"]), int(job["seed"])
    clock = Clock(report)
    paths = [Path(p) for p in job["photos"]]
    copies, refused = copy_photos(
        paths, workspace / "photos", int(job["max_side"]),
        lambda i: clock.update("copy", i, len(paths), f"reading photo {i + 1} of {len(paths)}"),
    )
    clock.finish("copy")
    require_enough(len(copies), paths[0].parent)
    database = workspace / "database.db"
    known = _extract(database, workspace / "photos", copies, clock)
    compared = match_photos(database, [c.copy for c in copies], known, seed, clock)
    models = _map(workspace, copies, seed, clock)
    findings = examine(database, copies, refused, models)
    if not models:
        raise _nothing_registered(workspace, paths[0].parent, len(copies), compared)
    model = models[0]
    error = float(model.compute_mean_reprojection_error())
    angle = meeting_angle(model)
    _turn_upright(model)
    _restore_originals(model, copies)
    (workspace / "solved").mkdir(exist_ok=True)
    model.write_binary(str(workspace / "solved"))
    return {
        "photos_in": len(paths),
        "photos_used": model.num_reg_images(),
        "points": model.num_points3D(),
        "reprojection_error_px": round(error, 3),
        "meeting_angle_deg": round(angle, 1),
        "working_size_px": int(job["max_side"]),
        "seconds": clock.seconds | {"total": round(sum(clock.seconds.values()), 2)},
        **findings,
    }


def _extract(
    database: Path, photos: Path, copies: list[WorkingCopy], clock: Clock
) -> set[frozenset[str]]:
    """SIFT features; photos of one size and focal length share a camera. Returns the pairs of
    copies that were compared before."""
    import pycolmap

    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = _THREADS
    options.sift.max_num_features = _MAX_FEATURES
    before = set_aside(database)
    pycolmap.Database.open(str(database)).close()  # creates it
    groups = [(group, _reader(group[0])) for group in _cameras(copies)]
    for group, reader in groups:
        # entered first: else the threads of the extraction number the photos as they finish, and
        # a seed would not repeat the poses
        pycolmap.import_images(
            str(database), str(photos), camera_mode=pycolmap.CameraMode.SINGLE,
            image_names=[c.copy for c in group], options=reader,
        )
    known, pairs = take_over(before, database)
    done = len(known)
    for group, reader in groups:
        for lot in lots([c.copy for c in group if c.copy not in known], _PHOTOS_PER_LOT):
            clock.update("features", done, len(copies),
                         f"finding details in photo {done + 1} of {len(copies)}")
            pycolmap.extract_features(
                str(database), str(photos), image_names=lot,
                camera_mode=pycolmap.CameraMode.SINGLE, reader_options=reader,
                extraction_options=options, device=pycolmap.Device.cpu,
            )
            done += len(lot)
    clock.finish("features")
    return pairs


def _reader(copy: WorkingCopy) -> Any:
    """How pycolmap is to enter ``copy`` and those that share its camera."""
    import pycolmap

    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_RADIAL"
    width, height = copy.copy_size
    if copy.focal is not None:
        reader.camera_params = f"{copy.focal},{width / 2},{height / 2},0"
    return reader


def _cameras(copies: list[WorkingCopy]) -> list[list[WorkingCopy]]:
    groups: dict[tuple[Any, ...], list[WorkingCopy]] = {}
    for copy in copies:
        groups.setdefault((copy.size, copy.focal), []).append(copy)
    return list(groups.values())


def _map(workspace: Path, copies: list[WorkingCopy], seed: int, clock: Clock) -> list[Any]:
    """The models of incremental mapping (Schönberger and Frahm 2016), the largest first."""
    import pycolmap

    pycolmap.set_random_seed(seed)
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = 1  # threads add up in any order, which shows in the poses
    options.random_seed = seed
    options.min_model_size = FEWEST_PLACED
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
    found = sorted(models.values(), key=lambda m: (-m.num_reg_images(), -m.num_points3D()))
    found = [m for m in found if m.num_reg_images() >= FEWEST_PLACED]
    if found:
        clock.update("mapping", 1, 1, "refining the lens")
        _free_lenses(found[0])
    clock.finish("mapping")
    return found


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
