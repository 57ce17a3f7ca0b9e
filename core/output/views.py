"""Rendered views of a trained scene: photos, orbits, camera paths, and image metrics of photos."""
# torch is only partly typed
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from msgspec import structs

from core.base.errors import UserError
from core.base.image_metrics import psnr, ssim
from core.base.jobs import Progress, Task, run_task, subtask
from core.base.parallel import num_workers, parallel_map
from core.base.shapes import check_shapes
from core.base.text import text, verbatim
from core.capture.scene import Intrinsics, Photo
from core.geometry.camera_path import looking_at_center
from core.geometry.rigid import nearest_rigid, transform_pose, world_from_opengl_camera
from core.geometry.view import PreviewMode, View
from core.rendering.preview import render_preview, trace_field
from core.rendering.render import render_rays
from core.training.fit_appearance import appearance_override, fit_appearance
from core.training.ray_source import backdrop_color, photo_colors, photo_rays
from core.training.trainer import Trainer

RAYS_PER_CHUNK = 4096
"""rendered at once by each worker"""


@dataclass(frozen=True)
class ViewScore:
    """Image metrics of one photo."""

    name: str
    """of the photo"""
    psnr: float
    """dB"""
    ssim: float
    """in [-1, 1]"""


def render_photo(trainer: Trainer, photo: Photo, lens: Intrinsics) -> Task[np.ndarray]:
    """Render the field from the camera of ``photo`` through ``lens``.

    Where masks cut the photos out, it is rendered on the capture's solid background.

    Returns:
        sRGB [H, W, 3] in [0, 1].
    """
    device, background = trainer.device, _background_color(trainer)
    rays = photo_rays(trainer.scene, photo, lens, _photo_index(trainer, photo))

    @torch.no_grad()
    def render_chunk(start: int) -> torch.Tensor:
        some = rays[start : start + RAYS_PER_CHUNK].to(device)
        rendered = render_rays(
            trainer.model, trainer.occupancy, some, trainer.config.train, background=background
        )
        return rendered.color.cpu()

    starts = list(range(0, len(rays), RAYS_PER_CHUNK))
    workers = num_workers(device)
    colors: list[torch.Tensor] = []
    for i in range(0, len(starts), workers):
        colors += parallel_map(render_chunk, starts[i : i + workers])
        yield Progress(min((i + workers) / len(starts), 1.0), verbatim(photo.name))
    return torch.cat(colors).clamp(0, 1).view(lens.height, lens.width, 3).numpy()


def _photo_index(trainer: Trainer, photo: Photo) -> int | None:
    """Index of ``photo`` among the training photos; None for any other."""
    photos = enumerate(trainer.scene.photos)
    return next((i for i, other in photos if other.path == photo.path), None)


def _background_color(trainer: Trainer) -> torch.Tensor | None:
    """Colour [3] where nothing is hit, sRGB; None for the model's own background."""
    if trainer.model.renders_background:
        return None
    return torch.tensor(backdrop_color(trainer.scene), device=trainer.device)


