"""Leaving photos out of training, and taking them in again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.base.errors import UserError
from core.capture.photos import MINIMUM_PHOTOS
from core.capture.scene import Scene


def excluding(scene: Scene, names: Iterable[str], excluded: bool) -> Scene:
    """``scene`` without the photos of these ``names``, or with them again; names that are no
    training photo's are of no account. Raises UserError where too few would remain."""
    known = {photo.name for photo in scene.photos} & set(names)
    changed = replace(
        scene, excluded=scene.excluded | known if excluded else scene.excluded - known
    )
    if excluded and len(changed.used) < MINIMUM_PHOTOS:
        raise UserError(
            f"At least {MINIMUM_PHOTOS} photos must stay in training",
            "Take others in again first",
        )
    return changed
