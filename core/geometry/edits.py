"""Edits of where a scene is. `core.capture.edits` applies them."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.geometry.view import Matrix, Point


class RegionEdit(msgspec.Struct, frozen=True, tag=True):
    """Train, show and export what lies in this box."""

    cube: Matrix
    """affine map from the cube [-1, 1]³ to the scene frame, as in `core.geometry.box`"""


class QuarterTurn(msgspec.Struct, frozen=True, tag=True):
    """Rotate the world by a quarter about an axis of the upright frame."""

    axis: Literal["x", "y", "z"]


class GroundPlane(msgspec.Struct, frozen=True, tag=True):
    """The plane through ``point`` across ``normal``, scene frame, is the level ground."""

    point: Point
    normal: Point


class KnownLength(msgspec.Struct, frozen=True, tag=True):
    """The distance from ``a`` to ``b``, scene frame, is ``length`` of ``unit``."""

    a: Point
    b: Point
    length: float
    unit: str


SceneEdit = RegionEdit | QuarterTurn | GroundPlane | KnownLength
