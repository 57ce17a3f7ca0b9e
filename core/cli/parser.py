"""The command line: what can be asked. Others script these words."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import get_args

import platformdirs

from core.base.cores import limit_library_threads
from core.base.program import COMMAND, version
from core.cli import arguments as common
from core.cli import commands as run
from core.config.run import MethodName


def parse(argv: list[str], window: run.Window) -> argparse.Namespace:
    """Arguments with ``run``, the function that carries them out; exits with 2 on wrong usage."""
    commands = (
        "demo",
        "reconstruct",
        "imagine",
        "poses",
        "export",
        "render",
        "evaluate",
        "bench",
        "doctor",
    )
    parser = argparse.ArgumentParser(
        prog=COMMAND[-1],
        description="A folder of photos becomes a 3D surface.",
        epilog=f"commands: {', '.join(commands)}; `%(prog)s COMMAND --help` explains each",
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="print it and exit")
    if not argv or argv[0] not in (*commands, "-h", "--help"):
        parser.add_argument("path", nargs="?", type=Path, help="photos, a posed capture, a project")
        common.device(parser)
        common.threads(parser)
        arguments = parser.parse_args(argv)
        arguments.run = lambda a: window(a.path, a.device)
        return arguments
    sub = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = sub.add_parser("demo", help="the embedded sample, in the window or to a mesh")
    demo.add_argument("--headless", action="store_true", help="no window: train and write a mesh")
    demo.add_argument("-o", "--output", type=Path, default=Path("out/demo"))
    demo.add_argument("--resume", action="store_true", help="go on with DIR/project")
    common.method(demo)
    common.budget(demo)
    common.mesh(demo)
    common.device(demo)
    common.json(demo)
    demo.set_defaults(run=lambda a: run.demo(a, window))

    full = sub.add_parser("reconstruct", help="photos → poses → training → mesh, no window")
    full.add_argument("path", type=Path, nargs="?")
    full.add_argument(
        "--from",
        dest="begun_from",
        type=Path,
        metavar="PROJECT",
        help="instead of a path: begin with what this project has learnt",
    )
    full.add_argument("-o", "--output", type=Path, required=True)
    common.capture(full)
    common.method(full)
    how = full.add_mutually_exclusive_group()
    how.add_argument("--preset", choices=("draft", "standard", "high", "neuralangelo"))
    how.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="all settings, region and frame as in the config.json of a project",
    )
    full.add_argument("--seed", type=int, default=0)
    full.add_argument("--resume", action="store_true", help="go on with DIR/project")
    full.add_argument("--hold-out", action="store_true", help="keep photos apart for evaluate")
    common.budget(full)
    common.mesh(full)
    common.moved(full)
    common.device(full)
    common.json(full)
    full.set_defaults(run=run.reconstruct)

    imagine = sub.add_parser("imagine", help="a sentence → training → mesh, no photos")
    imagine.add_argument("sentence", help="what is to be seen, such as: a ceramic vase")
    imagine.add_argument(
        "--weights",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of a CLIP network in the layout of the library transformers",
    )
    imagine.add_argument("-o", "--output", type=Path, required=True)
    imagine.add_argument("--preset", choices=("draft", "standard", "high", "neuralangelo"))
    imagine.add_argument(
        "--method",
        choices=get_args(MethodName),
        default="ngp",
        help="how the scene is learnt (default %(default)s)",
    )
    imagine.add_argument("--seed", type=int, default=0)
    imagine.add_argument("--resume", action="store_true", help="go on with DIR/project")
    common.budget(imagine)
    common.mesh(imagine)
    common.device(imagine)
    common.json(imagine)
    imagine.set_defaults(run=run.imagine, wild=False, unbounded=False)

    poses = sub.add_parser("poses", help="only solve the cameras")
    poses.add_argument("path", type=Path)
    poses.add_argument("-o", "--output", type=Path, default=Path("out/poses"))
    poses.add_argument("--seed", type=int, default=0)
    common.capture(poses)
    poses.add_argument("--dry-run", action="store_true", help="only say what lies there")
    common.json(poses)
    poses.set_defaults(run=run.poses)

    export = sub.add_parser("export", help="a mesh from a saved project")
    export.add_argument("project", type=Path)
    export.add_argument("-o", "--output", type=Path, required=True)
    common.force(export)
    common.mesh(export)
    common.moved(export)
    common.device(export)
    common.json(export)
    export.set_defaults(run=run.export)

    render = sub.add_parser("render", help="pictures or a film of a saved project")
    render.add_argument("project", type=Path)
    render.add_argument("-o", "--output", type=Path, required=True, help="a folder, or FILE.mp4")
    common.force(render)
    what = render.add_mutually_exclusive_group()
    what.add_argument("--split", choices=("test", "train"))
    what.add_argument("--path", default="orbit", help="orbit, or a JSON file of cameras")
    render.add_argument("--frames", type=common.positive_int, default=90, help="of the orbit")
    render.add_argument(
        "--mode",
        choices=("color", "clay", "normals", "depth"),
        default="color",
        help="what a path shows (default %(default)s)",
    )
    render.add_argument("--size", type=common.size, default=(640, 480), help="WIDTHxHEIGHT")
    common.moved(render)
    common.device(render)
    common.json(render)
    render.set_defaults(run=run.render)

    judge = sub.add_parser("evaluate", help="PSNR, SSIM; distances to a reference mesh")
    judge.add_argument("project", type=Path)
    judge.add_argument("--reference", type=Path)
    judge.add_argument("--threshold", type=float, action="append", help="of the F-score, a length")
    common.mesh(judge)
    common.moved(judge)
    common.device(judge)
    common.json(judge)
    judge.set_defaults(run=run.evaluate)

    speed = sub.add_parser("bench", help="how fast this machine is")
    common.device(speed)
    common.json(speed)
    speed.set_defaults(run=run.bench)

    doctor = sub.add_parser("doctor", help="what this machine has and what will be used")
    common.json(doctor)
    doctor.set_defaults(run=run.doctor)
    for command in sub.choices.values():
        common.threads(command)
    return _limited(parser.parse_args(argv))


class _ShowVersion(argparse.Action):
    """As argparse's own action, but the version is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"gradina {version()}")
        parser.exit()


def _limited(arguments: argparse.Namespace) -> argparse.Namespace:
    """The same, but the command first limits the libraries that it loads."""
    command = arguments.run

    def limited(arguments: argparse.Namespace) -> int:
        limit_library_threads()
        return command(arguments)

    arguments.run = limited
    return arguments


def log_failure() -> Path:
    """Write the exception being handled to the log; returns its path."""
    path = platformdirs.user_log_path("gradina", ensure_exists=True) / "gradina.log"
    logging.basicConfig(filename=path, format="%(asctime)s %(levelname)s %(message)s")
    logging.exception("a command failed")
    return path
