"""Photos of a saved project that were moved."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from core.base.errors import MissingPhotosError
from core.capture.scene import Photo, Scene


def relocate_photos(scene: Scene, project: Path, saved_in: str, photos: str) -> Scene:
    """Find the present paths of a scene's photos and masks.

    Each is where it was; or, if project and photos were moved together, beside the project as it
    was; or below the folder ``photos``, under the end of its old path.

    Args:
        scene: with the saved paths.
        project: the folder of the project now.
        saved_in: the folder that it was saved in, "" if unknown.
        photos: a folder to search, "" for none.

    Raises:
        MissingPhotosError: some are found nowhere.
    """
    files = {p.path for p in scene.photos_with_images}
    files |= {p.mask_path for p in scene.photos_with_images if p.mask_path}
    gone = [path for path in files if not path.is_file()]
    found = {path: _present_path(path, project, saved_in, photos) for path in gone}
    missing = [path for path in gone if found[path] is None]
    if missing:
        place = os.path.commonpath([path.parent for path in missing])
        raise MissingPhotosError(str(project), len(missing), len(files), place)

    def present(path: Path) -> Path:
        return found.get(path) or path

    def moved(group: Iterable[Photo]) -> tuple[Photo, ...]:
        return tuple(
            replace(p, path=present(p.path), mask_path=p.mask_path and present(p.mask_path))
            for p in group
        )

    return replace(scene, photos=moved(scene.photos), held_out=moved(scene.held_out))


def _present_path(path: Path, project: Path, saved_in: str, photos: str) -> Path | None:
    """Where the file ``path`` lies now; None if nowhere."""
    candidates: list[Path] = []
    if photos:  # under as much of the old path as is still true
        folder = Path(photos).expanduser()
        candidates += [folder.joinpath(*path.parts[i:]) for i in range(1, len(path.parts))]
    if saved_in:
        candidates.append(Path(os.path.normpath(project / os.path.relpath(path, saved_in))))
    return next((c for c in candidates if c.is_file()), None)
