"""Edits of a scene's region, orientation and scale; `core.capture.edits` applies them."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.geometry.view import Matrix, Point


class RegionEdit(msgspec.Struct, frozen=True, tag=True):
    """Set the region that is trained, shown and exported."""

    cube: Matrix
    """affine map from the cube [-1, 1]³ to the scene frame, as in `core.geometry.box`"""


class QuarterTurn(msgspec.Struct, frozen=True, tag=True):
    """Rotate the world by a quarter turn about an axis of the upright frame."""

    axis: Literal["x", "y", "z"]


class GroundPlane(msgspec.Struct, frozen=True, tag=True):
    """Make the plane through ``point`` with ``normal``, scene frame, the level ground."""

    point: Point
    normal: Point


class KnownLength(msgspec.Struct, frozen=True, tag=True):
    """Set the scale: the distance from ``a`` to ``b``, scene frame, is ``length`` in ``unit``."""

    a: Point
    b: Point
    length: float
    unit: str


SceneEdit = RegionEdit | QuarterTurn | GroundPlane | KnownLength
