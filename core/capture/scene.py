"""What every reader produces: photos with cameras, and the place of the scene in the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.geometry.cameras import CameraModel, Intrinsics

__all__ = ["CameraModel", "Intrinsics", "Photo", "Scene"]


@dataclass(frozen=True)
class Photo:
    """One photo and its camera. ``world_from_camera`` [4, 4] float64: rigid, input frame,
    OpenCV axes (+X right, +Y down, +Z forward). ``mask_inverted``: the mask shows the subject in
    black."""

    name: str
    path: Path
    intrinsics: Intrinsics
    world_from_camera: np.ndarray
    mask_path: Path | None = None
    mask_inverted: bool = False


@dataclass(frozen=True)
class Scene:
    """A posed capture. All geometry is in the input's frame; ``scene_from_input`` [4, 4] is the
    one similarity that carries the region of interest into the unit ball.

    ``background``: the solid sRGB colour that transparent pixels are composited on, or None where
    photos show a real background. ``has_masks``: opacity in photos (alpha or mask files) is meant.
    """

    kind: str
    photos: tuple[Photo, ...]
    scene_from_input: np.ndarray
    held_out: tuple[Photo, ...] = ()
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))  # [P, 3]
    has_masks: bool = False
    background: tuple[float, float, float] | None = None
    notices: tuple[str, ...] = ()

    def scene_from_camera(self, photo: Photo) -> np.ndarray:
        """[4, 4] rigid pose of ``photo`` in the unit-ball frame (the scale is taken out of the
        rotation, so that directions stay unit)."""
        scale = np.cbrt(np.linalg.det(self.scene_from_input[:3, :3]))
        pose = self.scene_from_input @ photo.world_from_camera
        pose[:3, :3] /= scale
        return pose
