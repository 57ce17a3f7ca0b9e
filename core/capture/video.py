"""A film becomes photos: where the camera has moved on enough, the sharpest frame around there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.registration import phase_cross_correlation

from core.base.errors import UserError
from core.base.jobs import Progress, Task
from core.base.text import text
from core.capture.file_lock import acquire_lock

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".avi", ".webm")
_LOOKED_AT = 320
"""Pixels along the longer side of the pictures by which frames are judged."""
_MOVED = 0.01
"""Share of the picture's width by which two photos' views must differ at least."""
_BLURRED = 0.25
"""A frame of less than this share of the usual sharpness is."""
_FEWEST = 8
_INDEX = "frames.json"


def is_video(path: Path) -> bool:
    """Whether ``path`` is a film, by its name."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def photos_of_video(path: Path, folder: Path, count: int) -> Task[Path]:
    """Up to ``count`` frames of the film at ``path`` as upright photos in ``folder``, evenly over
    the way that the picture moved; what lies there already for this film is kept. Returns
    ``folder``. Raises UserError where the film cannot be read or its camera stands still."""
    lock = yield from acquire_lock(folder)
    try:
        yield from _write_frames(path, folder, count)
    finally:
        lock.release()
    return folder


def _write_frames(path: Path, folder: Path, count: int) -> Task[None]:
    wanted = {"film": _fingerprint(path), "count": count}
    if _written(folder) == wanted:
        return
    moved: list[float] = []
    sharpness: list[float] = []
    before: np.ndarray | None = None  # of a long film the pictures themselves would fill the memory
    for i, (frame, total) in enumerate(_frames(path)):
        seen = _look(frame, before)
        before = seen.picture
        moved.append(seen.moved)
        sharpness.append(seen.sharpness)
        yield Progress(0.6 * min(i / max(total, 1), 1.0), text("analysing frame {i}", i=i + 1))
    if not moved:
        raise UserError(
            text("{path} has no video stream", path=path), text("Choose another video.")
        )
    chosen = choose_frames(np.array(moved), np.array(sharpness), count)
    if len(chosen) < _FEWEST:
        raise UserError(
            text(
                "The camera hardly moves in {path} ({n_frames} frames)",
                path=path,
                n_frames=len(moved),
            ),
            text("Record while walking around the subject, or choose another video."),
        )
    for old in (*folder.glob("frame_*.jpg"), folder / _INDEX):
        old.unlink(missing_ok=True)
    for i, (frame, _) in enumerate(_frames(path)):
        if i in chosen:
            Image.fromarray(frame).save(folder / f"frame_{i:06d}.jpg", quality=97, subsampling=0)
        yield Progress(0.6 + 0.4 * min(i / len(moved), 1.0), text("writing frame {i}", i=i + 1))
    (folder / _INDEX).write_text(json.dumps(wanted), encoding="utf-8")


def choose_frames(moved: np.ndarray, sharpness: np.ndarray, count: int) -> set[int]:
    """Which frames become photos, given by how much of its width the picture ``moved`` [N] since
    the frame before and how sharp each is [N]: the way is cut into ``count`` equal parts, fewer
    where they would be shorter than two photos must differ; of each part the sharpest, and none
    where all are blurred."""
    way = np.cumsum(moved)
    parts = max(1, min(count, len(moved), int(way[-1] / _MOVED)))
    part = np.minimum((way / max(way[-1], 1e-9) * parts).astype(int), parts - 1)
    groups = [np.flatnonzero(part == p) for p in np.unique(part)]
    best = np.array([group[np.argmax(sharpness[group])] for group in groups])
    sharp = sharpness[best] >= _BLURRED * np.median(sharpness[best])
    return {int(i) for i in best[sharp]}


@dataclass(frozen=True)
class _Seen:
    picture: np.ndarray  # [h, w] grey in [0, 1], small
    moved: float
    sharpness: float


def _look(frame: np.ndarray, before: np.ndarray | None) -> _Seen:
    ratio = min(1.0, _LOOKED_AT / max(frame.shape[:2]))
    size = (max(1, round(frame.shape[1] * ratio)), max(1, round(frame.shape[0] * ratio)))
    grey = Image.fromarray(frame).convert("L").resize(size, Image.Resampling.BOX)
    picture = np.asarray(grey, np.float32) / 255
    laplacian = (
        4 * picture[1:-1, 1:-1]
        - picture[:-2, 1:-1]
        - picture[2:, 1:-1]
        - picture[1:-1, :-2]
        - picture[1:-1, 2:]
    )
    moved = 0.0
    if before is not None and before.shape == picture.shape:
        shift, _, _ = phase_cross_correlation(before, picture, upsample_factor=8)
        moved = float(np.hypot(*shift)) / picture.shape[1]
        moved = moved if moved < 0.5 else 0.0  # a cut, or nothing to go by
    return _Seen(picture, moved, float(np.square(laplacian).mean()))


def _frames(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Upright frames, uint8 [H, W, 3], in order, and about how many there are."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as film:
            if not film.streams.video:
                raise UserError(
                    text("{path} has no video stream", path=path), text("Choose another video.")
                )
            stream = film.streams.video[0]
            stream.thread_type = "AUTO"
            total = stream.frames or int((film.duration or 0) / 1e6 * (stream.average_rate or 30))
            for frame in film.decode(stream):
                turned = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
                yield np.ascontiguousarray(turned), total
    except (FFmpegError, OSError) as error:
        raise UserError(
            text(
                "{path} is not a readable video ({reason})",
                path=path,
                reason=error.strerror or error,
            ),
            text("Convert it to MP4, or copy it again."),
        ) from error


def _fingerprint(path: Path) -> str:
    stat = path.stat()
    text = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()


def _written(folder: Path) -> object:
    try:
        return json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
