"""The commands that write files of a trained project: export, render."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from core.cli import arguments as common
from core.cli.progress_bar import ProgressBar
from core.cli.results import note_on_interrupt, open_trainer, print_result, suggest_force
from core.geometry.view import RenderMode


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `export`."""
    parser.add_argument("project", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    common.add_force(parser)
    common.add_mesh(parser)
    common.add_photos_folder(parser)
    common.add_device(parser)
    common.add_json(parser)


def export(arguments: argparse.Namespace) -> int:
    """Write the mesh of a project."""
    from core.base.jobs import run_task
    from core.meshing.from_model import export_model, require_free

    options = common.mesh_options(arguments, arguments.output)
    with suggest_force():
        require_free(arguments.output, options, force=arguments.force)
    with (
        note_on_interrupt("no mesh was written"),
        ProgressBar() as bar,
        open_trainer(arguments, bar.on_event) as (trainer, _),
    ):
        task = export_model(
            trainer.model, trainer.scene, options, arguments.output, force=arguments.force
        )
        exported = run_task(task, bar.on_progress)
    result = {
        "mesh": str(exported.path),
        "vertices": exported.n_vertices,
        "faces": exported.n_faces,
        "bytes": exported.n_bytes,
        "notes": exported.notes,
    }
    summary = f"{exported.path}: {exported.n_vertices} vertices, {exported.n_faces} faces"
    return print_result(arguments, result, [summary, *exported.notes])


def add_render(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `render`."""
    parser.add_argument("project", type=Path)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="a folder, FILE.mp4 or FILE.png"
    )
    common.add_force(parser)
    views = parser.add_mutually_exclusive_group()
    views.add_argument(
        "--split", choices=("test", "train"), help="the cameras of held-out or of training photos"
    )
    views.add_argument("--path", default="orbit", help="orbit, or a JSON file of cameras")
    parser.add_argument(
        "--frames", type=common.positive_int, default=90, help="of the orbit (default %(default)s)"
    )
    parser.add_argument(
        "--mode",
        choices=get_args(RenderMode),
        default="color",
        help="what the images along a path show (default %(default)s)",
    )
    parser.add_argument("--size", type=common.size, default=(640, 480), help="WIDTHxHEIGHT")
    common.add_photos_folder(parser)
    common.add_device(parser)
    common.add_json(parser)


def render(arguments: argparse.Namespace) -> int:
    """Write images or a video of a project."""
    from core.output.video import frame_outputs, frame_writer, is_single_file
    from core.output.views import camera_path, orbit, render_split, render_views

    outputs = frame_outputs(arguments.output, force=arguments.force)
    with suggest_force():
        outputs.require_free([arguments.output] if is_single_file(arguments.output) else [])
    with (
        note_on_interrupt("no image was written"),
        ProgressBar() as bar,
        open_trainer(arguments, bar.on_event) as (trainer, _),
    ):
        if arguments.split:
            frames, n_frames = render_split(trainer, arguments.split)
        else:
            if arguments.path == "orbit":
                views = orbit(arguments.frames, *arguments.size)
            else:
                pose = trainer.scene.scene_from_input
                views = camera_path(Path(arguments.path), pose, *arguments.size)
            frames, n_frames = render_views(trainer, views, arguments.mode), len(views)
        with outputs, frame_writer(arguments.output, outputs) as write:
            for image in bar.count(frames, n_frames, "rendering"):
                write(image)
    result = {"output": str(arguments.output), "frames": n_frames}
    return print_result(arguments, result, [f"{arguments.output}: {n_frames} images"])
