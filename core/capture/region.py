"""The proposed region: the up direction, the subject's box, and the map into the unit ball."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Task
from core.base.text import Text, text
from core.capture.gps import metres_per_input
from core.capture.gravity import up_by_gravity
from core.capture.photos import read_rgba
from core.capture.scene import Scene
from core.geometry.box import Box
from core.geometry.rigid import invert, rotation_between, similarity, transform_points
from core.geometry.scene_ball import (
    Ball,
    ball_from_axes,
    ball_from_scene,
    enclosing_ball,
    scene_from_ball,
    up_direction,
)
from core.geometry.silhouettes import Silhouette, visual_hull
from core.geometry.subject import (
    find_aim,
    level_plane,
    propose_subject,
    subsample_points,
    upright_box,
)

_MIN_POINTS = 50
"""Sparse points by which a region is proposed."""
_MASK_SIDE = 160
"""Longer side of the masks that are read, pixels; enough for a box."""
_MAX_MASKS = 40
_OPAQUE = 64
"""Opacity, of 255, from which on a pixel of a shrunk mask counts as subject."""
_MARGIN = 0.05
"""Margin about the visual hull over the ball's radius."""
_UP = np.array([0.0, 0.0, 1.0])


def propose_region(
    scene: Scene,
    declared_z_up: bool = False,
    declared_ball: Ball | None = None,
    notices: Sequence[Text] = (),
) -> Scene:
    """Return ``scene`` upright, with a proposed region and its ball, without decoding photos.

    These come from the ball that the input declares, else sparse points, else the optical axes.
    Where the frame is free, GPS in the photos' EXIF gives it metres.

    Args:
        scene: as read.
        declared_z_up: the input's format declares +Z as up.
        declared_ball: the region that the input declares, input frame.
        notices: to add to the scene's.
    """
    poses = np.stack([p.world_from_camera for p in scene.photos])
    lenses = [p.intrinsics for p in scene.photos]
    scene = replace(scene, notices=(*scene.notices, *notices))
    if scene.frame_is_free:
        metres = metres_per_input(scene.photos)
        scene = scene if metres is None else replace(scene, units_per_input=metres, unit="m")
    up = _known_up(scene, poses, declared_z_up)
    if declared_ball is not None or len(scene.points) < _MIN_POINTS:
        up = up_direction(poses) if up is None else up
        return _all_of(
            declared_ball or ball_from_axes(poses, lenses), scene, rotation_between(up, _UP)
        )
    points = subsample_points(scene.points)
    at = find_aim(points, poses, lenses)
    if up is None:
        up = up_direction(poses)
        plane = level_plane(points, at, poses[:, :3, 3], up)
        up = up if plane is None else plane.normal
    rotation = rotation_between(up, _UP)
    turn = similarity(1.0, rotation, np.zeros(3))
    found = propose_subject(transform_points(turn, points), at.transformed(turn), turn @ poses)
    upright = turn.copy()
    upright[2, 3] = -(found.ground or 0.0)
    center, radius = found.ball
    return replace(
        scene,
        upright_from_input=upright,
        setting=found.setting,
        region=found.box.transformed(invert(turn)),
        scene_from_input=scene_from_ball(rotation.T @ center, radius, rotation),
    )


def _known_up(scene: Scene, poses: np.ndarray, declared_z_up: bool) -> np.ndarray | None:
    """Return the up direction, a unit vector [3], if it is known.

    It is +Z where that is declared and the photos do not contradict it (by more than 60 degrees),
    else opposite to the gravity that the cameras measured.
    """
    if declared_z_up and up_direction(poses)[2] > 0.5:
        return _UP
    return up_by_gravity(scene.photos)


def _all_of(ball: Ball, scene: Scene, rotation: np.ndarray) -> Scene:
    """Return ``scene`` upright by ``rotation``, with ``ball`` (input frame) as its region."""
    return replace(
        scene,
        upright_from_input=similarity(1.0, rotation, np.zeros(3)),
        region=Box.of(ball[0], np.full(3, ball[1]), rotation.T),
        scene_from_input=scene_from_ball(*ball, rotation),
    )


def fit_to_masks(scene: Scene, keep_ball: bool = False) -> Task[Scene]:
    """Return ``scene`` with its region fitted to the visual hull of the masks.

    Without masks, or where the hull is empty, the scene does not change.

    Args:
        scene: the scene.
        keep_ball: do not fit the ball too.
    """
    if not scene.has_masks:
        return scene
    chosen = np.linspace(0, len(scene.photos) - 1, min(_MAX_MASKS, len(scene.photos)))
    views: list[Silhouette] = []
    indices: list[int] = np.unique(chosen.round().astype(int)).tolist()
    for done, i in enumerate(indices):
        yield Progress(done / len(chosen), text("finding the subject in the masks"))
        photo = scene.photos[i]
        lens = photo.intrinsics.shrunk(_MASK_SIDE)
        try:
            opacity = read_rgba(photo, lens)[..., 3]
        except UserError:
            continue  # a damaged photo is reported when all are decoded
        views.append(Silhouette(lens, photo.world_from_camera, opacity >= _OPAQUE))
    start = ball_from_scene(scene.scene_from_input)
    with ThreadPoolExecutor(1) as pool:
        search = pool.submit(visual_hull, views, start, keep_ball)
        while wait([search], timeout=0.1).not_done:
            yield Progress(1.0, text("finding the subject in the masks"))
    hull, cell = search.result()
    if not len(hull):
        return scene
    turn = scene.upright_from_input
    center, radius = enclosing_ball(hull)
    margin = _MARGIN * radius + cell
    box = upright_box(transform_points(turn, hull), margin=margin).transformed(invert(turn))
    if keep_ball:
        return replace(scene, region=_within(start, box), setting="object")
    scene = replace(scene, region=box, setting="object")
    ball = scene_from_ball(center, radius + margin, turn[:3, :3])
    return replace(scene, scene_from_input=ball)


def _within(ball: Ball, box: Box) -> Box:
    """Clip ``box`` to the cube, along its axes, about ``ball``."""
    middle = (ball[0] - box.center) @ box.axes
    low, high = np.maximum(-box.half, middle - ball[1]), np.minimum(box.half, middle + ball[1])
    return Box.of(box.center + box.axes @ ((low + high) / 2), (high - low) / 2, box.axes)
