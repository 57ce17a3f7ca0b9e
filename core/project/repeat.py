"""What repeats a run from the command line: a line to type, and a file with all it needs."""

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
Matrix = list[list[float]]


class RunRecipe(msgspec.Struct, frozen=True):
    """All that was decided about a run: its settings, open_options its source was opened, and the
    arrangement of the scene, in the input's frame, as in `Scene`; ``continued_minutes`` and
    ``parent_project``
    as in `ProjectState`."""

    source: str
    run: RunConfig
    open_options: OpenOptions
    hold_out: bool
    continued_minutes: tuple[float, ...]
    parent_project: str
    scene_from_input: Matrix
    upright_from_input: Matrix
    region: Matrix | None
    units_per_input: float
    unit: str
    excluded: tuple[str, ...]

    def arrange(self, scene: Scene) -> Scene:
        """``scene``, of the same source, as it was arrange."""
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
    """Leave both files in the project's ``folder``. Raises UserError."""
    folder = folder.resolve()
    text = msgspec.json.format(msgspec.json.encode(make_recipe(state)), indent=1)
    begin = ["--from", state.parent_project] if state.parent_project else [state.source]
    arguments = [
        *program.COMMAND,
        "reconstruct",
        *begin,
        "-o",
        str(folder.with_name(f"{folder.name}-again")),
        "--config",
        str(folder / CONFIG),
    ]
    with Outputs(folder) as outputs:
        outputs.write(folder / CONFIG, text)
        outputs.write(folder / COMMAND, f"{shlex.join(arguments)}\n".encode())


def check_project(folder: Path) -> None:
    """Raises UserError where a project cannot be saved in ``folder``, since files lie there that
    Gradina did not write."""
    names = (*PROJECT_FILES, CONFIG, COMMAND)
    Outputs(folder).require_free(folder / name for name in names)


def read_recipe(path: Path) -> RunRecipe:
    """What `write_recipe` left at ``path``. Raises UserError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunRecipe)
    except OSError as error:
        raise UserError(
            text("{path} cannot be read ({strerror})", path=path, strerror=error.strerror),
            text("Give the config.json of a project"),
        ) from error
    except msgspec.DecodeError as error:
        raise UserError(
            text("{path} holds no settings of a run ({error})", path=path, error=error),
            text("Give the config.json of a project"),
        ) from error
