"""Edits of a scene by a person: its region, up direction, scale and excluded photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from core.base.errors import UserError
from core.base.text import text
from core.capture.photos import MINIMUM_PHOTOS
from core.capture.scene import Scene
from core.geometry.box import Box
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit, SceneEdit
from core.geometry.rigid import invert, rotation_between, similarity, transform_points
from core.geometry.view import Point

MIN_REGION_HALF = 0.01
"""Half length of a region's side at least, scene units."""
UP = np.array([0.0, 0.0, 1.0])


def edit_scene(scene: Scene, edit: SceneEdit) -> Scene:
    """Return ``scene`` after ``edit``; its `scene_from_input` does not change.

    Raises:
        UserError: the edit is impossible.
    """
    match edit:
        case RegionEdit():
            return _with_region(scene, edit)
        case QuarterTurn():
            quarter = np.eye(4)
            i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[edit.axis]
            quarter[[i, j, i, j], [i, j, j, i]] = 0, 0, -1, 1
            upright = quarter @ scene.upright_from_input
            region = scene.region and scene.region.with_nearest_axes(upright[:3, :3])
            return replace(scene, upright_from_input=upright, region=region)
        case GroundPlane():
            return _on_ground(scene, edit)
        case KnownLength():
            return _scaled(scene, edit)


def _with_region(scene: Scene, edit: RegionEdit) -> Scene:
    box = Box(np.array(edit.cube, np.float64).reshape(4, 4))
    if not np.isfinite(box.frame_from_cube).all() or box.half.min() < MIN_REGION_HALF:
        raise UserError(text("The region is too flat"), text("Drag its sides apart"))
    return replace(scene, region=box.transformed(invert(scene.scene_from_input)))


def _on_ground(scene: Scene, edit: GroundPlane) -> Scene:
    """Make a plane the ground; the region is rotated about its centre with the upright frame."""
    before = scene.upright_from_input
    turn = scene.scene_from_input[:3, :3] / np.cbrt(np.linalg.det(scene.scene_from_input[:3, :3]))
    normal = before[:3, :3] @ turn.T @ _unit(edit.normal)
    cameras = np.stack([p.world_from_camera[:3, 3] for p in scene.photos])
    point = _in_input(scene, edit.point)
    level = transform_points(before, np.stack([point, cameras.mean(0)]))
    if (level[1] - level[0]) @ normal < 0:  # photos are taken from above the ground
        normal = -normal
    correction = similarity(1.0, rotation_between(normal, UP), np.zeros(3))
    upright = correction @ before
    upright[2, 3] -= transform_points(upright, point[None])[0, 2]
    region = scene.region
    if region is not None:
        axes = upright[:3, :3].T @ before[:3, :3] @ region.axes
        region = Box.of(region.center, region.half, axes)
    return replace(scene, upright_from_input=upright, region=region)


def _scaled(scene: Scene, edit: KnownLength) -> Scene:
    distance = float(np.linalg.norm(_in_input(scene, edit.a) - _in_input(scene, edit.b)))
    if not (edit.length > 0 and np.isfinite(edit.length)):
        raise UserError(
            text("The known length is not a positive number"), text("Enter the measured length")
        )
    if distance <= 0:
        raise UserError(
            text("The two points are the same"), text("Pick two points that are well apart")
        )
    return replace(scene, units_per_input=edit.length / distance, unit=edit.unit.strip())


def _in_input(scene: Scene, point: Point) -> np.ndarray:
    return transform_points(invert(scene.scene_from_input), np.array([point], np.float64))[0]


def _unit(v: Point) -> np.ndarray:
    length = np.linalg.norm(v)
    if not length > 0:
        raise UserError(text("No plane was found there"), text("Pick a point on flat ground"))
    return np.asarray(v, np.float64) / length


def exclude_photos(scene: Scene, names: Iterable[str], excluded: bool) -> Scene:
    """Return ``scene`` with training photos excluded from training, or included again.

    Args:
        scene: the scene.
        names: of the photos; names of other photos are ignored.
        excluded: whether they become excluded.

    Raises:
        UserError: too few would remain.
    """
    known = {photo.name for photo in scene.photos} & set(names)
    changed = replace(
        scene, excluded=scene.excluded | known if excluded else scene.excluded - known
    )
    if excluded and len(changed.training_photos) < MINIMUM_PHOTOS:
        raise UserError(
            text(
                "At least {minimum} photos must stay in training",
                minimum=MINIMUM_PHOTOS,
            ),
            text("Include others again first"),
        )
    return changed
