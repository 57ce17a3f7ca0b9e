"""The parser of the command line. People script these words: they do not change."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

import platformdirs

from core.base.cores import limit_library_threads
from core.base.program import COMMAND, version
from core.cli import arguments as common
from core.cli.commands import evaluate, export, poses, reconstruct, tools

Window = Callable[[Path | None, str], int]
"""Shows the window with a path opened, if any, on a device; returns the exit status."""
Run = Callable[[argparse.Namespace], int]

COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Run, str]] = {
    "demo": (
        reconstruct.add_demo,
        reconstruct.demo,
        "the embedded sample, in the window or to a mesh",
    ),
    "reconstruct": (
        reconstruct.add_reconstruct,
        reconstruct.reconstruct,
        "photos → poses → training → mesh, no window",
    ),
    "imagine": (
        reconstruct.add_imagine,
        reconstruct.imagine,
        "a text prompt → training → mesh, no photos",
    ),
    "poses": (poses.add_poses, poses.poses, "only solve the cameras"),
    "export": (export.add_export, export.export, "a mesh of a saved project"),
    "render": (export.add_render, export.render, "images or a video of a saved project"),
    "evaluate": (
        evaluate.add_evaluate,
        evaluate.evaluate,
        "PSNR and SSIM; distances to a reference mesh",
    ),
    "bench": (tools.add_bench, tools.bench, "how fast this machine is"),
    "doctor": (tools.add_doctor, tools.doctor, "what this machine has and what will be used"),
}
"""By name what adds the command's arguments, what carries it out, and its help."""


def parse(argv: list[str], window: Window) -> argparse.Namespace:
    """Parse a command line.

    Args:
        argv: the words after the program's name.
        window: shows the window, where the command line asks for it.

    Returns:
        The arguments, with ``run``, which carries them out and returns the exit status.

    Raises:
        SystemExit: with status 2 on wrong usage, with 0 after --help and --version.
    """
    parser = argparse.ArgumentParser(
        prog=COMMAND[-1],
        description="A folder of photos becomes a 3D surface.",
        epilog=f"commands: {', '.join(COMMANDS)}; `%(prog)s COMMAND --help` explains each",
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="print it and exit")
    if not argv or argv[0] not in (*COMMANDS, "-h", "--help"):
        parser.add_argument("path", nargs="?", type=Path, help="photos, a posed capture, a project")
        common.add_device(parser)
        common.add_threads(parser)
        parser.set_defaults(run=_show_window, window=window)
        return parser.parse_args(argv)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (add_arguments, run, summary) in COMMANDS.items():
        command = subparsers.add_parser(name, help=summary)
        add_arguments(command)
        common.add_threads(command)
        command.set_defaults(run=_with_limited_libraries(run), window=window)
    return parser.parse_args(argv)


def _show_window(arguments: argparse.Namespace) -> int:
    return arguments.window(arguments.path, arguments.device)


class _ShowVersion(argparse.Action):
    """argparse's own action, but the version is read only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"gradina {version()}")
        parser.exit()


def _with_limited_libraries(run: Run) -> Run:
    """Return ``run``, which first limits the threads of the libraries that it loads."""

    def limited(arguments: argparse.Namespace) -> int:
        limit_library_threads()
        return run(arguments)

    return limited


def log_failure() -> Path:
    """Write the exception being handled to the log file and return its path."""
    path = platformdirs.user_log_path("gradina", ensure_exists=True) / "gradina.log"
    logging.basicConfig(filename=path, format="%(asctime)s %(levelname)s %(message)s")
    logging.exception("a command failed")
    return path
