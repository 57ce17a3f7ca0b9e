"""Masks beside the photos: which belongs to which, and whether they are of the subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Task
from core.base.text import Text, text
from core.capture.photos import MASK_FOLDERS, abbreviate_names, is_photo, read_mask, require_enough
from core.capture.readers.transforms import WHITE, require_same_size
from core.capture.scene import Scene

_LOOKED_AT, _SIDE = 20, 96
"""Masks by which the polarity is told, and their size in pixels."""
_BORDER = 6
"""Pixels along the edge of such a mask that count as border."""


def find_masks(photos: Sequence[Path]) -> dict[Path, Path]:
    """The mask of each of ``photos`` that has one: in a folder ``masks`` within the photos' folder
    or beside it, under the photo's name, with ``.png`` after it (COLMAP) or after its stem, or with
    ``_mask`` after its stem."""
    found = {}
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
    """``scene`` with the masks that lie beside its photos, unless its photos are cut out already.
    Photos that lack a mask where others have one are left out, since all of such a photo would pass
    for subject. Raises UserError where a mask has not its photo's size, or too few have one."""
    photos = (*scene.photos, *scene.held_out)
    if not scene.has_masks:
        masks = find_masks([photo.path for photo in photos])
        if not masks:
            return scene
        for photo, mask in masks.items():
            require_same_size(photo, mask)
        scene = _mapped(scene, lambda p: replace(p, mask_path=masks.get(p.path)))
        scene = replace(scene, has_masks=True, background=WHITE)
    if not any(p.mask_path for p in scene.photos):
        return scene  # the photos' own opacity
    bare = [p.name for p in (*scene.photos, *scene.held_out) if p.mask_path is None]
    notices = list(scene.notices)
    if bare:
        notices.append(
            text(
                "{n} photos have no mask and are left out: {names}",
                n=len(bare),
                names=abbreviate_names(bare),
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
        scene = _mapped(scene, lambda p: replace(p, mask_inverted=True))
    return replace(scene, notices=tuple(notices))


def _mapped(scene: Scene, change) -> Scene:
    return replace(
        scene, photos=tuple(map(change, scene.photos)), held_out=tuple(map(change, scene.held_out))
    )


def describe_masks(masks: Sequence[Path], inverted: bool) -> Text:
    """What ``masks`` are, for people."""
    n, folder = len(masks), masks[0].parent
    if inverted:
        return text("{n} masks in {folder}, the subject in black", n=n, folder=folder)
    return text("{n} masks in {folder}, the subject in white", n=n, folder=folder)


def masks_show_background(masks: Sequence[Path]) -> Task[bool]:
    """Whether most ``masks`` are whiter along their border than in the middle, where subjects
    are."""
    votes = []
    chosen = masks[:: max(1, len(masks) // _LOOKED_AT)]
    for i, path in enumerate(chosen):
        yield Progress(i / len(chosen), text("looking at the masks"))
        try:
            mask = read_mask(path, (_SIDE, _SIDE)) / 255.0
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
        third = _SIDE // 3
        votes.append(border.mean() > mask[third:-third, third:-third].mean())
    return bool(votes) and sum(votes) > len(votes) / 2
