"""Arguments that several commands share, and what their values may be."""

from __future__ import annotations

import argparse
import math
import os
from typing import get_args

from core.base.cores import THREADS_VARIABLE
from core.config.run import MethodName


def budget(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--minutes", type=positive, help="training time")
    group.add_argument("--steps", type=positive_int, help="training steps, instead of time")


def method(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method", choices=get_args(MethodName), help="how the scene is learnt (default surface)"
    )
    parser.add_argument(
        "--wild",
        action="store_true",
        help="photos of several lights, with passers-by, who are left out",
    )
    parser.add_argument(
        "--unbounded",
        action="store_true",
        help="what lies far beyond the region is learnt with it, for pictures",
    )


def capture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recursive", action="store_true", help="photos of subfolders too")
    parser.add_argument(
        "--pose-quality",
        choices=("fast", "normal", "best"),
        default="normal",
        help="how much work solving the cameras is worth",
    )
    parser.add_argument(
        "--group",
        type=natural,
        default=0,
        metavar="G",
        help="which sub-model, where there are several: 0 is the largest",
    )
    parser.add_argument(
        "--frames", type=positive_int, default=100, help="of a film, at most (default %(default)s)"
    )


def moved(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--photos",
        default="",
        metavar="DIR",
        help="where the photos of the project are now, if they were moved",
    )


def mesh(parser: argparse.ArgumentParser) -> None:
    """Options of a mesh; those not given are None, and as its purpose has them."""
    add = parser.add_argument_group("the mesh").add_argument
    add(
        "--purpose",
        choices=("game", "archive", "print", "web"),
        help="what it is for: sets the options below that are not given",
    )
    add(
        "--mesh-resolution",
        type=positive_int,
        metavar="R",
        help="marching-cubes cells along the region (default 256)",
    )
    add("--lod", type=positive_int, metavar="L", help="hash levels used")
    add(
        "--density",
        type=positive,
        metavar="D",
        help="of a method without a surface: cut it where density passes this (default 30)",
    )
    add("--format", choices=("obj", "ply", "glb", "stl", "usdz"))
    add(
        "--axes",
        choices=("input", "z", "y"),
        help="those of the input, or upright with this axis up",
    )
    add("--unit", choices=("mm", "cm", "m", "in", "ft"), help="lengths are converted to")
    add(
        "--refine",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="move the surface to where the photos agree, kept if photos held back say so",
    )
    add("--texture", action="store_true", default=None, help="bake the photos into one atlas")
    add(
        "--texture-size",
        type=positive_int,
        metavar="N",
        help="texels a side (default: as the photos have detail for, 4096 at most)",
    )
    add(
        "--normal-map",
        action="store_true",
        default=None,
        help="bake the relief of the surface as cut",
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
        help="as few faces as stay within this distance of the surface as cut",
    )
    add("--lods", type=positive_int, metavar="N", help="levels of detail (default 1)")
    add(
        "--unseen",
        choices=("keep", "parts", "cut"),
        help="what no camera saw: keep it, remove loose parts (default), or cut it all off",
    )
    add(
        "--keep-seen-through",
        action="store_true",
        default=None,
        help="keep what masks show background through",
    )
    add(
        "--min-part",
        type=fraction,
        metavar="F",
        help="loose parts with less of the largest one's area go (default 0.02)",
    )
    add(
        "--close-holes",
        type=fraction,
        metavar="F",
        help="up to this share of the mesh's diagonal (default 0.02)",
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
        help="of a GLB, by fewer faces and smaller pictures",
    )


def force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="replace files even if Gradina did not write them"
    )


def device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads",
        type=positive_int,
        metavar="N",
        action=_Threads,
        help="use at most so many processor cores (default: all that may be used)",
    )


class _Threads(argparse.Action):
    """Children get the number by the environment, too."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        os.environ[THREADS_VARIABLE] = str(values)


def json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")


def positive(text: str) -> float:
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def positive_int(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return value


def natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return positive_int(width), positive_int(height)
