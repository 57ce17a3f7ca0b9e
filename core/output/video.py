"""Films and pictures of the surface along a path of the camera."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from core.base.errors import UserError
from core.base.jobs import Task, subtask
from core.base.outputs import Outputs
from core.base.text import text
from core.geometry.camera_path import smooth_path
from core.geometry.rigid import invert, transform_pose, world_from_opengl_camera
from core.geometry.view import VideoOptions, View
from core.rendering.preview import render_preview, trace_field
from core.training.trainer import Trainer


def is_single_file(out: Path) -> bool:
    """Whether `frame_writer` writes ``out`` as one file."""
    return out.suffix.lower() in (".mp4", ".png")


def frame_outputs(out: Path, *, force: bool = False) -> Outputs:
    """For `frame_writer`."""
    return Outputs(out.parent if is_single_file(out) else out, force=force)


@contextmanager
def frame_writer(
    out: Path, outputs: Outputs, rate: int = 30
) -> Iterator[Callable[[np.ndarray], None]]:
    """Takes pictures, uint8 [H, W, 3], one after the other: into one film if ``out`` ends in .mp4,
    one picture if it ends in .png, else into a folder, where those of an earlier run go. They
    appear with the ``outputs``. Raises UserError where they cannot be written."""
    kind = out.suffix.lower()
    numbers = iter(range(10**9))

    def into_folder(image: np.ndarray) -> None:
        iio.imwrite(outputs.temporary(out / f"{next(numbers):04d}.png"), image)

    def into_picture(image: np.ndarray) -> None:
        iio.imwrite(outputs.temporary(out), image)

    try:
        if kind != ".mp4":
            yield into_picture if kind == ".png" else into_folder
            if kind != ".png":
                outputs.remove_stale("[0-9][0-9][0-9][0-9].png")
            return
        with iio.imopen(outputs.temporary(out), "w", plugin="pyav") as film:
            film.init_video_stream("libx264", fps=rate)
            yield lambda image: film.write_frame(
                image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
            )
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            text("{out} cannot be written ({reason})", out=out, reason=reason),
            text("Choose another place"),
        ) from error


def write_video(
    trainer: Trainer, path: Path, options: VideoOptions, *, force: bool = False
) -> Task[int]:
    """Write a video or picture of ``options`` to ``path``, with a camera path of the same name
    beside a video, which `core.output.views.camera_path` reads; returns the number of frames. What
    lay there before is replaced at the end only; ``force`` as in `Outputs`. Raises UserError."""
    if not is_single_file(path):
        raise UserError(
            text("{path} is neither a film nor a picture", path=path), text("Name it .mp4 or .png")
        )
    views = np.reshape(options.views, (-1, 4, 4))
    if not len(views):
        raise UserError(text("A film goes through views, and there are none"), text("Add one"))
    poses = smooth_path(views, options.n_frames, options.closed)
    surface = trace_field(trainer.model, trainer.shown, options.levels, options.mode)
    path_file = path.with_name(f"{path.name}.json")
    with frame_outputs(path, force=force) as outputs:
        outputs.require_free([path_file] if len(poses) > 1 else [])
        with frame_writer(path, outputs, options.rate) as write:
            for i, pose in enumerate(poses):
                view = View(
                    i,
                    tuple(pose.ravel().tolist()),
                    options.fov_y,
                    options.width,
                    options.height,
                    options.mode,
                    options.levels,
                )
                task = render_preview(trainer.model, surface, view, view.width, view.height)
                start, end = i / len(poses), (i + 1) / len(poses)
                write(
                    (
                        yield from subtask(
                            task,
                            start,
                            end,
                            text("picture {i} of {n_poses}", i=i + 1, n_poses=len(poses)),
                        )
                    )
                )
        if len(poses) > 1:
            content = _path_file(poses, trainer.scene.scene_from_input, options.fov_y)
            outputs.write(path_file, content)
    return len(poses)


def _path_file(poses: np.ndarray, scene_from_input: np.ndarray, fov_y: float) -> bytes:
    """``poses`` [N, 4, 4] of the scene frame, in the input's and with OpenGL axes."""
    back = invert(scene_from_input)
    frames = [
        {"transform_matrix": world_from_opengl_camera(transform_pose(back, pose)).tolist()}
        for pose in poses
    ]
    content = {"camera_angle_y": fov_y, "frames": frames}
    return json.dumps(content, indent=1).encode()
