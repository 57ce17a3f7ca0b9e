"""Projects on disk: folders with everything needed to continue.

``project.json``      version, source path, configuration, the cameras, progress
``checkpoint.safetensors``  the model, the optimiser, occupancy and random state

A save that fails leaves the old one whole (`core.base.outputs`).
"""
# torch is only partly typed
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from core.base.errors import UserError
from core.base.outputs import Outputs
from core.base.text import Text, text
from core.capture.scene import Intrinsics, Photo, Scene
from core.config.opening import DEFAULT_OPEN, OpenOptions
from core.config.prompt import Prompt
from core.config.run import RunConfig
from core.geometry.box import Box, Setting
from core.geometry.view import EMPTY_PATH, CameraPath
from core.project.checkpoint import load_trainer_tensors, trainer_tensors
from core.project.relocate import relocate_photos
from core.training.trainer import Trainer

VERSION = 2
"""of the files' format"""
_PROJECT, _CHECKPOINT = PROJECT_FILES = "project.json", "checkpoint.safetensors"


class _SavedPhoto(msgspec.Struct):
    """A photo in ``project.json``; see `Photo`."""

    name: str
    path: str
    intrinsics: Intrinsics
    world_from_camera: list[list[float]]
    mask_path: str | None
    mask_inverted: bool = False


class _Saved(msgspec.Struct):
    """Content of ``project.json``; see `ProjectState` and `Scene`."""

    version: int
    source: str
    config: RunConfig
    kind: Text
    photos: list[_SavedPhoto]
    held_out: list[_SavedPhoto]
    scene_from_input: list[list[float]]
    has_masks: bool
    background: tuple[float, float, float] | None
    notices: list[Text]
    region: list[list[float]] | None
    upright_from_input: list[list[float]]
    frame_is_free: bool
    units_per_input: float
    unit: str
    setting: Setting
    excluded: list[str] = []
    folder: str = ""
    open_options: OpenOptions = DEFAULT_OPEN
    hold_out: bool = False
    continued_minutes: tuple[float, ...] = ()
    camera_path: CameraPath = EMPTY_PATH
    parent_project: str = ""
    sentence: Prompt | None = None


@dataclass(frozen=True)
class ProjectState:
    """The state of a project, besides its checkpoint."""

    source: str
    """path of the capture"""
    config: RunConfig
    """of the training"""
    scene: Scene
    open_options: OpenOptions = DEFAULT_OPEN
    """how the source was opened"""
    hold_out: bool = False
    """photos were held out"""
    continued_minutes: tuple[float, ...] = ()
    """of each time that the training was continued"""
    camera_path: CameraPath = EMPTY_PATH
    """of the video, in the input's frame"""
    parent_project: str = ""
    """path of the project whose model the training started with; "" for none"""


@dataclass(frozen=True)
class Project:
    """A saved project."""

    state: ProjectState
    tensors: dict[str, Tensor]
    """of the checkpoint; none if it was saved before training"""


def is_project(path: Path) -> bool:
    """Whether ``path`` is the folder of a saved project."""
    return (path / _PROJECT).is_file()


def save_project(folder: Path, state: ProjectState, trainer: Trainer | None) -> None:
    """Write the project into ``folder``.

    Raises:
        UserError: it cannot be written, or files of these names lie there that Gradina did not
            write. What was saved there before stays as it was.
    """
    scene = state.scene
    saved = _Saved(
        VERSION,
        state.source,
        state.config,
        scene.kind,
        [_saved_photo(p) for p in scene.photos],
        [_saved_photo(p) for p in scene.held_out],
        scene.scene_from_input.tolist(),
        scene.has_masks,
        scene.background,
        list(scene.notices),
        None if scene.region is None else scene.region.frame_from_cube.tolist(),
        scene.upright_from_input.tolist(),
        scene.frame_is_free,
        scene.units_per_input,
        scene.unit,
        scene.setting,
        sorted(scene.excluded),
        str(folder.resolve()),
        state.open_options,
        state.hold_out,
        state.continued_minutes,
        state.camera_path,
        state.parent_project,
        scene.prompt,
    )
    tensors = {"scene.points": torch.from_numpy(np.ascontiguousarray(scene.points, np.float32))}
    if trainer is not None:
        tensors |= trainer_tensors(trainer)
    document = msgspec.json.format(msgspec.json.encode(saved), indent=1)
    # the checkpoint carries the configuration too, so that the two can never disagree
    data = save(tensors, metadata={"project": document.decode()})
    with Outputs(folder) as outputs:
        outputs.write(folder / _CHECKPOINT, data)
        outputs.write(folder / _PROJECT, document)


