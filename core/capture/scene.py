"""What every reader produces: photos with cameras, and the place of the scene in the world."""

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

    ``region``: what is trained, shown and exported, a box in the input's frame (None: all of the
    ball). ``upright_from_input`` [4, 4], rigid: +Z is up there. ``frame_is_free``: the input's
    frame means nothing to anyone, since the poses were solved here. ``units_per_input``: how many
    ``unit`` (such as "m"; "" while unknown) one unit of the input's frame is.

    ``background``: the solid sRGB colour that transparent pixels are composited on, or None where
    photos show a real background. ``has_masks``: opacity in photos (alpha or mask files) is meant.

    ``excluded``: names of photos that a person left out of training; they stay among ``photos``, so
    that they keep their number and can be taken in again.

    ``sentence``: what it is to look like, where nobody has seen it; the ``photos`` then are only
    places to look at it from, without pictures.
    """

    kind: Text
    photos: tuple[Photo, ...]
    scene_from_input: np.ndarray
    held_out: tuple[Photo, ...] = ()
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))  # [P, 3]
    has_masks: bool = False
    background: tuple[float, float, float] | None = None
    notices: tuple[Text, ...] = ()
    region: Box | None = None
    upright_from_input: np.ndarray = field(default_factory=lambda: np.eye(4))
    frame_is_free: bool = False
    units_per_input: float = 1.0
    unit: str = ""
    setting: Setting = "object"
    excluded: frozenset[str] = frozenset()
    sentence: Prompt | None = None

    @property
    def taken(self) -> tuple[Photo, ...]:
        """The photos that there are pictures of, those held out last."""
        return () if self.sentence else (*self.photos, *self.held_out)

    @property
    def used(self) -> tuple[Photo, ...]:
        """The photos that teach something: all but the ``excluded``."""
        return tuple(photo for photo in self.photos if photo.name not in self.excluded)

    def index_of(self, name: str) -> int | None:
        """Of the photo of this name among ``photos``; None where it is not among them."""
        return next((i for i, photo in enumerate(self.photos) if photo.name == name), None)

    @property
    def region_in_scene(self) -> Box:
        """The region in the unit-ball frame."""
        return (
            WHOLE_SCENE if self.region is None else self.region.transformed(self.scene_from_input)
        )

    def with_region(self, region: Box) -> Scene:
        """This scene with ``region`` (input frame), and with the ball about it, upright, as the
        unit ball: only for a scene that is not being trained yet."""
        turn = self.upright_from_input[:3, :3]
        ball = scene_from_ball(region.center, region.radius, turn)
        return replace(self, region=region, scene_from_input=ball)

    def scene_from_camera(self, photo: Photo) -> np.ndarray:
        """[4, 4] rigid pose of ``photo`` in the unit-ball frame."""
        return transform_pose(self.scene_from_input, photo.world_from_camera)

    def out_from_input(self, axes: Axes) -> np.ndarray:
        """[4, 4] similarity into the frame and units of what is exported with these ``axes``."""
        turn = np.eye(4)
        if axes != "input" or self.frame_is_free:
            turn = self.upright_from_input
        if axes == "y":
            turn = Y_UP_FROM_Z_UP @ turn
        return similarity(self.units_per_input, np.eye(3), np.zeros(3)) @ turn

    def photos_out(self, axes: Axes) -> tuple[Photo, ...]:
        """The photos, with poses in the frame and units of what is exported with these ``axes``."""
        out_from_input = self.out_from_input(axes)
        return tuple(
            replace(p, world_from_camera=transform_pose(out_from_input, p.world_from_camera))
            for p in self.photos
        )
