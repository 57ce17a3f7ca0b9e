"""Videos and images of the surface along a camera path."""
# imageio has no type stubs
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
from collections.abc import Callable, Generator
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
    """Whether `frame_writer` writes ``out`` as one file, not as a folder."""
    return out.suffix.lower() in (".mp4", ".png")


def frame_outputs(out: Path, *, force: bool = False) -> Outputs:
    """`Outputs` for `frame_writer`; ``force`` replaces files that Gradina did not write."""
    return Outputs(out.parent if is_single_file(out) else out, force=force)


@contextmanager
def frame_writer(
    out: Path, outputs: Outputs, rate: int = 30
) -> Generator[Callable[[np.ndarray], None]]:
    """Yield a function that writes frames, uint8 [H, W, 3], one after the other.

    Args:
        out: a video if it ends in .mp4, an image if it ends in .png, else a folder of images, from
            which those of an earlier run are removed.
        outputs: the files appear with these.
        rate: frames per second of a video.

    Raises:
        UserError: the files cannot be written.
    """
    suffix = out.suffix.lower()
    numbers = iter(range(10**9))

    def write_numbered(image: np.ndarray) -> None:
        iio.imwrite(outputs.temporary(out / f"{next(numbers):04d}.png"), image)

    def write_single(image: np.ndarray) -> None:
        iio.imwrite(outputs.temporary(out), image)

    try:
        if suffix != ".mp4":
            yield write_single if suffix == ".png" else write_numbered
            if suffix != ".png":
                outputs.remove_stale("[0-9][0-9][0-9][0-9].png")
            return
        with iio.imopen(outputs.temporary(out), "w", plugin="pyav") as video:
            video.init_video_stream("libx264", fps=rate)
            yield lambda image: video.write_frame(
                image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
            )
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            text("{path} cannot be written ({reason})", path=out, reason=reason),
            text("Choose another folder"),
        ) from error


def write_video(
    trainer: Trainer, path: Path, options: VideoOptions, *, force: bool = False
) -> Task[int]:
    """Write a video or an image of the surface.

    A video gets a camera path of the same name beside it, which `core.output.views.camera_path`
    reads. Existing files are replaced at the end only.

    Args:
        trainer: the trained scene.
        path: .mp4 or .png.
        options: keyframes, size, rate and mode.
        force: as of `Outputs`.

    Returns:
        The number of frames.

    Raises:
        UserError: the name or the keyframes are wrong, or the files cannot be written.
    """
    if not is_single_file(path):
        raise UserError(
            text("{path} is neither a video nor an image", path=path), text("Name it .mp4 or .png")
        )
    views = np.reshape(options.views, (-1, 4, 4))
    if not len(views):
        raise UserError(text("A video needs keyframes, and there are none"), text("Add a keyframe"))
    poses = smooth_path(views, options.n_frames, options.closed)
    surface = trace_field(trainer.model, trainer.visible_occupancy, options.levels, options.mode)
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
                            text("frame {i} of {n_frames}", i=i + 1, n_frames=len(poses)),
                        )
                    )
                )
        if len(poses) > 1:
            content = _path_file(poses, trainer.scene.scene_from_input, options.fov_y)
            outputs.write(path_file, content)
    return len(poses)


def _path_file(poses: np.ndarray, scene_from_input: np.ndarray, fov_y: float) -> bytes:
    """JSON of ``poses`` [N, 4, 4] (scene frame) in the input's frame and with OpenGL axes."""
    input_from_scene = invert(scene_from_input)
    frames = [
        {
            "transform_matrix": world_from_opengl_camera(
                transform_pose(input_from_scene, pose)
            ).tolist()
        }
        for pose in poses
    ]
    content = {"camera_angle_y": fov_y, "frames": frames}
    return json.dumps(content, indent=1).encode()
