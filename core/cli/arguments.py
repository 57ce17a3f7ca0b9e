"""Arguments that several commands share, their types, and the options that they amount to."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

from core.base.cores import THREADS_VARIABLE
from core.base.errors import UserError
from core.base.text import text
from core.config.mesh import PURPOSES, Axes, MeshFormat, MeshOptions, Purpose, Unit, Unseen
from core.config.opening import OpenOptions, PoseQuality
from core.config.run import DeviceName, MethodName, PresetName, RunOptions


def add_budget(parser: argparse.ArgumentParser) -> None:
    """Add --minutes and --steps."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--minutes", type=positive, help="training time")
    group.add_argument("--steps", type=positive_int, help="number of training steps, not a time")


def add_preset(add: Callable[..., argparse.Action]) -> None:
    """Add --preset by the ``add_argument`` of a parser or of a group."""
    add("--preset", choices=get_args(PresetName), help="default: draft, with a GPU standard")


def add_method(parser: argparse.ArgumentParser) -> None:
    """Add --method, --wild and --unbounded."""
    parser.add_argument(
        "--method",
        choices=get_args(MethodName),
        help="how the scene is represented (default surface)",
    )
    parser.add_argument(
        "--wild",
        action="store_true",
        help="photos of several days and lights, with passers-by, who are left out",
    )
    parser.add_argument(
        "--unbounded",
        action="store_true",
        help="train the background far beyond the region too, for images and videos",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add --seed."""
    parser.add_argument("--seed", type=int, default=0)


def add_resume(parser: argparse.ArgumentParser) -> None:
    """Add --resume."""
    parser.add_argument("--resume", action="store_true", help="continue the run in DIR/project")


def add_capture(parser: argparse.ArgumentParser) -> None:
    """Add what `open_options` needs."""
    parser.add_argument("--recursive", action="store_true", help="photos of subfolders too")
    parser.add_argument(
        "--pose-quality",
        choices=get_args(PoseQuality),
        default=OpenOptions().quality,
        help="effort of structure from motion (default %(default)s)",
    )
    parser.add_argument(
        "--group",
        type=natural,
        default=0,
        metavar="G",
        help="which model to use, where the photos form several: 0 is the largest",
    )
    parser.add_argument(
        "--frames",
        type=positive_int,
        default=OpenOptions().frames,
        help="of a video, at most (default %(default)s)",
    )


def add_photos_folder(parser: argparse.ArgumentParser) -> None:
    """Add --photos."""
    parser.add_argument(
        "--photos",
        default="",
        metavar="DIR",
        help="where the photos of the project are now, if they were moved",
    )


def add_mesh(parser: argparse.ArgumentParser) -> None:
    """Add an argument for each field of `MeshOptions`, None where it is not given."""
    add = parser.add_argument_group("the mesh").add_argument
    add(
        "--purpose",
        choices=get_args(Purpose),
        help="what it is for: sets the options below that are not given",
    )
    add(
        "--mesh-resolution",
        type=positive_int,
        metavar="R",
        dest="resolution",
        help="marching-cubes cells along the longest side of the region (default 256)",
    )
    add("--lod", type=positive_int, metavar="L", dest="levels", help="number of hash levels used")
    add(
        "--density",
        type=positive,
        metavar="D",
        help="of a method without an SDF: the density at which it is extracted (default 30)",
    )
    add("--format", choices=get_args(MeshFormat))
    add(
        "--axes",
        choices=get_args(Axes),
        help="those of the input, or upright with this axis up",
    )
    add("--unit", choices=get_args(Unit), help="unit that lengths are converted to")
    add(
        "--refine",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="move vertices to where the photos agree, if held-out photos confirm the gain",
    )
    add("--texture", action="store_true", default=None, help="bake a texture from the photos")
    add(
        "--texture-size",
        type=positive_int,
        metavar="N",
        help="texels a side (default: as many as the photos resolve, at most 4096)",
    )
    add(
        "--normal-map",
        action="store_true",
        default=None,
        help="bake a normal map of the extracted surface",
    )
    add(
        "--faces",
        type=positive_int,
        metavar="N",
        help="at most (default: all, with a texture 50000)",
    )
    add(
        "--max-error",
        type=positive,
        metavar="E",
        help="simplify as far as the mesh stays within this distance of the extracted surface",
    )
    add("--lods", type=positive_int, metavar="N", help="levels of detail (default 1)")
    add(
        "--unseen",
        choices=get_args(Unseen),
        help="surface that no camera saw: keep it, remove floating parts (default), or cut it all",
    )
    add(
        "--keep-seen-through",
        action="store_false",
        default=None,
        dest="seen_through",
        help="keep surface that the background shows through, by the masks",
    )
    add(
        "--min-part",
        type=fraction,
        metavar="F",
        dest="min_component",
        help="remove parts of less than this fraction of the largest one's area (default 0.02)",
    )
    add(
        "--close-holes",
        type=fraction,
        metavar="F",
        help="close holes up to this fraction of the mesh's diagonal (default 0.02)",
    )
    add(
        "--watertight",
        action="store_true",
        default=None,
        help="close the surface where the region cuts it",
    )
    add(
        "--max-bytes",
        type=positive_int,
        metavar="N",
        help="largest size of a GLB: fewer faces and smaller images until it fits",
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add --force."""
    parser.add_argument(
        "--force", action="store_true", help="replace files even if Gradina did not write them"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", choices=get_args(DeviceName), default="auto")


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add --threads."""
    parser.add_argument(
        "--threads",
        type=positive_int,
        metavar="N",
        action=_SetThreads,
        help="use at most this many processor cores (default: all that may be used)",
    )


class _SetThreads(argparse.Action):
    """Sets the environment variable, by which child processes get the number too."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,  # noqa: ARG002
        values: str | Sequence[Any] | None,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        os.environ[THREADS_VARIABLE] = str(values)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")


def mesh_options(arguments: argparse.Namespace, path: Path | None = None) -> MeshOptions:
    """Return the options of a mesh: those given, the others as its purpose sets them.

    Args:
        arguments: with those of `add_mesh`.
        path: the file to write, whose suffix is the format where none is given.

    Raises:
        UserError: where the suffix of ``path`` is not a format.
    """
    base = PURPOSES[arguments.purpose] if arguments.purpose else MeshOptions()
    suffix = path.suffix.lstrip(".").lower() if path else ""
    formats = get_args(MeshFormat)
    chosen = arguments.format or suffix or base.format
    if chosen not in formats:
        raise UserError(
            text("{path}: {format} is not a mesh format", path=path, format=chosen),
            text("Use {formats}", formats=", ".join(formats)),
        )
    values = {field.name: getattr(arguments, field.name) for field in fields(MeshOptions)}
    given = {name: value for name, value in values.items() if value is not None}
    return replace(base, **(given | {"format": chosen}))


def open_options(arguments: argparse.Namespace) -> OpenOptions:
    """Return the options of opening a capture; ``arguments`` has those of `add_capture`."""
    return OpenOptions(
        arguments.recursive,
        arguments.pose_quality,
        arguments.group,
        arguments.frames,
        getattr(arguments, "photos", ""),
    )


def run_options(arguments: argparse.Namespace) -> RunOptions:
    """Return the options of a run; ``arguments`` has those of `add_budget` and `add_method`."""
    return RunOptions(
        getattr(arguments, "preset", None),
        arguments.minutes,
        arguments.steps,
        arguments.method or RunOptions().method,
        arguments.wild,
        arguments.unbounded,
    )


def positive(word: str) -> float:
    """Return a positive, finite number."""
    value = float(word)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{word} is not a positive number")
    return value


def fraction(word: str) -> float:
    """Return a number in [0, 1]."""
    value = float(word)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{word} is not between 0 and 1")
    return value


def positive_int(word: str) -> int:
    """Return an integer above 0."""
    value = int(word)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{word} is not a positive whole number")
    return value


def natural(word: str) -> int:
    """Return an integer of at least 0."""
    value = int(word)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{word} is negative")
    return value


def size(word: str) -> tuple[int, int]:
    """Return the width and height of ``WIDTHxHEIGHT``, pixels."""
    width, _, height = word.partition("x")
    return positive_int(width), positive_int(height)
