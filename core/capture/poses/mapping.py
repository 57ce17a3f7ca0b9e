"""Cameras and points from matches: incremental mapping (Schönberger, Frahm 2016).

Part of the solving process (`process`).
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from core.base.text import text
from core.capture.poses.database import open_database
from core.capture.poses.job import Snapshot
from core.capture.poses.progress_estimate import ProgressEstimator, mapping_items
from core.geometry.rigid import invert, rotation_between
from core.geometry.scene_ball import up_direction

_MIN_MODEL_SIZE, _MAX_MODELS = 3, 5
"""Photos of a model at least, and number of models at most."""
_MIN_PHOTOS_FULL_LENS = 20
"""Photos of one camera from which on all of its distortion coefficients are solved."""
_CAUCHY_SCALE_PX = 0.5
_REFINE_ITERATIONS = 25
"""Of the last bundle adjustment; the rest of a hundred takes long and changes little."""
_MAX_ERROR_PX, _MIN_ANGLE_DEG = 4.0, 1.5
"""Reprojection error and triangulation angle of points that are kept, as in mapping."""
_MAX_SNAPSHOT_POINTS = 2000
_SNAPSHOT_TIME_FRACTION = 0.03
"""Fraction of the time that snapshots may take."""


def map_photos(
    database: Path, photos: Path, n: int, seed: int, limit_s: float, progress: ProgressEstimator
) -> list[Any]:
    """Solve the poses of the photos in a database.

    Args:
        database: holds features and matches.
        photos: the folder of the working copies.
        n: their number.
        seed: of the random numbers.
        limit_s: seconds after which mapping is cut short.
        progress: receives `Snapshot`s meanwhile.

    Returns:
        Models (pycolmap Reconstructions) of groups of photos, in the order found.
    """
    import pycolmap

    pycolmap.set_random_seed(seed)
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = 1  # threads add up in any order, which changes the poses
    options.random_seed = seed
    options.min_model_size = _MIN_MODEL_SIZE
    options.max_num_models = _MAX_MODELS
    options.max_runtime_seconds = int(limit_s) if limit_s < float("inf") else -1
    options.image_path = str(photos)
    with open_database(database) as content:
        progress.expect(mapping=mapping_items(n, content.num_keypoints() / max(n, 1)))
        progress.update("mapping", 0, 1, text("choosing the first two photos"))
        models = pycolmap.ReconstructionManager()
        pipeline = pycolmap.IncrementalPipeline(options, content, models)
        reporter = _SnapshotReporter(models, n, progress)
        for moment in ("INITIAL_IMAGE_PAIR_REG_CALLBACK", "NEXT_IMAGE_REG_CALLBACK"):
            callback = getattr(pycolmap.IncrementalPipelineCallback, moment)
            pipeline.add_callback(callback.value, reporter.report)
        pipeline.run()
    progress.finish("mapping")
    found = [models.get(i) for i in range(models.size())]
    return [m for m in found if m.num_reg_images() >= _MIN_MODEL_SIZE]


class _SnapshotReporter:
    """Reports what is placed, rarely enough to cost little."""

    def __init__(self, models: Any, n: int, progress: ProgressEstimator) -> None:
        self._models, self._n, self._progress = models, n, progress
        self._next_time = 0.0

    def report(self) -> None:
        start = time.monotonic()
        model = self._models.get(self._models.size() - 1)
        # Photos in finished models stay placed too.
        placed = sum(self._models.get(i).num_reg_images() for i in range(self._models.size()))
        placed = min(placed, self._n)
        found = snapshot(model) if start >= self._next_time else None
        self._progress.update(
            "mapping",
            placed,
            round(1.1 * self._n),  # the rest is refinement
            text("placing photo {i} of {n}", i=placed, n=self._n),
            found,
        )
        if found:
            cost = time.monotonic() - start
            self._next_time = start + cost / _SNAPSHOT_TIME_FRACTION


def snapshot(model: Any) -> Snapshot:
    """Return what the pycolmap Reconstruction ``model`` has placed so far."""
    points = list(model.points3D.values())
    points = points[:: max(1, -(-len(points) // _MAX_SNAPSHOT_POINTS))]
    return Snapshot(
        cameras=world_from_cameras(model).reshape(-1, 16).round(6).tolist(),
        points=np.array([p.xyz for p in points]).reshape(-1, 3).round(4).tolist(),
    )


def world_from_cameras(model: Any) -> np.ndarray:
    """Return the poses [N, 4, 4] of the photos that ``model`` places."""
    poses: list[np.ndarray] = []
    for image in model.images.values():
        if image.has_pose:
            camera_from_world = np.eye(4)
            camera_from_world[:3] = image.cam_from_world().matrix()
            poses.append(invert(camera_from_world))
    return np.stack(poses) if poses else np.zeros((0, 4, 4))


def refine_lenses(model: Any) -> None:
    """Solve all of OpenCV's distortion coefficients of cameras of many photos.

    Mapping starts with one coefficient, as more of them lead the first few photos astray.
    """
    import pycolmap

    counts = Counter(image.camera_id for image in model.images.values() if image.has_pose)
    for camera_id, camera in model.cameras.items():
        if counts[camera_id] >= _MIN_PHOTOS_FULL_LENS:
            focal, cx, cy, k1 = camera.params
            fisheye = "FISHEYE" in camera.model.name
            camera.model = getattr(
                pycolmap.CameraModelId, "OPENCV_FISHEYE" if fisheye else "OPENCV"
            )
            camera.params = [focal, focal, cx, cy, k1, 0.0, 0.0, 0.0]
    options = pycolmap.BundleAdjustmentOptions()
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.max_num_iterations = _REFINE_ITERATIONS
    options.print_summary = False
    # Most features are exact to a fraction of a pixel; the others should not pull at the poses.
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = _CAUCHY_SCALE_PX
    pycolmap.bundle_adjustment(model, options)
    pycolmap.ObservationManager(model).filter_all_points3D(_MAX_ERROR_PX, _MIN_ANGLE_DEG)
    model.update_point_3d_errors()


def turn_upright(model: Any) -> None:
    """Rotate the model, whose axes are arbitrary, so that +Z is up in most photos."""
    import pycolmap

    up = up_direction(world_from_cameras(model))
    rotation = rotation_between(up, np.array([0.0, 0.0, 1.0]))
    model.transform(pycolmap.Sim3d(1.0, pycolmap.Rotation3d(rotation), np.zeros(3)))
