"""Keyframes of a video: the sharpest frame of each part of the camera's motion."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# scikit-image is partly typed.

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
from core.base.shapes import check_shapes
from core.base.text import text
from core.capture.file_lock import acquire_lock

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".avi", ".webm")
_ANALYSIS_SIDE = 320
"""Longer side of the images by which frames are judged, pixels."""
_MIN_MOTION = 0.01
"""Shift between two keyframes over the image's width, at least."""
_MIN_SHARPNESS_RATIO = 0.25
"""Over the median sharpness, below which a frame is blurred."""
_MIN_KEYFRAMES = 8
_INDEX = "frames.json"


def is_video(path: Path) -> bool:
    """Return whether ``path`` is a video, by its name."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def photos_of_video(path: Path, folder: Path, count: int) -> Task[Path]:
    """Extract keyframes as upright photos, evenly over the motion of the image.

    Args:
        path: of the video.
        folder: receives the photos; those that it already holds of this video are kept.
        count: number of keyframes, at most.

    Returns:
        ``folder``.

    Raises:
        UserError: the video cannot be read or its camera stands still.
    """
    lock = yield from acquire_lock(folder)
    try:
        yield from _write_frames(path, folder, count)
    finally:
        lock.release()
    return folder


def _write_frames(path: Path, folder: Path, count: int) -> Task[None]:
    wanted = {"video": _fingerprint(path), "count": count}
    if _index(folder) == wanted:
        return
    motion: list[float] = []
    sharpness: list[float] = []
    previous: np.ndarray | None = None  # all frames of a long video would fill the memory
    for i, (frame, total) in enumerate(_frames(path)):
        analysis = _analyse(frame, previous)
        previous = analysis.grey
        motion.append(analysis.motion)
        sharpness.append(analysis.sharpness)
        yield Progress(0.6 * min(i / max(total, 1), 1.0), text("analysing frame {i}", i=i + 1))
    if not motion:
        raise UserError(
            text("{path} has no video stream", path=path), text("Choose another video.")
        )
    chosen = choose_keyframes(np.array(motion), np.array(sharpness), count)
    if len(chosen) < _MIN_KEYFRAMES:
        raise UserError(
            text(
                "The camera hardly moves in {path} ({n_frames} frames)",
                path=path,
                n_frames=len(motion),
            ),
            text("Record while walking around the subject, or choose another video."),
        )
    for old in (*folder.glob("frame_*.jpg"), folder / _INDEX):
        old.unlink(missing_ok=True)
    for i, (frame, _) in enumerate(_frames(path)):
        if i in chosen:
            Image.fromarray(frame).save(folder / f"frame_{i:06d}.jpg", quality=97, subsampling=0)
        yield Progress(0.6 + 0.4 * min(i / len(motion), 1.0), text("writing frame {i}", i=i + 1))
    (folder / _INDEX).write_text(json.dumps(wanted), encoding="utf-8")


def choose_keyframes(motion: np.ndarray, sharpness: np.ndarray, count: int) -> set[int]:
    """Return the indices of the keyframes.

    The motion is divided into ``count`` equal parts, fewer where these would be too short; the
    sharpest frame of each part is a keyframe, unless it is blurred.

    Args:
        motion: shift of the image since the frame before over its width [N].
        sharpness: of each frame [N].
        count: number of keyframes, at most.
    """
    check_shapes(motion=(motion, "N"), sharpness=(sharpness, "N"))
    distance = np.cumsum(motion)
    parts = max(1, min(count, len(motion), int(distance[-1] / _MIN_MOTION)))
    part = np.minimum((distance / max(distance[-1], 1e-9) * parts).astype(int), parts - 1)
    groups = [np.flatnonzero(part == p) for p in np.unique(part)]
    best = np.array([group[np.argmax(sharpness[group])] for group in groups])
    sharp = sharpness[best] >= _MIN_SHARPNESS_RATIO * np.median(sharpness[best])
    return {int(i) for i in best[sharp]}


@dataclass(frozen=True)
class _FrameAnalysis:
    grey: np.ndarray
    """[h, w] in [0, 1], small"""
    motion: float
    """shift since the frame before over the width"""
    sharpness: float
    """mean square of the Laplacian"""


def _analyse(frame: np.ndarray, previous: np.ndarray | None) -> _FrameAnalysis:
    ratio = min(1.0, _ANALYSIS_SIDE / max(frame.shape[:2]))
    size = (max(1, round(frame.shape[1] * ratio)), max(1, round(frame.shape[0] * ratio)))
    small = Image.fromarray(frame).convert("L").resize(size, Image.Resampling.BOX)
    grey = np.asarray(small, np.float32) / 255
    laplacian = (
        4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    )
    motion = 0.0
    if previous is not None and previous.shape == grey.shape:
        shift, _, _ = phase_cross_correlation(previous, grey, upsample_factor=8)
        motion = float(np.hypot(*shift)) / grey.shape[1]
        motion = motion if motion < 0.5 else 0.0  # a cut, or nothing in common
    return _FrameAnalysis(grey, motion, float(np.square(laplacian).mean()))


def _frames(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the upright frames, uint8 [H, W, 3], in order, and their approximate number."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as video:
            if not video.streams.video:
                raise UserError(
                    text("{path} has no video stream", path=path), text("Choose another video.")
                )
            stream = video.streams.video[0]
            stream.thread_type = "AUTO"
            total = stream.frames or int((video.duration or 0) / 1e6 * (stream.average_rate or 30))
            for frame in video.decode(stream):
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
    identity = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    return hashlib.sha256(identity.encode()).hexdigest()


def _index(folder: Path) -> object:
    try:
        return json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
