"""What commands have in common: an open project, printed results, advice after an interruption."""

from __future__ import annotations

import argparse
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from core.base.interrupts import Interrupted
from core.base.outputs import ForeignFileError
from core.base.text import Text, text

if TYPE_CHECKING:
    from core.api import OnEvent
    from core.training.trainer import Trainer


def print_result(
    arguments: argparse.Namespace, result: Mapping[str, Any], lines: Sequence[str | Text]
) -> int:
    """Print ``lines`` for people and, with --json, ``result`` as the last line; return status 0."""
    print("\n".join(map(str, lines)))
    if arguments.json:
        print(json.dumps(result, default=str))
    return 0


def print_table(arguments: argparse.Namespace, result: Mapping[str, Any]) -> int:
    """Print ``result`` as `print_result` does, with one line for each value."""
    lines: list[str] = []
    for name, value in result.items():
        if isinstance(value, dict):
            rows = cast(dict[str, object], value)
            lines += [f"{name}:"] + [f"  {key:28} {_format(row)}" for key, row in rows.items()]
        else:
            lines.append(f"{name + ':':30} {_format(value)}")
    return print_result(arguments, result, lines)


def _format(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"
    if isinstance(value, list):
        return ", ".join(map(str, cast(list[object], value))) or "none"
    return str(value)


@contextmanager
def open_trainer(
    arguments: argparse.Namespace, on_event: OnEvent
) -> Generator[tuple[Trainer, str]]:
    """Open the trained project of a command.

    Args:
        arguments: with ``project``, ``device`` and ``photos``.
        on_event: receives the events of opening.

    Yields:
        The trainer, and the path that the scene was opened from at first.
    """
    from core.api import open_project

    session = open_project(arguments.project, arguments.device, on_event, arguments.photos)
    with closing(session):
        assert session.trainer is not None  # open_project sees to it
        yield session.trainer, session.source


@contextmanager
def note_on_interrupt(note: str) -> Generator[None]:
    """Add ``note`` to an `Interrupted`: what was not done, and how to continue."""
    try:
        yield
    except Interrupted as stop:
        stop.add_note(note)
        raise


@contextmanager
def suggest_force() -> Generator[None]:
    """Name --force in the remedy for a file that Gradina did not write."""
    try:
        yield
    except ForeignFileError as error:
        raise ForeignFileError(error.path, text("Choose another name, or add --force")) from error
