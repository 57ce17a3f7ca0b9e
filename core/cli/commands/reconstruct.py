"""The commands that train a scene: demo, reconstruct, imagine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from core.base.errors import UserError
from core.base.text import text
from core.cli import arguments as common
from core.cli.progress_bar import ProgressBar
from core.cli.results import print_result
from core.config.run import MethodName


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo`."""
    parser.add_argument("--headless", action="store_true", help="no window: train and write a mesh")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/demo"))
    common.add_resume(parser)
    common.add_method(parser)
    common.add_budget(parser)
    common.add_mesh(parser)
    common.add_device(parser)
    common.add_json(parser)


def demo(arguments: argparse.Namespace) -> int:
    """Show the embedded sample in the window, or reconstruct it and measure the true error."""
    from core.sample import FOLDER

    if not arguments.headless:
        try:
            return arguments.window(FOLDER, arguments.device)
        except UserError as error:
            print(f"gradina: {error.what}; continuing without a window.", file=sys.stderr)
    from core.cli.demo import demo

    with ProgressBar() as bar:
        report = demo(
            arguments.output,
            common.run_options(arguments),
            arguments.device,
            common.mesh_options(arguments),
            bar.on_event,
            bar.on_progress,
            resume=arguments.resume,
        )
    lines = [
        *_summary(report),
        f"exact surface: mean two-way distance {report['surface']['distance'] * 1000:.1f} mm "
        f"(the owl is {report['extent'] * 100:.0f} cm tall)",
        f"held-out photos: PSNR {report['held_out']['psnr']:.1f} dB, "
        f"SSIM {report['held_out']['ssim']:.3f}",
    ]
    return print_result(arguments, report, lines)


def add_reconstruct(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `reconstruct`."""
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument(
        "--from",
        dest="parent_project",
        type=Path,
        metavar="PROJECT",
        help="instead of a path: a trained project, whose model the training starts from",
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    common.add_capture(parser)
    common.add_method(parser)
    settings = parser.add_mutually_exclusive_group()
    common.add_preset(settings.add_argument)
    settings.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="all settings, the region and the frame from the config.json of a project",
    )
    common.add_seed(parser)
    common.add_resume(parser)
    parser.add_argument(
        "--hold-out", action="store_true", help="hold every 8th photo out of training, for evaluate"
    )
    common.add_budget(parser)
    common.add_mesh(parser)
    common.add_photos_folder(parser)
    common.add_device(parser)
    common.add_json(parser)


def reconstruct(arguments: argparse.Namespace) -> int:
    """Solve poses if needed, train and write a mesh."""
    from core.api import reconstruct
    from core.project.repeat import read_recipe

    if arguments.config and (arguments.method or arguments.wild or arguments.unbounded):
        raise UserError(
            text("{file} already sets the method", file=arguments.config),
            text("Leave out --method, --wild and --unbounded"),
        )
    source: Path | None = arguments.path or arguments.parent_project
    if source is None:
        raise UserError(
            text("There is nothing to reconstruct"),
            text("Name a folder of photos, or a trained project with --from"),
        )
    if arguments.path is not None and arguments.parent_project is not None:
        raise UserError(
            text("{path} and --from exclude each other", path=arguments.path),
            text("Name either photos or a trained project"),
        )
    recipe = read_recipe(arguments.config) if arguments.config else None
    with ProgressBar() as bar:
        report = reconstruct(
            source,
            arguments.output,
            warm_start=arguments.parent_project is not None,
            options=common.run_options(arguments),
            device=arguments.device,
            seed=arguments.seed,
            mesh_options=common.mesh_options(arguments),
            hold_out=arguments.hold_out,
            resume=arguments.resume,
            open_options=common.open_options(arguments),
            recipe=recipe,
            on_event=bar.on_event,
        )
    return print_result(arguments, report, _summary(report))


def add_imagine(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `imagine`."""
    parser.add_argument("prompt", help="what the scene shows, such as: a ceramic vase")
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of a CLIP network in the layout of the library transformers",
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    common.add_preset(parser.add_argument)
    parser.add_argument(
        "--method",
        choices=get_args(MethodName),
        default="ngp",
        help="how the scene is represented (default %(default)s)",
    )
    common.add_seed(parser)
    common.add_resume(parser)
    common.add_budget(parser)
    common.add_mesh(parser)
    common.add_device(parser)
    common.add_json(parser)
    parser.set_defaults(wild=False, unbounded=False)


def imagine(arguments: argparse.Namespace) -> int:
    """Generate a scene from a text prompt and write a mesh."""
    from core.api import reconstruct
    from core.config.prompt import write_prompt

    prompt_file = write_prompt(arguments.prompt, arguments.weights, arguments.output)
    with ProgressBar() as bar:
        report = reconstruct(
            prompt_file,
            arguments.output,
            options=common.run_options(arguments),
            device=arguments.device,
            seed=arguments.seed,
            mesh_options=common.mesh_options(arguments),
            resume=arguments.resume,
            on_event=bar.on_event,
        )
    return print_result(arguments, report, _summary(report))


def _summary(report: dict[str, Any]) -> list[str]:
    """Return the lines that a person reads of a report."""
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in report["seconds"].items())
    if report["sentence"]:
        quality = f"CLIP similarity {1 - report['losses'].get('sentence', 1):.3f}"
    else:
        quality = f"{report['photos']} photos, training PSNR {report['psnr_training']:.1f} dB"
    return [
        f"{report['mesh']}: {report['vertices']} vertices, {report['faces']} faces",
        *report["mesh_notes"],
        f"{report['steps']} steps, {quality} ({seconds})",
    ]
