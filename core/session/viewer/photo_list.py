"""Small pictures of all photos, and how well each is explained, as training goes on.

Both are made a slice at a time in what time others leave: photos are decoded on a thread of their
own, and measuring takes no more than `DUTY_CYCLE` of the time from training. A photo's PSNR is that
of some of its pixels, always the same, at the size that it is trained on.
"""

# pyright: reportUnknownMemberType=false
# torch leaves the types of from_numpy and tolist open.

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice

import numpy as np
import torch
from PIL import Image

from core.base.duty_cycle import DutyCycle
from core.base.errors import UserError
from core.base.jobs import Clock, Job, Progress, Task
from core.base.parallel import num_workers, parallel_map
from core.capture.photos import read_photo, read_rgba
from core.capture.scene import Photo, Scene
from core.geometry.cameras import Intrinsics, pixel_directions
from core.protocol import Event, PhotoScored, Thumbnails
from core.rendering.rays import Rays
from core.rendering.render import render_rays
from core.training.ray_source import backdrop_color, composed
from core.training.trainer import Trainer

SIDE = 96
"""Pixels of a small picture, along its longer side."""
BATCH = 16
"""Small pictures are handed over so many at a time."""
DUTY_CYCLE = 0.05
PROBES = 2048
"""Pixels of a photo that are measured: its PSNR is off by some 0.2 dB for want of the others."""
SLICE = 512
"""Of them at a time and lane."""
WAIT_S = 0.01


