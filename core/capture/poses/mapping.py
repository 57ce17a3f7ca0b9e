"""Cameras and points from what the photos share: incremental mapping (Schönberger, Frahm 2016).

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
from core.capture.poses.progress_estimate import ProgressEstimator, mapping_work
from core.geometry.rigid import invert, rotation_between
from core.geometry.scene_ball import up_direction

FEWEST_PLACED = 3
_MOST_GROUPS = 5
_FREE_LENS_FROM = 20  # photos of one camera that suffice for a full lens model
_SURE_WITHIN = 0.5  # pixels
_STEPS = 25  # of the last adjustment; the rest of a hundred takes long and changes little
_WORST_ERROR, _LEAST_ANGLE = 4.0, 1.5  # pixels and degrees of points that stay, as in mapping
_POINTS_SHOWN = 2000
_SHARE_FOR_SHOWING = 0.03  # of the time, at most


def map_photos(
    database: Path, photos: Path, n: int, seed: int, limit_s: float, clock: ProgressEstimator
) -> list[Any]:
    """The models (pycolmap Reconstructions) of groups of the ``n`` photos in ``database``, in the
    order found; cut short after ``limit_s`` seconds. The clock tells the cameras meanwhile."""
    import pycolmap

    pycolmap.set_random_seed(seed)
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = 1  # threads add up in any order, which shows in the poses
    options.random_seed = seed
    options.min_model_size = FEWEST_PLACED
    options.max_num_models = _MOST_GROUPS
    options.max_runtime_seconds = int(limit_s) if limit_s < float("inf") else -1
    options.image_path = str(photos)
    with open_database(database) as content:
        clock.expect(mapping=mapping_work(n, content.num_keypoints() / max(n, 1)))
        clock.update("mapping", 0, 1, text("choosing the first two photos"))
        models = pycolmap.ReconstructionManager()
        pipeline = pycolmap.IncrementalPipeline(options, content, models)
        watch = _Watch(models, n, clock)
        for moment in ("INITIAL_IMAGE_PAIR_REG_CALLBACK", "NEXT_IMAGE_REG_CALLBACK"):
            callback = getattr(pycolmap.IncrementalPipelineCallback, moment)
            pipeline.add_callback(callback.value, watch.look)
        pipeline.run()
    clock.finish("mapping")
    found = [models.get(i) for i in range(models.size())]
    return [m for m in found if m.num_reg_images() >= FEWEST_PLACED]


class _Watch:
    """Tells the clock what is placed, rarely enough to cost little."""

    def __init__(self, models: Any, n: int, clock: ProgressEstimator) -> None:
        self._models, self._n, self._clock = models, n, clock
        self._next = 0.0

    def look(self) -> None:
        began = time.monotonic()
        model = self._models.get(self._models.size() - 1)
        # those in groups that are finished stay placed, if not here
        placed = sum(self._models.get(i).num_reg_images() for i in range(self._models.size()))
        placed = min(placed, self._n)
        found = snapshot(model) if began >= self._next else None
        self._clock.update(
            "mapping",
            placed,
            round(1.1 * self._n),  # the rest is refinement
            text("placing photo {i} of {n}", i=placed, n=self._n),
            found,
        )
        if found:
            cost = time.monotonic() - began
            self._next = began + cost / _SHARE_FOR_SHOWING


def snapshot(model: Any) -> dict[str, Any]:
    """``cameras``: world_from_camera of the photos placed so far, 16 numbers each, row by row;
    ``points``: [x, y, z] of some. In the frame of ``model``, which means nothing."""
    points = list(model.points3D.values())
    points = points[:: max(1, -(-len(points) // _POINTS_SHOWN))]
    return {
        "cameras": world_from_cameras(model).reshape(-1, 16).round(6).tolist(),
        "points": np.array([p.xyz for p in points]).reshape(-1, 3).round(4).tolist(),
    }


def world_from_cameras(model: Any) -> np.ndarray:
    """[N, 4, 4] of the photos that ``model`` places."""
    poses = []
    for image in model.images.values():
        if image.has_pose:
            camera_from_world = np.eye(4)
            camera_from_world[:3] = image.cam_from_world().matrix()
            poses.append(invert(camera_from_world))
    return np.stack(poses) if poses else np.zeros((0, 4, 4))


def free_lenses(model: Any) -> None:
    """Give cameras of many photos all of OpenCV's coefficients and adjust the whole once more.
    They start with one coefficient, as too many lead the first few photos astray."""
    import pycolmap

    counts = Counter(image.camera_id for image in model.images.values() if image.has_pose)
    for camera_id, camera in model.cameras.items():
        if counts[camera_id] >= _FREE_LENS_FROM:
            focal, cx, cy, k1 = camera.params
            fisheye = "FISHEYE" in camera.model.name
            camera.model = getattr(
                pycolmap.CameraModelId, "OPENCV_FISHEYE" if fisheye else "OPENCV"
            )
            camera.params = [focal, focal, cx, cy, k1, 0.0, 0.0, 0.0]
    options = pycolmap.BundleAdjustmentOptions()
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.max_num_iterations = _STEPS
    options.print_summary = False
    # most details are found to a fraction of a pixel, and the rest should not pull at the poses
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = _SURE_WITHIN
    pycolmap.bundle_adjustment(model, options)
    pycolmap.ObservationManager(model).filter_all_points3D(_WORST_ERROR, _LEAST_ANGLE)
    model.update_point_3d_errors()


def turn_upright(model: Any) -> None:
    """Turn the model, whose axes are arbitrary, so that +Z is up in most photos."""
    import pycolmap

    up = up_direction(world_from_cameras(model))
    rotation = rotation_between(up, np.array([0.0, 0.0, 1.0]))
    model.transform(pycolmap.Sim3d(1.0, pycolmap.Rotation3d(rotation), np.zeros(3)))
