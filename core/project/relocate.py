"""Photos of a saved project that are no longer where they were."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from core.base.errors import MissingPhotosError
from core.capture.scene import Photo, Scene


def relocate_photos(scene: Scene, project: Path, saved_in: str, photos: str) -> Scene:
    """``scene`` with the present paths of its photos and masks: where they were; beside the
    ``project`` as they were beside the folder that it was ``saved_in``, if both were moved
    together; or in the folder ``photos``, below which they lie as before.

    Raises MissingPhotosError where some are nowhere.
    """
    files = {p.path for p in scene.photos_with_images}
    files |= {p.mask_path for p in scene.photos_with_images if p.mask_path}
    gone = [path for path in files if not path.is_file()]
    found = {path: _present_path(path, project, saved_in, photos) for path in gone}
    missing = [path for path in gone if found[path] is None]
    if missing:
        place = os.path.commonpath([path.parent for path in missing])
        raise MissingPhotosError(str(project), len(missing), len(files), place)

    def now(path: Path) -> Path:
        return found.get(path) or path

    def moved(group: Iterable[Photo]) -> tuple[Photo, ...]:
        return tuple(
            replace(p, path=now(p.path), mask_path=p.mask_path and now(p.mask_path)) for p in group
        )

    return replace(scene, photos=moved(scene.photos), held_out=moved(scene.held_out))


def _present_path(path: Path, project: Path, saved_in: str, photos: str) -> Path | None:
    candidates: list[Path] = []
    if photos:  # by as much of the old path as is still true
        folder = Path(photos).expanduser()
        candidates += [folder.joinpath(*path.parts[i:]) for i in range(1, len(path.parts))]
    if saved_in:
        candidates.append(Path(os.path.normpath(project / os.path.relpath(path, saved_in))))
    return next((c for c in candidates if c.is_file()), None)
