"""Where the subject is: the similarity that carries it into the unit ball."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.capture.scene import Scene
from core.geometry.scene_box import (
    Ball,
    ball_from_axes,
    ball_from_points,
    scene_from_ball,
    upright_rotation,
)


def place(
    scene: Scene,
    declared_z_up: bool = False,
    declared_ball: Ball | None = None,
    notices: Sequence[str] = (),
) -> Scene:
    """``scene`` with `scene_from_input` found from what is at hand without opening photos: a ball
    the input declares, else sparse points, else the optical axes."""
    poses = np.stack([p.world_from_camera for p in scene.photos])
    origins, forward = poses[:, :3, 3], poses[:, :3, 2]
    if declared_ball is not None:
        ball = declared_ball
    elif len(scene.points) >= 50:
        ball = ball_from_points(scene.points.astype(np.float64), origins, forward)
    else:
        ball = ball_from_axes(origins, forward)
    rotation = upright_rotation(poses, declared_z_up)
    return replace(
        scene, scene_from_input=scene_from_ball(*ball, rotation),
        notices=(*scene.notices, *notices),
    )
