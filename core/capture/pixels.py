"""All photos of a scene, decoded once into one memory-mapped file.

Three thousand photos do not fit into memory; the operating system keeps in memory what is used.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import platformdirs

from core.base.cores import usable_cores
from core.base.errors import UserError
from core.base.jobs import Progress, Task
from core.base.text import Text, text
from core.capture.photos import read_rgba
from core.capture.scene import Intrinsics, Photo, Scene


@dataclass
class PixelStore:
    """Photos at training scale; index i is ``scene.photos[i]``."""

    scene: Scene
    """without the photos that turned out damaged, which its notices name"""
    intrinsics: tuple[Intrinsics, ...]
    """lenses at this scale"""
    offsets: np.ndarray
    """int64 [N], of the first pixel of each photo in ``pixels``"""
    widths: np.ndarray
    """int32 [N]"""
    heights: np.ndarray
    """int32 [N]"""
    pixels: np.ndarray
    """uint8 [total, 4]: RGBA rows of all photos one after the other; A is the opacity (mask), 255
    where the capture has none"""
    path: Path
    """of the memory-mapped file"""

    def image(self, i: int) -> np.ndarray:
        """Return the pixels, uint8 [H, W, 4], of photo ``i``, a view."""
        start, width, height = int(self.offsets[i]), int(self.widths[i]), int(self.heights[i])
        return self.pixels[start : start + width * height].reshape(height, width, 4)

    def close(self) -> None:
        """Remove the file of pixels; the store cannot be used afterwards."""
        self.pixels = np.zeros((0, 4), np.uint8)
        _remove(self.path)

    def __enter__(self) -> PixelStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_pixels(scene: Scene, max_side: int, folder: Path | None = None) -> Task[PixelStore]:
    """Decode the training photos of ``scene`` into a memory-mapped file.

    A photo that cannot be decoded, or whose shape is not its camera's, is left out with a notice.

    Args:
        scene: the scene; without images the store is empty.
        max_side: longer side of the photos at most, pixels.
        folder: of the file, which is removed with the store (default: the user's cache folder).

    Raises:
        UserError: no photo remains or the disk is too full.
    """
    lenses = [p.intrinsics.shrunk(max_side) for p in scene.photos]
    if not scene.photos_with_images:
        none = np.zeros(len(lenses), np.int32)
        path, pixels = _allocate(0, folder)
        return PixelStore(scene, tuple(lenses), none.astype(np.int64), none, none, pixels, path)
    counts = np.array([lens.width * lens.height for lens in lenses], np.int64)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    path, pixels = _allocate(int(offsets[-1]), folder)
    try:
        jobs = [
            (photo, lens, pixels[offsets[i] : offsets[i + 1]])
            for i, (photo, lens) in enumerate(zip(scene.photos, lenses))
        ]
        failures = yield from _decode_all(jobs)
    except BaseException:
        _remove(path)
        raise
    kept = [i for i in range(len(lenses)) if i not in failures]
    if not kept:
        _remove(path)
        raise UserError(next(iter(failures.values()), text("The scene has no photos")))
    new_offsets = _close_gaps(pixels, offsets, counts, kept)
    return PixelStore(
        scene=replace(
            scene,
            photos=tuple(scene.photos[i] for i in kept),
            notices=(
                *scene.notices,
                *(text("Left out: {failure}", failure=failures[i]) for i in sorted(failures)),
            ),
        ),
        intrinsics=tuple(lenses[i] for i in kept),
        offsets=new_offsets,
        widths=np.array([lenses[i].width for i in kept], np.int32),
        heights=np.array([lenses[i].height for i in kept], np.int32),
        pixels=pixels[: int(counts[kept].sum())],
        path=path,
    )


def _allocate(count: int, folder: Path | None) -> tuple[Path, np.ndarray]:
    """Create a file for ``count`` RGBA pixels, and map it.

    Space is reserved before it is written to: a map of a file that a full disk cannot hold would
    end the process.
    """
    folder = folder or platformdirs.user_cache_path("gradina")
    needed = 4 * count
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < needed:
            raise OSError("the disk is full")
        descriptor, name = tempfile.mkstemp(".pixels", "gradina-", folder)
        path = Path(name)
        try:
            if hasattr(os, "posix_fallocate") and needed:
                os.posix_fallocate(descriptor, 0, needed)
            pixels = np.memmap(path, np.uint8, "r+" if needed else "w+", shape=(max(count, 1), 4))
        except BaseException:
            _remove(path)
            raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UserError(
            text(
                "{folder} cannot hold the decoded photos ({gigabytes:.1f} GB): {error}",
                folder=folder,
                gigabytes=needed / 1e9,
                error=error,
            ),
            text("Free some space, or use a smaller preset."),
        ) from error
    if os.name == "posix":  # the space is given back even if this process is killed
        _remove(path)
    return path, np.asarray(pixels[:count])


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


Job = tuple[Photo, Intrinsics, np.ndarray]


def _decode_all(jobs: list[Job]) -> Task[dict[int, Text]]:
    """Fill each job's slice of the map; return the errors by index."""
    failures: dict[int, Text] = {}
    with _pool() as pool:
        pending: dict[Future[None], int] = {pool.submit(_decode, j): i for i, j in enumerate(jobs)}
        while pending:
            yield Progress(
                1 - len(pending) / len(jobs),
                text("reading photo {i} of {n}", i=len(jobs) - len(pending) + 1, n=len(jobs)),
            )
            done, _ = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in done:
                index = pending.pop(future)
                try:
                    future.result()
                except UserError as error:
                    failures[index] = error.text
    return failures


def _decode(job: Job) -> None:
    photo, lens, target = job
    rgba = read_rgba(photo, lens)
    target[:] = rgba.reshape(-1, 4)


@contextmanager
def _pool() -> Generator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(usable_cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _close_gaps(
    pixels: np.ndarray, offsets: np.ndarray, counts: np.ndarray, kept: list[int]
) -> np.ndarray:
    """Move the kept photos together, so that every stored pixel is one of a photo."""
    new_offsets = np.concatenate([[0], np.cumsum(counts[kept])])[:-1]
    for new, i in zip(new_offsets, kept):
        if new != offsets[i]:
            pixels[new : new + counts[i]] = pixels[offsets[i] : offsets[i] + counts[i]].copy()
    return new_offsets
