"""The commands about this machine: bench, doctor."""

from __future__ import annotations

import argparse

from core.cli import arguments as common
from core.cli.results import print_table


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `bench`."""
    common.add_device(parser)
    common.add_json(parser)


def bench(arguments: argparse.Namespace) -> int:
    """Print how fast this machine is."""
    from core.cli.bench import bench

    return print_table(arguments, bench(arguments.device))


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `doctor`."""
    common.add_json(parser)


def doctor(arguments: argparse.Namespace) -> int:
    """Print what this machine has and what Gradina uses."""
    from core.cli.doctor import examine

    return print_table(arguments, examine())
