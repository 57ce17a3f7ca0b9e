"""Arguments that several commands share, and what their values may be."""

from __future__ import annotations

import argparse
import math


def budget(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--minutes", type=positive, help="training time")
    group.add_argument("--steps", type=positive_int, help="training steps, instead of time")


def capture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recursive", action="store_true", help="photos of subfolders too")
    parser.add_argument("--pose-quality", choices=("fast", "normal", "best"), default="normal",
                        help="how much work solving the cameras is worth")
    parser.add_argument("--group", type=natural, default=0, metavar="G",
                        help="which sub-model, where there are several: 0 is the largest")
    parser.add_argument("--frames", type=positive_int, default=100,
                        help="of a film, at most (default %(default)s)")


def mesh(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mesh-resolution", type=positive_int, default=256, metavar="R",
                        help="marching-cubes cells along the region (default %(default)s)")
    parser.add_argument("--lod", type=positive_int, metavar="L", help="hash levels used")
    parser.add_argument("--format", choices=("obj", "ply", "glb", "stl"))
    parser.add_argument("--axes", choices=("input", "z", "y"), default="input",
                        help="those of the input, or upright with this axis up")


def device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")


def positive(text: str) -> float:
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
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
