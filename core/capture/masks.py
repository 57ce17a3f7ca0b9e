"""Masks beside the photos: which belongs to which photo, and their polarity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Task
from core.base.text import Text, text
from core.capture.photos import MASK_FOLDERS, abbreviate_names, is_photo, read_mask, require_enough
from core.capture.readers.transforms import WHITE, require_same_size
from core.capture.scene import Photo, Scene

_POLARITY_SAMPLES, _POLARITY_SIDE = 20, 96
"""Masks by which the polarity is determined, and their size in pixels."""
_BORDER = 6
"""Pixels along the edge of such a mask that count as border."""


def find_masks(photos: Sequence[Path]) -> dict[Path, Path]:
    """Return the mask of each of ``photos`` that has one.

    It lies in a folder ``masks`` within the photos' folder or beside it, and has the photo's name,
    with ``.png`` after it (COLMAP) or after its stem, or with ``_mask`` after its stem.
    """
    found: dict[Path, Path] = {}
    listed: dict[Path, dict[str, Path]] = {}
    for photo in photos:
        for folder in (root / name for root in photo.parents[:2] for name in MASK_FOLDERS):
            if folder not in listed:
                files = folder.iterdir() if folder.is_dir() else ()
                listed[folder] = {p.name.lower(): p for p in files if is_photo(p)}
            stem, name = photo.stem.lower(), photo.name.lower()
            names = (
                name,
                f"{name}.png",
                *(n for n in listed[folder] if Path(n).stem in (stem, f"{stem}_mask")),
            )
            mask = next((listed[folder][n] for n in names if n in listed[folder]), None)
            if mask is not None and mask != photo:
                found[photo] = mask
                break
    return found


def with_masks(scene: Scene) -> Task[Scene]:
    """Return ``scene`` with the masks beside its photos, unless its photos are masked already.

    Photos that lack a mask where others have one are left out, since all of such a photo would
    count as subject.

    Raises:
        UserError: a mask has not its photo's size, or too few photos have one.
    """
    photos = (*scene.photos, *scene.held_out)
    if not scene.has_masks:
        masks = find_masks([photo.path for photo in photos])
        if not masks:
            return scene
        for photo, mask in masks.items():
            require_same_size(photo, mask)
        scene = _map_photos(scene, lambda p: replace(p, mask_path=masks.get(p.path)))
        scene = replace(scene, has_masks=True, background=WHITE)
    if not any(p.mask_path for p in scene.photos):
        return scene  # the photos' own opacity
    unmasked = [p.name for p in (*scene.photos, *scene.held_out) if p.mask_path is None]
    notices = list(scene.notices)
    if unmasked:
        notices.append(
            text(
                "{n} photos have no mask and are left out: {names}",
                n=len(unmasked),
                names=abbreviate_names(unmasked),
            )
        )
    require_enough(sum(p.mask_path is not None for p in scene.photos), scene.photos[0].path.parent)
    scene = replace(
        scene,
        photos=tuple(p for p in scene.photos if p.mask_path),
        held_out=tuple(p for p in scene.held_out if p.mask_path),
    )
    files = [p.mask_path for p in (*scene.photos, *scene.held_out) if p.mask_path]
    inverted = yield from masks_show_background(files)
    notices.append(describe_masks(files, inverted))
    if inverted:
        scene = _map_photos(scene, lambda p: replace(p, mask_inverted=True))
    return replace(scene, notices=tuple(notices))


def _map_photos(scene: Scene, change: Callable[[Photo], Photo]) -> Scene:
    return replace(
        scene, photos=tuple(map(change, scene.photos)), held_out=tuple(map(change, scene.held_out))
    )


def describe_masks(masks: Sequence[Path], inverted: bool) -> Text:
    """Describe ``masks`` for people."""
    n, folder = len(masks), masks[0].parent
    if inverted:
        return text("{n} masks in {folder}, the subject in black", n=n, folder=folder)
    return text("{n} masks in {folder}, the subject in white", n=n, folder=folder)


def masks_show_background(masks: Sequence[Path]) -> Task[bool]:
    """Return whether most masks are brighter along their border than in the middle.

    Subjects are in the middle.
    """
    votes: list[bool] = []
    chosen = masks[:: max(1, len(masks) // _POLARITY_SAMPLES)]
    for i, path in enumerate(chosen):
        yield Progress(i / len(chosen), text("analysing the masks"))
        try:
            mask = read_mask(path, (_POLARITY_SIDE, _POLARITY_SIDE)) / 255.0
        except UserError:
            continue  # a damaged one is reported when all are decoded
        border = np.concatenate(
            [
                mask[:_BORDER].ravel(),
                mask[-_BORDER:].ravel(),
                mask[:, :_BORDER].ravel(),
                mask[:, -_BORDER:].ravel(),
            ]
        )
        third = _POLARITY_SIDE // 3
        votes.append(bool(border.mean() > mask[third:-third, third:-third].mean()))
    return bool(votes) and sum(votes) > len(votes) / 2
