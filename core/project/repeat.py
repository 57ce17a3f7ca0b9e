"""Recipes that repeat a run from the command line: a command, and a file with its settings."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from core.base import program
from core.base.errors import UserError
from core.base.outputs import Outputs
from core.base.text import text
from core.capture.scene import Scene
from core.config.opening import OpenOptions
from core.config.run import RunConfig
from core.geometry.box import Box
from core.project.store import PROJECT_FILES, ProjectState

CONFIG, COMMAND = "config.json", "command.txt"
"""names of the recipe's files in a project"""
Matrix = list[list[float]]


class RunRecipe(msgspec.Struct, frozen=True):
    """All decisions about a run; arrangements are in the input's frame, as in `Scene`."""

    source: str
    """path of the capture"""
    run: RunConfig
    """settings of the training"""
    open_options: OpenOptions
    """how the source is opened"""
    hold_out: bool
    """photos are held out"""
    continued_minutes: tuple[float, ...]
    """of each time that the training was continued"""
    parent_project: str
    """path of the project whose model the training started with; "" for none"""
    scene_from_input: Matrix
    upright_from_input: Matrix
    region: Matrix | None
    units_per_input: float
    unit: str
    excluded: tuple[str, ...]
    """names of photos"""

    def arrange(self, scene: Scene) -> Scene:
        """Arrange ``scene``, of the same source, as it was."""
        region = None if self.region is None else Box(np.array(self.region))
        return replace(
            scene,
            scene_from_input=np.array(self.scene_from_input),
            region=region,
            upright_from_input=np.array(self.upright_from_input),
            units_per_input=self.units_per_input,
            unit=self.unit,
            excluded=frozenset(self.excluded),
        )


def make_recipe(state: ProjectState) -> RunRecipe:
    """The recipe that repeats the run of ``state``."""
    scene = state.scene
    return RunRecipe(
        state.source,
        state.config,
        state.open_options,
        state.hold_out,
        state.continued_minutes,
        state.parent_project,
        scene.scene_from_input.tolist(),
        scene.upright_from_input.tolist(),
        None if scene.region is None else scene.region.frame_from_cube.tolist(),
        scene.units_per_input,
        scene.unit,
        tuple(sorted(scene.excluded)),
    )


def write_recipe(folder: Path, state: ProjectState) -> None:
    """Write both files into the project's ``folder``.

    Raises:
        UserError: they cannot be written.
    """
    folder = folder.resolve()
    content = msgspec.json.format(msgspec.json.encode(make_recipe(state)), indent=1)
    start = ["--from", state.parent_project] if state.parent_project else [state.source]
    arguments = [
        *program.COMMAND,
        "reconstruct",
        *start,
        "-o",
        str(folder.with_name(f"{folder.name}-again")),
        "--config",
        str(folder / CONFIG),
    ]
    with Outputs(folder) as outputs:
        outputs.write(folder / CONFIG, content)
        outputs.write(folder / COMMAND, f"{shlex.join(arguments)}\n".encode())


def check_project(folder: Path) -> None:
    """Check that a project can be saved in ``folder``.

    Raises:
        UserError: files of its names lie there that Gradina did not write.
    """
    names = (*PROJECT_FILES, CONFIG, COMMAND)
    Outputs(folder).require_free(folder / name for name in names)


def read_recipe(path: Path) -> RunRecipe:
    """Read the file that `write_recipe` left at ``path``.

    Raises:
        UserError: it cannot be read, or is no recipe.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunRecipe)
    except OSError as error:
        raise UserError(
            text("{path} cannot be read ({reason})", path=path, reason=error.strerror),
            text("Give the config.json of a project"),
        ) from error
    except msgspec.DecodeError as error:
        raise UserError(
            text("{path} has no settings of a run ({reason})", path=path, reason=error),
            text("Give the config.json of a project"),
        ) from error
