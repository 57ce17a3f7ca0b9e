"""The scene of a text prompt: viewpoints without images."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from core.base.errors import UserError
from core.base.text import text
from core.capture.scene import Intrinsics, Photo, Scene
from core.config.prompt import find_prompt, read_prompt
from core.geometry.camera_path import looking_at_center

PROMPT = text("a text prompt (prompt.json)")
RINGS = ((-0.2, 6), (0.35, 10), (0.9, 6))
"""Elevation in radians and number of views of each."""
DISTANCE, FOV = 3.0, 0.75
"""From the centre of the ball, scene units, and radians: the ball fills a view."""
SIDE = 512
"""Of a view, pixels."""


def read_prompt_scene(path: Path) -> Scene:
    """Return the scene of the text prompt at ``path``, in the frame of the unit ball.

    Raises:
        UserError: there is none.
    """
    file = find_prompt(path)
    if file is None:
        raise UserError(text("{path} holds no text prompt", path=path), text("Check the path."))
    focal = 0.5 * SIDE / math.tan(FOV / 2)
    lens = Intrinsics(SIDE, SIDE, focal, focal, SIDE / 2, SIDE / 2)
    poses = [
        looking_at_center(turn, elevation, DISTANCE)
        for elevation, n in RINGS
        for turn in np.linspace(0, 2 * math.pi, n, endpoint=False)
    ]
    views = tuple(
        Photo(f"view {i + 1}", file.with_name(f"view {i + 1}"), lens, pose)
        for i, pose in enumerate(poses)
    )
    return Scene(PROMPT, views, np.eye(4), has_masks=True, prompt=read_prompt(file))
