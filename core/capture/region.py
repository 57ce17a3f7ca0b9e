"""Where the subject is: the similarity that carries it into the unit ball."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from core.capture.photos import read_rgba
from core.capture.scene import Scene
from core.errors import UserError
from core.geometry.rigid import similarity
from core.geometry.scene_box import (
    Ball,
    ball_from_axes,
    ball_from_points,
    ball_from_scene,
    scene_from_ball,
    upright_rotation,
)
from core.geometry.silhouettes import Silhouette, ball_from_silhouettes
from core.tasks import Progress, Task

_MASK_SIDE = 160  # pixels; enough for a ball
_MOST_MASKS = 40
_OPAQUE = 64  # of 255; from here on a pixel of a shrunk mask counts as subject


def place(
    scene: Scene,
    declared_z_up: bool = False,
    declared_ball: Ball | None = None,
    notices: Sequence[str] = (),
) -> Scene:
    """``scene`` with `scene_from_input` found from what is at hand without opening photos: a ball
    the input declares, else sparse points, else the optical axes."""
    poses = np.stack([p.world_from_camera for p in scene.photos])
    lenses = [p.intrinsics for p in scene.photos]
    if declared_ball is not None:
        ball = declared_ball
    elif len(scene.points) >= 50:
        ball = ball_from_points(scene.points.astype(np.float64), poses, lenses)
    else:
        ball = ball_from_axes(poses, lenses)
    rotation = upright_rotation(poses, declared_z_up)
    return replace(
        scene, scene_from_input=scene_from_ball(*ball, rotation),
        upright_from_input=similarity(1.0, rotation, np.zeros(3)),
        notices=(*scene.notices, *notices),
    )


def fit_to_masks(scene: Scene) -> Task[Scene]:
    """``scene`` with its ball fitted to the subject that the masks show, so that it fills the
    ball. Without masks, or where they agree on nothing, the scene comes back as it is."""
    if not scene.has_masks:
        return scene
    chosen = np.linspace(0, len(scene.photos) - 1, min(_MOST_MASKS, len(scene.photos)))
    views: list[Silhouette] = []
    for done, i in enumerate(np.unique(chosen.round().astype(int))):
        yield Progress(done / len(chosen), "looking for the subject in the masks")
        photo = scene.photos[i]
        lens = photo.intrinsics.shrunk(_MASK_SIDE)
        try:
            opacity = read_rgba(photo, lens)[..., 3]
        except UserError:
            continue  # a damaged photo is reported when all are decoded
        views.append(Silhouette(lens, photo.world_from_camera, opacity >= _OPAQUE))
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(ball_from_silhouettes, views, ball_from_scene(scene.scene_from_input))
        while wait([found], timeout=0.1).not_done:
            yield Progress(1.0, "looking for the subject in the masks")
    ball = found.result()
    if ball is None:
        return scene
    turn = scene.scene_from_input[:3, :3]
    rotation = turn / np.cbrt(np.linalg.det(turn))
    return replace(scene, scene_from_input=scene_from_ball(*ball, rotation))
