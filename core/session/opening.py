"""From a path to what lies there, and what the window is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch

from core.base.jobs import Progress, Task
from core.base.paths import is_automatic, pose_workspace
from core.base.text import text
from core.capture.open import hold_out_every, needs_poses, open_capture
from core.capture.pixels import PixelStore, load_pixels
from core.capture.poses.report_file import PhotoRecord, read_report
from core.capture.poses.solve import PartialPoses
from core.capture.readers.colmap import COLMAP, sub_models
from core.capture.scene import Scene
from core.config.opening import OpenOptions
from core.config.run import MethodName, RunConfig, RunOptions
from core.field.methods import METHODS
from core.geometry.cameras import Intrinsics, pixel_directions
from core.geometry.rigid import invert, rotation_between, transform_points, transform_pose
from core.geometry.scene_ball import scene_from_ball, up_direction
from core.geometry.view import EMPTY_PATH, IDENTITY, CameraPath
from core.project.store import Project, is_project, load_project, restore
from core.protocol import Arrangement, MethodInfo, Opened, PhotoReport, PoseReport, PosesSoFar
from core.training.planner import describe_presets
from core.training.presets import run_config
from core.training.trainer import Trainer

WIDEST = 3.0
"""Tangent of half the widest angle that a photo is looked at with."""
MOST_POINTS = 6000
"""So many sparse points are shown."""


@dataclass(frozen=True)
class Opening:
    """What was found at a path."""

    path: Path
    scene: Scene
    """of a capture, or of a saved project"""
    options: OpenOptions
    """by which the capture was opened"""
    hold_out: bool
    """whether photos were held out of training"""
    project: Project | None = None
    """None: a capture"""
    store: PixelStore | None = None
    """the photos' pixels, of a project that has been trained"""
    poses: PoseReport | None = None
    """where there is something to choose"""

    def trainer(self, device: torch.device) -> Trainer | None:
        """Where a trained project left off; None for anything else. Raises UserError."""
        if self.project is None or self.store is None:
            return None
        try:
            trainer = Trainer(self.store, self.project.state.config, device)
            restore(trainer, self.project, self.path)
        except BaseException:
            self.store.close()
            raise
        return trainer


def opening(path: Path, hold_out: bool, options: OpenOptions) -> Task[Opening]:
    """Read the capture or project at ``path``, and solve poses if need be.

    Args:
        path: as in `Open`.
        hold_out: as in `Session`.
        options: for a capture.

    Raises:
        UserError: it cannot be opened.
    """
    if not is_project(path):
        scene = yield from open_capture(path, options=options)
        poses = _solved(path) if needs_poses(path) else _sub_models(path, scene, options.group)
        scene = hold_out_every(scene) if hold_out else scene
        return Opening(path, scene, options, hold_out, poses=poses)
    yield Progress(0.0, text("reading the project"))
    project = load_project(path, options.photos)
    scene, store = project.state.scene, None
    if "counters" in project.tensors:
        store = yield from load_pixels(scene, project.state.config.train.max_photo_side)
        scene = store.scene
    poses = _solved(Path(project.state.source))
    return Opening(
        path, scene, project.state.open_options, project.state.hold_out, project, store, poses
    )