def load_project(folder: Path, photos: str = "") -> Project:
    """Read the project in ``folder``.

    Args:
        folder: of the project.
        photos: a folder to search for moved photos (see `relocate_photos`), "" for none.

    Raises:
        UserError: it is damaged, incomplete, or from a newer version of the program.
    """
    path = folder / _PROJECT
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any]).get("version")
        if not isinstance(found, int) or found > VERSION:
            raise UserError(
                text(
                    "{path} has project version {found}; this program reads up to {newest}",
                    path=path,
                    found=found,
                    newest=VERSION,
                ),
                text("Update Gradina to open it"),
            )
        tensors = load((folder / _CHECKPOINT).read_bytes())
        saved = msgspec.json.decode(_metadata(folder / _CHECKPOINT), type=_Saved)
    except OSError as error:
        raise UserError(
            text(
                "{path} cannot be read ({reason})",
                path=error.filename or path,
                reason=error.strerror,
            ),
            text("Choose a folder that Gradina saved"),
        ) from error
    except (msgspec.DecodeError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(
            text("{folder} is not a readable project ({reason})", folder=folder, reason=error),
            text("Open an autosave or start again from the photos"),
        ) from error
    points = tensors.pop("scene.points").numpy()
    scene = Scene(
        saved.kind,
        tuple(map(_loaded_photo, saved.photos)),
        np.array(saved.scene_from_input),
        tuple(map(_loaded_photo, saved.held_out)),
        points,
        saved.has_masks,
        saved.background,
        tuple(saved.notices),
        None if saved.region is None else Box(np.array(saved.region)),
        np.array(saved.upright_from_input),
        saved.frame_is_free,
        saved.units_per_input,
        saved.unit,
        saved.setting,
        frozenset(saved.excluded),
        saved.sentence,
    )
    scene = relocate_photos(scene, folder.resolve(), saved.folder, photos)
    state = ProjectState(
        saved.source,
        saved.config,
        scene,
        saved.open_options,
        saved.hold_out,
        saved.continued_minutes,
        saved.camera_path,
        saved.parent_project,
    )
    return Project(state, tensors)


def unfinished_step(folder: Path) -> int | None:
    """The step at which the run saved in ``folder`` was interrupted.

    None where there is no run, or it is finished.
    """
    try:
        saved = msgspec.json.decode(_metadata(folder / _CHECKPOINT), type=_Saved)
        with safe_open(folder / _CHECKPOINT, "pt") as tensors:
            step, elapsed, _, start, _, budget = tensors.get_tensor("counters").tolist()
    except (OSError, msgspec.DecodeError, SafetensorError, KeyError, ValueError):
        return None
    spent = step if saved.config.steps else elapsed
    return int(step) if 0 < spent - start < budget else None


def restore(trainer: Trainer, project: Project, folder: Path) -> None:
    """Load the checkpoint of ``project`` into a new trainer of the same configuration.

    Args:
        trainer: the trainer.
        project: a saved project.
        folder: that it was read from.

    Raises:
        UserError: the checkpoint does not fit.
    """
    try:
        load_trainer_tensors(trainer, project.tensors)
    except (KeyError, RuntimeError, TypeError, ValueError, msgspec.DecodeError) as error:
        raise UserError(
            text(
                "{file} does not fit this version of the program ({reason})",
                file=folder / _CHECKPOINT,
                reason=str(error).splitlines()[0],
            ),
            text("Open an autosave or start again from the photos"),
        ) from error


def _metadata(path: Path) -> str:
    """The project text inside a safetensors file: an 8-byte length, then a JSON header."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = msgspec.json.decode(file.read(length))
    return header["__metadata__"]["project"]


def _saved_photo(photo: Photo) -> _SavedPhoto:
    """``photo`` with absolute paths."""
    mask = str(photo.mask_path.resolve()) if photo.mask_path else None
    return _SavedPhoto(
        photo.name,
        str(photo.path.resolve()),
        photo.intrinsics,
        photo.world_from_camera.tolist(),
        mask,
        photo.mask_inverted,
    )


def _loaded_photo(saved: _SavedPhoto) -> Photo:
    """Inverse of `_saved_photo`."""
    return Photo(
        saved.name,
        Path(saved.path),
        saved.intrinsics,
        np.array(saved.world_from_camera),
        Path(saved.mask_path) if saved.mask_path else None,
        saved.mask_inverted,
    )