def _fit_to_left_half(
    trainer: Trainer, photo: Photo, lens: Intrinsics, truth: np.ndarray
) -> torch.Tensor:
    """Fit an appearance to the left half of ``truth`` [H, W, 3]."""
    left = torch.arange(lens.width * lens.height).view(lens.height, lens.width)
    left = left[:, : lens.width // 2].flatten()
    rays = photo_rays(trainer.scene, photo, lens)[left]
    return fit_appearance(
        trainer, rays, torch.from_numpy(truth).view(-1, 3)[left], _background_color(trainer)
    )


def score_photos(trainer: Trainer, photos: tuple[Photo, ...]) -> Task[list[ViewScore]]:
    """Compute PSNR and SSIM of each of ``photos`` at training size.

    The appearance of a photo that was not trained on, of a capture in the wild, is fitted to its
    left half, and its right half is measured (as in NeRF-W).
    """
    scores: list[ViewScore] = []
    for i, photo in enumerate(photos):
        lens = photo.intrinsics.shrunk(trainer.config.train.max_photo_side)
        truth, appearance = photo_colors(trainer.scene, photo, lens), None
        is_new = trainer.config.wild and _photo_index(trainer, photo) is None
        if is_new:
            appearance = _fit_to_left_half(trainer, photo, lens, truth)
        with appearance_override(trainer, appearance):
            task = render_photo(trainer, photo, lens)
            image = yield from subtask(task, i / len(photos), (i + 1) / len(photos))
        if is_new:
            image, truth = image[:, lens.width // 2 :], truth[:, lens.width // 2 :]
        scores.append(ViewScore(photo.name, psnr(image, truth), ssim(image, truth)))
    return scores


def orbit(n_frames: int, width: int, height: int) -> list[View]:
    """Views once around the scene, slightly from above, in the scene frame."""
    return [
        view_at(i, looking_at_center(azimuth, math.radians(20), 3.0), width, height)
        for i, azimuth in enumerate(np.linspace(0, 2 * math.pi, n_frames, endpoint=False))
    ]


def camera_path(file: Path, scene_from_input: np.ndarray, width: int, height: int) -> list[View]:
    """Read the cameras of a JSON file in the form of transforms.json.

    Args:
        file: has ``frames`` with ``transform_matrix`` (input frame, OpenGL axes), and optionally
            ``camera_angle_y``.
        scene_from_input: [4, 4].
        width: of the views, pixels.
        height: of the views, pixels.

    Raises:
        UserError: the file is not such a path.
    """
    check_shapes(scene_from_input=(scene_from_input, "4 4"))
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        poses = [np.array(f["transform_matrix"], float) for f in content["frames"]]
        fov = float(content.get("camera_angle_y", math.radians(40)))
        rigid = [nearest_rigid(world_from_opengl_camera(p)) for p in poses]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            text("{file} is not a camera path ({reason})", file=file, reason=error),
            text("It needs frames with transform_matrix, as in transforms.json"),
        ) from error
    return [
        view_at(i, transform_pose(scene_from_input, pose), width, height, fov)
        for i, pose in enumerate(rigid)
    ]


def render_views(
    trainer: Trainer, views: list[View], mode: PreviewMode = "color"
) -> Iterator[np.ndarray]:
    """Render the surface in each view, uint8 [H, W, 3], as ``mode`` shows it."""
    surface = trace_field(trainer.model, trainer.visible_occupancy, None, mode)
    views = [structs.replace(view, mode=mode) for view in views]
    for view in views:
        yield run_task(render_preview(trainer.model, surface, view, view.width, view.height))


def render_split(trainer: Trainer, split: str) -> tuple[Iterator[np.ndarray], int]:
    """Render the training photos' cameras, or those of held-out photos.

    Args:
        trainer: the trained scene.
        split: "test" for held-out photos, else training photos.

    Returns:
        Images uint8 [H, W, 3], and how many there are.

    Raises:
        UserError: there are no such photos.
    """
    scene = trainer.scene
    photos = scene.held_out if split == "test" else scene.photos
    if not photos:
        raise UserError(
            text("No photos were held out of this project"),
            text("Use --split train, or reconstruct with --hold-out"),
        )

    def frames() -> Iterator[np.ndarray]:
        for photo in photos:
            lens = photo.intrinsics.shrunk(trainer.config.train.max_photo_side)
            image = run_task(render_photo(trainer, photo, lens))
            yield (image * 255).round().astype(np.uint8)

    return frames(), len(photos)


def view_at(i: int, pose: np.ndarray, width: int, height: int, fov: float = 0.7) -> View:
    """View number ``i`` from ``pose`` [4, 4]; ``fov`` is vertical, radians."""
    return View(i, tuple(pose.ravel().tolist()), fov, width, height)
