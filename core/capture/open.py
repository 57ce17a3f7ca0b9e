"""Opens whatever lies at a path: the kind of input is detected, never asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.capture.colmap import find_models, read_colmap
from core.capture.idr import find_idr, read_idr
from core.capture.photos import list_photos
from core.capture.region import fit_to_masks
from core.capture.scene import Scene
from core.capture.transforms import find_transforms, read_transforms
from core.errors import UserError
from core.tasks import Progress, Task

_READERS: tuple[tuple[str, Callable[[Path], object], Callable[[Path], Scene]], ...] = (
    ("a posed capture (transforms.json)", find_transforms, read_transforms),
    ("an IDR/DTU capture (cameras_sphere.npz)", find_idr, read_idr),
    ("a COLMAP model", find_models, read_colmap),
)


def open_capture(path: Path, workspace: Path | None = None, seed: int = 0) -> Task[Scene]:
    """The Scene at ``path``: a transforms.json or its folder, an IDR/DTU folder, a COLMAP model,
    or a plain folder of photos, whose poses are then solved in ``workspace``.

    Raises UserError, one line, for anything that cannot be opened.
    """
    path = Path(path).expanduser()
    reader = _reader(path)
    if reader is None:
        from core.capture.poses import solve_poses

        return (yield from solve_poses(path, workspace, seed))
    yield Progress(0.0, f"reading {reader[0]}")
    scene = reader[1](path)
    if reader[1] is read_idr:  # declares its region, and has no view from below to find it by
        return scene
    return (yield from fit_to_masks(scene))


def needs_poses(path: Path) -> bool:
    """Whether ``path`` holds plain photos, whose poses `open_capture` has to solve first."""
    return _reader(Path(path).expanduser()) is None


def recognise(path: Path) -> str:
    """One line that says what lies at ``path``. Raises UserError where it is nothing usable."""
    path = Path(path).expanduser()
    reader = _reader(path)
    if reader is not None:
        return f"{path.name}: {reader[0]}"
    return f"{path.name}: a folder of {len(list_photos(path))} photos without poses"


def hold_out_every(scene: Scene, n: int = 8) -> Scene:
    """``scene`` with every ``n``-th photo moved from training to `held_out`, unless some are held
    out already."""
    if scene.held_out:
        return scene
    return replace(
        scene,
        photos=tuple(p for i, p in enumerate(scene.photos) if i % n),
        held_out=tuple(p for i, p in enumerate(scene.photos) if i % n == 0),
    )


def _reader(path: Path) -> tuple[str, Callable[[Path], Scene]] | None:
    """The reader for ``path``; None for a plain folder, which can only hold photos."""
    try:
        if not path.exists():
            raise UserError(f"{path} does not exist", "Check the path.")
        for kind, find, read in _READERS:
            if find(path):
                return kind, read
        if path.is_dir():
            next(path.iterdir(), None)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})",
                        "Check the path and its permissions.") from error
    if path.is_file():
        raise UserError(f"{path} is not a capture that can be opened",
                        "Choose a folder of photos, a transforms.json, or a COLMAP or DTU folder.")
    return None
