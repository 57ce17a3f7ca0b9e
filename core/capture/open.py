"""Opens a capture at a path: the kind of input is detected, never asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from core.base.errors import UserError
from core.base.jobs import Progress, Task, run_in_thread, run_task, subtask
from core.base.outputs import without_outputs
from core.base.paths import pose_workspace
from core.base.text import Text, text, verbatim
from core.capture.exif import focal_px
from core.capture.masks import describe_masks, find_masks, masks_show_background, with_masks
from core.capture.photos import abbreviate_names, list_photos, photo_size
from core.capture.plain_types import require_plain
from core.capture.readers.colmap import COLMAP, find_models, read_colmap, sub_models
from core.capture.readers.idr import IDR, find_idr, read_idr
from core.capture.readers.llff import LLFF, find_llff, read_llff
from core.capture.readers.mvsnet import MVSNET, find_mvsnet, read_mvsnet
from core.capture.readers.phone_scans import (
    POLYCAM,
    RECORD3D,
    find_polycam,
    find_record3d,
    read_polycam,
    read_record3d,
)
from core.capture.readers.prompt import PROMPT, read_prompt_scene
from core.capture.readers.transforms import TRANSFORMS, find_transforms, read_transforms
from core.capture.region import fit_to_masks
from core.capture.scene import Scene
from core.capture.video import is_video, photos_of_video
from core.config.opening import OpenOptions
from core.config.prompt import find_prompt


@dataclass(frozen=True)
class DetectedInput:
    """What was recognised at the path that is being opened."""

    lines: tuple[Text, ...]
    """what it is, and why"""


_DEFAULT_OPTIONS = OpenOptions()
_FRAMES_FRACTION = 0.15
"""Fraction of the progress of opening a video that choosing its frames takes."""
_ARCHIVES = (".zip", ".r3d", ".tar", ".gz", ".7z")
_MAX_CAMERAS_LISTED = 5
"""A zoom lens may count as many cameras as there are photos."""

_READERS: tuple[tuple[Text, Callable[[Path], object], Callable[[Path], Scene]], ...] = (
    (PROMPT, find_prompt, read_prompt_scene),
    (TRANSFORMS, find_transforms, read_transforms),
    (IDR, find_idr, read_idr),
    (POLYCAM, find_polycam, read_polycam),
    (RECORD3D, find_record3d, read_record3d),
    (COLMAP, find_models, read_colmap),
    (LLFF, find_llff, read_llff),
    (MVSNET, find_mvsnet, read_mvsnet),
)


def open_capture(
    path: Path,
    workspace: Path | None = None,
    seed: int = 0,
    *,
    options: OpenOptions = _DEFAULT_OPTIONS,
) -> Task[Scene]:
    """Open a posed capture, or a folder of photos or a video whose poses are then solved.

    The progress carries the `DetectedInput`, once.

    Args:
        path: of the capture.
        workspace: folder for solving poses (default: in the user's cache folder).
        seed: of the random numbers.
        options: of opening.

    Raises:
        UserError: it cannot be opened.
    """
    path = Path(path).expanduser()
    reader = _reader(path)
    lines = yield from run_in_thread(
        lambda: _detect(path, options), Progress(0.0, text("detecting the kind of input"))
    )
    yield Progress(0.0, lines[0], DetectedInput(tuple(lines)))
    if reader is None:
        from core.capture.poses.solve import solve_poses

        workspace = workspace or pose_workspace(path)
        solve = partial(
            solve_poses,
            workspace=workspace,
            seed=seed,
            quality=options.quality,
            group=options.group,
        )
        if video := _video_at(path, options):
            frames = photos_of_video(video, workspace / f"frames_{options.frames}", options.frames)
            photos = yield from subtask(frames, 0.0, _FRAMES_FRACTION)
            scene = yield from subtask(solve(photos), _FRAMES_FRACTION, 1.0)
            scene = replace(scene, kind=text("a video, poses solved"))
        else:
            scene = yield from solve(path, recursive=options.recursive)
    else:
        yield Progress(0.0, text("reading {reader}", reader=reader[0]))
        scene = _read(path, reader[1], options)
    if scene.prompt is None:
        scene = yield from with_masks(scene)
        # An IDR capture declares its ball, and has no view from below to find one by.
        scene = yield from fit_to_masks(scene, keep_ball=scene.kind == IDR)
    require_plain(scene)
    return scene


def _read(path: Path, read: Callable[[Path], Scene], options: OpenOptions) -> Scene:
    return read_colmap(path, options.group) if read is read_colmap else read(path)


def needs_poses(path: Path) -> bool:
    """Return whether ``path`` holds photos without poses, which `open_capture` has to solve."""
    return _reader(Path(path).expanduser()) is None


def describe_input(path: Path, options: OpenOptions = _DEFAULT_OPTIONS) -> list[Text]:
    """Return what lies at ``path``, and why, in lines for people.

    Of photos that have no poses only the headers are read.

    Raises:
        UserError: it cannot be opened.
    """
    path = Path(path).expanduser()
    lines, reader = _detect(path, options), _reader(path)
    if reader is None:
        masks = (
            []
            if _video_at(path, options)
            else list(find_masks(list_photos(path, options.recursive)).values())
        )
        return [
            *lines,
            *([describe_masks(masks, run_task(masks_show_background(masks)))] if masks else []),
        ]
    found = _read(path, reader[1], options)
    if found.prompt is not None:
        return [*lines, verbatim(found.prompt.text)]
    found = run_task(with_masks(found))
    photos = (*found.photos, *found.held_out)
    lines += [text("{n} photos with poses", n=len(photos)), *found.notices]
    if found.has_masks and not any(p.mask_path for p in photos):
        lines.append(text("transparent parts of the photos are masked"))
    if reader[1] is read_colmap and len(models := sub_models(path)) > 1:
        lines += [
            text("sub-model {i}: {name}, {n} photos", i=i, name=name, n=n)
            for i, (name, n) in enumerate(models)
        ]
    return lines


def _detect(path: Path, options: OpenOptions) -> list[Text]:
    """Return the lines of `describe_input` that need only file names and photos' headers."""
    reader = _reader(path)
    if reader is not None:
        return [text("{name}: {kind}", name=path.name, kind=reader[0])]
    if video := _video_at(path, options):
        name = path.name if video == path else f"{path.name}/{video.name}"
        return [
            text("{name}: a video", name=name),
            text(
                "up to {n} of its frames become photos, whose poses will be solved",
                n=options.frames,
            ),
        ]
    photos = list_photos(path, options.recursive)
    return [
        text(
            "{name}: a folder of {n} photos without poses, which will be solved",
            name=path.name,
            n=len(photos),
        ),
        *_cameras(photos),
    ]


def _video_at(path: Path, options: OpenOptions) -> Path | None:
    """The video at ``path``: the file, or the only video in a folder that lacks enough photos.

    Raises:
        UserError: the folder has several.
    """
    if is_video(path) or not path.is_dir():
        return path if is_video(path) else None
    videos = sorted(without_outputs(filter(is_video, path.iterdir()), path))
    if not videos:
        return None
    try:
        list_photos(path, options.recursive)
    except UserError as error:
        if len(videos) > 1:
            raise UserError(
                text("{path} holds {n_videos} videos", path=path, n_videos=len(videos)),
                text("Open one of them."),
            ) from error
        return videos[0]
    return None


def _cameras(photos: list[Path]) -> list[Text]:
    """Return a line for each size and focal length, and for photos that cannot be read."""
    counts: Counter[tuple[tuple[int, int], float | None]] = Counter()
    unread: dict[Text, list[str]] = {}  # by the remedy
    for photo in photos:
        try:
            counts[photo_size(photo), focal_px(photo)] += 1
        except UserError as error:
            unread.setdefault(error.remedy, []).append(photo.name)
    lines = [
        text(
            "camera: {n} photos of {width}x{height}, focal length {focal:.0f} pixels by EXIF",
            n=n,
            width=width,
            height=height,
            focal=focal,
        )
        if focal
        else text(
            "camera: {n} photos of {width}x{height}, focal length unknown, to be solved",
            n=n,
            width=width,
            height=height,
        )
        for ((width, height), focal), n in counts.most_common()
    ]
    if len(lines) > _MAX_CAMERAS_LISTED:
        lines[_MAX_CAMERAS_LISTED:] = [
            text("and {n} other sizes or focal lengths", n=len(lines) - _MAX_CAMERAS_LISTED)
        ]
    return lines + [
        text(
            "{n} cannot be read: {names}. {remedy}",
            n=len(names),
            names=abbreviate_names(names),
            remedy=remedy,
        )
        for remedy, names in unread.items()
    ]


def hold_out_every(scene: Scene, n: int = 8) -> Scene:
    """Return ``scene`` with every ``n``-th photo held out, unless some are already."""
    if scene.held_out or not scene.photos_with_images:
        return scene
    return replace(
        scene,
        photos=tuple(p for i, p in enumerate(scene.photos) if i % n),
        held_out=tuple(p for i, p in enumerate(scene.photos) if i % n == 0),
    )


def _reader(path: Path) -> tuple[Text, Callable[[Path], Scene]] | None:
    """Return the kind and reader for ``path``; None for a video or a folder without poses."""
    try:
        if not path.exists():
            raise UserError(text("{path} does not exist", path=path), text("Check the path."))
        for kind, find, read in _READERS:
            if find(path):
                return kind, read
        if path.is_dir():
            next(path.iterdir(), None)
    except OSError as error:
        raise UserError(
            text("{path} cannot be read ({reason})", path=path, reason=error.strerror),
            text("Check the path and its permissions."),
        ) from error
    if path.suffix.lower() in _ARCHIVES and path.is_file():
        raise UserError(
            text("{path} is an archive", path=path),
            text("Unpack it, and open the folder that it held."),
        )
    if path.is_file() and not is_video(path):
        raise UserError(
            text("{path} is not a capture that can be opened", path=path),
            text(
                "Choose a folder of photos, a video, a transforms.json, or a COLMAP or DTU folder."
            ),
        )
    return None