class PhotoList:
    """Thumbnails and scores of all photos, made while nothing else is due.

    Args:
        emit: receives `Thumbnails` in the order of the photos, and a `PhotoScored` for each photo
            that was measured again.
        clock: seconds, for the duty cycle.
    """

    def __init__(self, emit: Callable[[Event], None], clock: Clock = time.perf_counter) -> None:
        self._emit = emit
        self._duty = DutyCycle(DUTY_CYCLE, clock=clock)
        self._clock = clock
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="album")
        self.open(None)

    def open(self, scene: Scene | None) -> None:
        """These are the photos now."""
        self._photos = () if scene is None else scene.photos_with_images
        self._pictures: list[bytes] = []
        self._handed = 0
        self._truths: dict[str, np.ndarray] = {}
        self._pending: Future[None] | None = None
        self.forget()

    def forget(self) -> None:
        """Nothing is trained any more of what was measured."""
        self._measured: dict[str, int] = {}
        self._job: Job[None] | None = None
        self._duty.reset()

    def work(self, trainer: Trainer | None, training: bool) -> bool:
        """A slice of what is due, which is little while ``training``; False when nothing is."""
        if self._pending is not None:
            if not training:
                wait([self._pending], WAIT_S)
            if not self._pending.done():
                return not training
            self._pending = None
        if training and not self._duty.is_due:
            return False
        if self._job is None or self._job.is_over:
            task = self._next(trainer)
            if task is None:
                return False
            self._job = Job(task, self._clock)
        before = self._job.seconds
        self._job.advance()
        self._duty.record(self._job.seconds - before)
        return True

    def close(self) -> None:
        """Stop reading photos."""
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _next(self, trainer: Trainer | None) -> Task[None] | None:
        """Small pictures first, then the photo whose PSNR is the oldest."""
        if len(self._pictures) < len(self._photos):
            return self._picture(self._photos[len(self._pictures)])
        if trainer is None or not trainer.step_count or not self._photos:
            return None
        oldest = min(self._photos, key=lambda photo: self._measured.get(photo.name, -1))
        if self._measured.get(oldest.name, -1) >= trainer.step_count:
            return None
        return self._score(trainer, oldest)

    def _read(self, call: Callable[[], None]) -> None:
        self._pending = self._reader.submit(call)

    # --- small pictures ------------------------------------------------------------------

    def _picture(self, photo: Photo) -> Task[None]:
        pictures = self._pictures

        def read() -> None:
            pictures.append(thumbnail(photo))

        self._read(read)
        yield Progress(0.5)
        if len(pictures) - self._handed >= BATCH or len(pictures) == len(self._photos):
            self._emit(Thumbnails(self._handed, tuple(pictures[self._handed :])))
            self._handed = len(pictures)

    # --- measuring -----------------------------------------------------------------------

    def _score(self, trainer: Trainer, photo: Photo) -> Task[None]:
        scene, step = trainer.scene, trainer.step_count
        number = scene.index_of(photo.name)
        lens = photo.intrinsics.shrunk(trainer.config.train.max_photo_side)
        n = lens.width * lens.height
        index = np.random.default_rng(0).integers(0, n, min(PROBES, n))
        if number is None and photo.name not in self._truths:
            truths = self._truths

            def read() -> None:
                truths[photo.name] = _pixels(photo, lens, index)

            self._read(read)
            yield Progress(0.5)
        pixels = (
            self._truths.get(photo.name)
            if number is None
            else (trainer.store.image(number).reshape(-1, 4)[index])
        )
        self._measured[photo.name] = step
        if pixels is None or not len(pixels):
            return
        uv = np.stack([index % lens.width, index // lens.width], -1) + 0.5
        pose = scene.scene_from_camera(photo)
        directions = torch.from_numpy((pixel_directions(lens, uv) @ pose[:3, :3].T).astype("f4"))
        origins = torch.from_numpy(pose[:3, 3].astype("f4")).expand_as(directions).contiguous()
        which = None if number is None else torch.full((len(uv),), number)
        width = torch.full((len(origins),), 1 / lens.fx)
        rays = Rays(origins, directions, which, width=width).to(trainer.device)
        wanted = torch.from_numpy(composed(scene, pixels))
        squares: list[float] = []
        for part in _rendered(trainer, rays):
            squares += ((part - wanted[len(squares) :][: len(part)]) ** 2).mean(-1).tolist()
            yield Progress(0.5)
        psnr = -10 * np.log10(max(np.mean(squares), 1e-10))
        self._emit(PhotoScored(photo.name, float(psnr), step))


def thumbnail(photo: Photo) -> bytes:
    """A JPEG of ``photo``, at most `SIDE` pixels wide and high; empty where it cannot be read."""
    small = photo.intrinsics.shrunk(SIDE)
    shape = photo.intrinsics.width, photo.intrinsics.height
    try:
        pixels = read_photo(photo.path, (small.width, small.height), shape)
    except UserError:
        return b""
    if pixels.shape[-1] == 4:  # before a middling grey
        opacity = pixels[..., 3:] / 255
        pixels = (pixels[..., :3] * opacity + 96 * (1 - opacity)).astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=85)
    return data.getvalue()


def _pixels(photo: Photo, lens: Intrinsics, index: np.ndarray) -> np.ndarray:
    """RGBA uint8 [P, 4] of ``photo`` at the size of ``lens``; none where it cannot be read."""
    try:
        return read_rgba(photo, lens).reshape(-1, 4)[index]
    except UserError:
        return np.zeros((0, 4), np.uint8)


def _rendered(trainer: Trainer, rays: Rays) -> Iterator[torch.Tensor]:
    """Render the sRGB of ``rays``, some at a time, as training renders them."""
    model, behind = trainer.model, None
    if not model.renders_background:
        behind = torch.tensor(backdrop_color(trainer.scene), device=trainer.device)

    @torch.no_grad()
    def part(start: int) -> torch.Tensor:
        some = rays[start : start + SLICE]
        found = render_rays(model, trainer.occupancy, some, trainer.config.train, background=behind)
        return found.color.clamp(0, 1).cpu()

    starts = iter(range(0, len(rays), SLICE))
    while some := list(islice(starts, num_workers(trainer.device))):
        yield torch.cat(parallel_map(part, some))