def describe(found: Opening, device: torch.device, autosave: Path) -> Opened:
    """``autosave``: the folder of its automatic saves. A capture gets the device's preset."""
    path, scene, project = found.path, found.scene, found.project
    config = project.state.config if project else first_run(scene, device.type)
    photos = (*scene.photos, *scene.held_out)
    lenses = tuple(_fields(photo.intrinsics) for photo in photos)
    points = transform_points(scene.scene_from_input, scene.points)
    camera_path = project.state.camera_path if project else EMPTY_PATH
    methods = {
        name: MethodInfo(method.words, describe_presets(name, scene, device))
        for name, method in METHODS.items()
    }
    points = points[:: max(1, -(-len(points) // MOST_POINTS))].astype(np.float32)
    return Opened(
        path=str(path),
        kind=scene.kind,
        device=str(device),
        n_photos=len(scene.photos),
        n_held_out=len(scene.held_out),
        n_points=len(scene.points),
        has_masks=scene.has_masks,
        arrangement=arrangement_event(scene),
        names=tuple(p.name for p in photos),
        points=points.tobytes(),
        fov_y=lenses[0][0],
        aspect=lenses[0][1],
        lenses=lenses,
        excluded=tuple(sorted(scene.excluded)),
        n_levels=config.field.n_levels,
        choice=RunOptions.of(config),
        methods=methods,
        setting=scene.setting,
        notices=scene.notices,
        project=str(path) if project and not is_automatic(path) else "",
        autosave=str(autosave),
        camera_path=transform_path(camera_path, scene.scene_from_input),
        prompt=scene.prompt.text if scene.prompt else "",
    )


def first_run(scene: Scene, device_type: str, *, seed: int = 0) -> RunConfig:
    """Return the run of a person who chose nothing yet.

    A text prompt is learnt as a density, which may stay thin for long.
    """
    method: MethodName = "ngp" if scene.prompt else RunOptions().method
    return run_config(RunOptions(method=method), device_type, seed=seed)


def arrangement_event(scene: Scene, moved: np.ndarray | None = None) -> Arrangement:
    """Where things are; ``moved`` [4, 4] as in `Arrangement`."""
    upright_from_scene = scene.out_from_input("z") @ invert(scene.scene_from_input)
    poses = [scene.scene_from_camera(p) for p in (*scene.photos, *scene.held_out)]
    return Arrangement(
        tuple(_numbers(p) for p in poses),
        _numbers(scene.region_in_scene.frame_from_cube),
        _numbers(upright_from_scene),
        scene.unit,
        IDENTITY if moved is None else _numbers(moved),
    )


def _fields(lens: Intrinsics) -> tuple[float, float]:
    """Return the field of view that shows all of a photo through ``lens``, as far as one can.

    Returns:
        Of a pinhole in the middle: the vertical angle, radians, and the aspect.
    """
    w, h = lens.width, lens.height
    edges = np.array([[w / 2, 0], [w / 2, h], [0, h / 2], [w, h / 2]])
    rays = pixel_directions(lens, edges)
    slopes = np.abs(rays[:, :2]) / np.maximum(rays[:, 2:], 1e-3)
    x, y = np.minimum([slopes[2:, 0].max(), slopes[:2, 1].max()], WIDEST)
    return float(2 * np.arctan(y)), float(x / y)


def transform_path(path: CameraPath, similarity: np.ndarray) -> CameraPath:
    """``path`` past the same things in a scene that was moved by ``similarity`` [4, 4]."""
    poses = [transform_pose(similarity, np.reshape(view, (4, 4))) for view in path.views]
    return msgspec.structs.replace(path, views=tuple(map(_numbers, poses)))


def _numbers(matrix: np.ndarray) -> tuple[float, ...]:
    return tuple(matrix.ravel().tolist())


def _sub_models(path: Path, scene: Scene, group: int) -> PoseReport | None:
    """The models that another program made of the photos at ``path``, if there are several."""
    if scene.kind != COLMAP or len(models := sub_models(path)) < 2:
        return None
    return PoseReport((), tuple(n for _, n in models), group, (), ())


def _solved(path: Path) -> PoseReport | None:
    """Read what the solver found of the photos at ``path``; None where it left nothing."""
    report = read_report(pose_workspace(path) / "report.json")
    if report is None:
        return None
    return PoseReport(
        tuple(map(_photo_report, report.photos)),
        tuple(map(len, report.groups)),
        report.group,
        tuple(report.advice),
        tuple(attempt.text for attempt in report.attempts),
    )


def _photo_report(photo: PhotoRecord) -> PhotoReport:
    common = max(photo.links, key=lambda name: photo.links[name], default="")
    return PhotoReport(
        photo.name,
        photo.used,
        photo.reason,
        photo.details,
        common,
        photo.links.get(common, 0),
        photo.error_px,
        photo.sharpness,
    )


def poses_event(found: PartialPoses) -> PosesSoFar:
    """``found`` as it can be looked at: cameras and most points within the unit ball."""
    centers = found.cameras[:, :3, 3]
    center = np.median(centers, axis=0)
    radius = 1.5 * float(np.percentile(np.linalg.norm(centers - center, axis=1), 90)) + 1e-9
    turn = rotation_between(up_direction(found.cameras), np.array([0.0, 0.0, 1.0]))
    ball = scene_from_ball(center, radius, turn)
    poses = [transform_pose(ball, pose) for pose in found.cameras]
    points = transform_points(ball, found.points.reshape(-1, 3)).astype(np.float32)
    return PosesSoFar(tuple(_numbers(p) for p in poses), points.tobytes())
