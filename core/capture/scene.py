"""The Scene, which every reader returns: photos with cameras, region and frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.base.text import Text
from core.config.mesh import Axes
from core.config.prompt import Prompt
from core.geometry.box import WHOLE_SCENE, Box, Setting
from core.geometry.cameras import CameraModel, Intrinsics
from core.geometry.rigid import Y_UP_FROM_Z_UP, similarity, transform_pose
from core.geometry.scene_ball import scene_from_ball

__all__ = ["CameraModel", "Intrinsics", "Photo", "Scene"]


@dataclass(frozen=True)
class Photo:
    """One photo and its camera."""

    name: str
    path: Path
    intrinsics: Intrinsics
    world_from_camera: np.ndarray
    """[4, 4] float64, rigid, input frame, OpenCV axes (+X right, +Y down, +Z forward)"""
    mask_path: Path | None = None
    mask_inverted: bool = False
    """the mask shows the subject in black"""


@dataclass(frozen=True)
class Scene:
    """A posed capture; all geometry is in the input's frame."""

    kind: Text
    """of input"""
    photos: tuple[Photo, ...]
    scene_from_input: np.ndarray
    """[4, 4], the one similarity that maps the region of interest into the unit ball"""
    held_out: tuple[Photo, ...] = ()
    """photos for evaluation only"""
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    """sparse points [P, 3]"""
    has_masks: bool = False
    """the photos' opacity (alpha or mask files) separates subject and background"""
    background: tuple[float, float, float] | None = None
    """solid sRGB colour that transparent pixels are composited on; None where photos show a real
    background"""
    notices: tuple[Text, ...] = ()
    region: Box | None = None
    """what is trained, shown and exported (None: all of the ball)"""
    upright_from_input: np.ndarray = field(default_factory=lambda: np.eye(4))
    """[4, 4], rigid, into a frame where +Z is up"""
    frame_is_free: bool = False
    """the input's frame is arbitrary, since the poses were solved here"""
    units_per_input: float = 1.0
    """how many ``unit`` one unit of the input's frame is"""
    unit: str = ""
    """such as "m"; "" while unknown"""
    setting: Setting = "object"
    excluded: frozenset[str] = frozenset()
    """names of photos that a person excluded from training; they stay among ``photos``, so that
    they keep their index and can be included again"""
    prompt: Prompt | None = None
    """text prompt to generate from; the ``photos`` then are only viewpoints, without images"""

    @property
    def photos_with_images(self) -> tuple[Photo, ...]:
        """All photos that have images, those held out last."""
        return () if self.prompt else (*self.photos, *self.held_out)

    @property
    def training_photos(self) -> tuple[Photo, ...]:
        """The photos without those ``excluded``."""
        return tuple(photo for photo in self.photos if photo.name not in self.excluded)

    def index_of(self, name: str) -> int | None:
        """Return the index of the photo of this name among ``photos``, if it is there."""
        return next((i for i, photo in enumerate(self.photos) if photo.name == name), None)

    @property
    def region_in_scene(self) -> Box:
        """The region in the unit-ball frame."""
        return (
            WHOLE_SCENE if self.region is None else self.region.transformed(self.scene_from_input)
        )

    def with_region(self, region: Box) -> Scene:
        """Return this scene with ``region`` (input frame), and its ball, upright, as the unit ball.

        Only for a scene that is not being trained yet.
        """
        turn = self.upright_from_input[:3, :3]
        ball = scene_from_ball(region.center, region.radius, turn)
        return replace(self, region=region, scene_from_input=ball)

    def scene_from_camera(self, photo: Photo) -> np.ndarray:
        """Return the rigid pose [4, 4] of ``photo`` in the unit-ball frame."""
        return transform_pose(self.scene_from_input, photo.world_from_camera)

    def out_from_input(self, axes: Axes) -> np.ndarray:
        """Return the similarity [4, 4] into the frame and units of an export with ``axes``."""
        turn = np.eye(4)
        if axes != "input" or self.frame_is_free:
            turn = self.upright_from_input
        if axes == "y":
            turn = Y_UP_FROM_Z_UP @ turn
        return similarity(self.units_per_input, np.eye(3), np.zeros(3)) @ turn

    def photos_out(self, axes: Axes) -> tuple[Photo, ...]:
        """Return the photos with poses in the frame and units of an export with ``axes``."""
        out_from_input = self.out_from_input(axes)
        return tuple(
            replace(p, world_from_camera=transform_pose(out_from_input, p.world_from_camera))
            for p in self.photos
        )
