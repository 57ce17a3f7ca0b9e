"""The photo that is looked through, as the view sees it: to be shown, compared and measured.

A view is a pinhole in the middle of its picture; photos are taken through lenses with distortion
and an off-centre axis. So the photo is undistorted into the view: each pixel of the view gets the
colour at which its ray goes through the photo's own lens.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false
# scipy has no types.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import map_coordinates

from core.base.colormaps import BACKDROP, Gradient
from core.base.errors import UserError
from core.base.jobs import Job, Progress, Task, run_in_thread
from core.capture.scene import Photo, Scene
from core.geometry.cameras import project
from core.geometry.view import View
from core.protocol import Notice
from core.rendering.error import render_error
from core.rendering.preview import backdrop, view_rays
from core.training.ray_source import backdrop_color, photo_colors
from core.training.trainer import Trainer

EDGE = 0.01
"""Pixels, for what rounding does to rays along the edge of a photo."""
ShowPhoto = Callable[[np.ndarray, View], None]


@dataclass(frozen=True)
class UndistortedPhoto:
    """What a view through a photo's camera should show."""

    colors: np.ndarray
    """[H, W, 3] sRGB in [0, 1]"""
    known: np.ndarray
    """[H, W] bool; the rest lies beyond the photo"""

    def at(self, width: int, height: int) -> UndistortedPhoto:
        """The same in fewer pixels, each the mean of those that it covers."""
        if (height, width) == self.known.shape:
            return self
        share = _shrunk(self.known.astype(np.float32), width, height)
        sums = [_shrunk(self.colors[..., c] * self.known, width, height) for c in range(3)]
        known = share > 0.999
        return UndistortedPhoto(np.stack(sums, -1) / np.maximum(share, 1e-6)[..., None], known)

    def picture(self, background: Gradient = BACKDROP) -> np.ndarray:
        """uint8 [H, W, 3]; the preview's ``background`` where the photo ends."""
        height, width = self.known.shape
        picture = backdrop(width, height, torch.device("cpu"), background)
        picture = picture.view(height, width, 3).numpy()
        picture[self.known] = self.colors[self.known]
        return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def undistort_photo(scene: Scene, photo: Photo, view: View) -> UndistortedPhoto:
    """Resample ``photo`` as ``view``, from its camera's place, sees it, at the view's size.

    Raises:
        UserError: the photo cannot be read.
    """
    lens = photo.intrinsics
    focal = 0.5 * view.height / np.tan(view.fov_y / 2)
    ratio = min(1.0, focal / lens.fy)  # as many pixels as the view has
    lens = lens.scaled(max(1, round(lens.width * ratio)), max(1, round(lens.height * ratio)))
    colors = photo_colors(scene, photo, lens)
    _, directions = view_rays(view, view.width, view.height, torch.device("cpu"))
    turn = scene.scene_from_camera(photo)[:3, :3]
    uv = project(lens, directions.numpy().astype(np.float64) @ turn)
    with np.errstate(invalid="ignore"):
        known = ((uv >= -EDGE) & (uv <= np.array([lens.width, lens.height]) + EDGE)).all(1)
    at = uv[known].T[::-1] - 0.5
    out = np.zeros((view.height * view.width, 3), np.float32)
    for c in range(3):
        out[known, c] = map_coordinates(colors[..., c], at, order=1, mode="nearest")
    return UndistortedPhoto(
        out.reshape(view.height, view.width, 3), known.reshape(view.height, view.width)
    )


class PhotoLoader:
    """Reads, beside all other work, the photo that is looked through; hands it to ``show`` once."""

    def __init__(self, show: ShowPhoto, emit: Callable[[Notice], None]) -> None:
        self._show, self._emit = show, emit
        self._wanted: tuple[object, ...] = ()
        self._job: Job[UndistortedPhoto] | None = None
        self._view: View | None = None
        self._truth: UndistortedPhoto | None = None

    def look(self, view: View, scene: Scene | None) -> None:
        """The newest view of ``scene``."""
        wanted = _seen(view)
        if wanted == self._wanted or view.moving:
            return
        self.forget()
        photo = scene and _named(scene, view.photo)
        if scene and photo and view.span is None:
            self._wanted, self._view = wanted, view
            reading = run_in_thread(lambda: undistort_photo(scene, photo, view), Progress(0.0))
            self._job = Job(reading)

    def forget(self) -> None:
        """There is another scene."""
        self._wanted, self._job, self._truth = (), None, None

    def work(self) -> bool:
        """Wait a moment for the photo; False where none is awaited."""
        job = self._job
        if job is None:
            return False
        assert self._view is not None
        try:
            if job.advance():
                self._truth = job.result
                self._show(job.result.picture(self._view.backdrop), self._view)
        except UserError as error:
            self._emit(Notice(error.text))
        if job.is_over:
            self._job = None
        return True

    def error_of(
        self, trainer: Trainer, view: View, width: int, height: int
    ) -> Task[np.ndarray] | None:
        """As `render_error` of ``view`` at this size; None while its photo is read."""
        if self._truth is None or _seen(view) != self._wanted:
            return None
        truth, scene = self._truth.at(width, height), trainer.scene
        number = scene.index_of(view.photo)
        return render_error(
            trainer.model,
            trainer.occupancy,
            trainer.config.train,
            view,
            truth.colors,
            truth.known,
            number,
            backdrop_color(scene),
        )


def _seen(view: View) -> tuple[object, ...]:
    """What a photo's picture depends on."""
    return view.photo, view.scene_from_camera, view.fov_y, view.width, view.height


def _named(scene: Scene, name: str) -> Photo | None:
    return next((p for p in scene.photos_with_images if p.name == name), None)


def _shrunk(values: np.ndarray, width: int, height: int) -> np.ndarray:
    """[height, width] means of ``values`` [H, W]."""
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))
