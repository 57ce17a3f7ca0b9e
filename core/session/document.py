"""What is open: its scene, its training run, the edits that can be undone, and what is unsaved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.base.text import Text
from core.capture.scene import Scene
from core.config.run import RunOptions
from core.geometry.rigid import invert
from core.geometry.view import CameraPath
from core.project.repeat import RunRecipe
from core.project.store import ProjectState
from core.protocol import Event
from core.session.autosave import Saver
from core.session.opening import Opening, first_run, transform_path
from core.session.undo import (
    EditableState,
    EditCommand,
    UndoStack,
    apply_edit,
    change_events,
    same_arrangement,
    with_arrangement_of,
)
from core.training.presets import run_config
from core.training.trainer import Trainer


class Document:
    """Nothing is open at first.

    Args:
        emit: receives the events of saving.
        device_type, seed: of the runs whose options are chosen.
        autosave_to: folder of the automatic saves; None: the user's data folder, by source.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        device_type: str,
        seed: int,
        autosave_to: Path | None = None,
    ) -> None:
        self._device_type, self._seed = device_type, seed
        self._saver = Saver(emit, autosave_to)
        self._state: ProjectState | None = None
        self._options = RunOptions()
        self._undo = UndoStack()
        self.trainer: Trainer | None = None
        """the run of the scene; None before training"""

    # --- what is open --------------------------------------------------------------------

    @property
    def scene(self) -> Scene | None:
        """None where nothing is open."""
        return self._state and self._state.scene

    @property
    def source(self) -> str:
        """Where the scene came from; "" where nothing is open."""
        return self._state.source if self._state else ""

    def open(self, found: Opening, trainer: Trainer | None) -> None:
        """``found`` is open from now on, with ``trainer`` as its run, and unedited."""
        self.close()
        if found.project is not None:
            state = replace(found.project.state, scene=found.scene)
        else:
            config = first_run(found.scene, self._device_type, seed=self._seed)
            state = ProjectState(str(found.path.resolve()), config, found.scene)
        self._state = replace(state, open_options=found.options, hold_out=found.hold_out)
        self._options = RunOptions.of(state.config)
        self._saver.opened(found.path, self.source)
        self.trainer = trainer

    def close(self) -> None:
        """Nothing is open any more, and nothing is saved."""
        self.set_trainer(None)
        self._state, self._options, self._undo = None, RunOptions(), UndoStack()
        self._saver.closed()

    def set_trainer(self, trainer: Trainer | None) -> None:
        """Replace the run; the photos of the one before are given up."""
        if self.trainer is not None and self.trainer is not trainer:
            self.trainer.store.close()
        self.trainer = trainer

    def start_run(self, trainer: Trainer) -> tuple[Text, ...]:
        """Let ``trainer`` train the scene, whose photos it has read; return the new notices."""
        state = self._open_state
        scene = trainer.store.scene
        notices = scene.notices[len(state.scene.notices) :]
        if self.trainer is not None:
            parent = str(self._saver.leave(self.source))
            state = replace(state, continued_minutes=(), parent_project=parent)
        self._state = replace(state, scene=scene)
        self.set_trainer(trainer)
        self._saver.begin()
        return notices

    def continue_run(self, minutes: float) -> None:
        """Train on past the end for ``minutes`` more; there must be a run."""
        assert self.trainer is not None
        self.trainer.continue_for(minutes)
        state = self._open_state
        self._state = replace(state, continued_minutes=(*state.continued_minutes, minutes))

    def set_camera_path(self, path: CameraPath) -> None:
        """Of the next video, scene frame."""
        path = transform_path(path, invert(self._open_state.scene.scene_from_input))
        self._state = replace(self._open_state, camera_path=path)
        self._saver.mark_dirty()

    # --- edits ---------------------------------------------------------------------------

    @property
    def undo_name(self) -> Text:
        """What undo takes back; "" for nothing."""
        return self._undo.undo_name

    @property
    def redo_name(self) -> Text:
        """What redo does again; "" for nothing."""
        return self._undo.redo_name

    def edit(self, edit: EditCommand) -> Sequence[Event]:
        """Make an edit that can be undone.

        Returns:
            What the window has to know of it.

        Raises:
            UserError: the edit cannot be made.
        """
        before = self._editable
        now = apply_edit(edit, before, trained=self.trainer is not None)
        self._undo.push(edit, before)
        return self._apply(now)

    def undo(self) -> Sequence[Event]:
        """Take the latest edit back; there must be one."""
        return self._apply(self._undo.undo(self._editable))

    def redo(self) -> Sequence[Event]:
        """Make the edit again that was undone last; there must be one."""
        return self._apply(self._undo.redo(self._editable))

    def arrange_as(self, recipe: RunRecipe) -> Sequence[Event]:
        """Arrange the scene as it was in the run of ``recipe``; no event where it is so already."""
        before = self._editable
        scene = recipe.arrange(before.scene)
        if same_arrangement(before.scene, scene) and before.scene.excluded == scene.excluded:
            return ()
        return self._apply(replace(before, scene=scene))

    def _apply(self, wanted: EditableState) -> Sequence[Event]:
        before = self._editable
        scene = with_arrangement_of(before.scene, wanted.scene, trained=self.trainer is not None)
        self._state, self._options = replace(self._open_state, scene=scene), wanted.choice
        if self.trainer is not None:
            self.trainer.edit(scene)
        self._saver.mark_dirty()
        return change_events(before, self._editable)

    # --- saving --------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether something is not in the person's own project."""
        return self._saver.dirty

    @property
    def autosave_folder(self) -> Path:
        """The folder of the automatic saves."""
        return self._saver.place(self.source)

    def mark_trained(self) -> bool:
        """A slice is trained now; whether all was saved until then."""
        return self._saver.mark_dirty()

    def save(self, folder: Path) -> None:
        """Save the project into ``folder``. Raises UserError."""
        self._saver.save(self._to_save, self.trainer, folder)

    def autosave(self) -> None:
        """Save automatically; a failure is an event."""
        self._saver.autosave(self._to_save, self.trainer)

    def autosave_if_dirty(self) -> None:
        """Save automatically what would be lost."""
        if self._state is not None and self._saver.dirty_since_save:
            self.autosave()

    def autosave_if_due(self) -> None:
        """Save automatically where the last save of the run is old."""
        assert self.trainer is not None
        if self._saver.due(self.trainer.config.train.autosave_minutes):
            self.autosave()

    @property
    def _to_save(self) -> ProjectState:
        trainer = self.trainer
        config = (
            trainer.config
            if trainer is not None
            else run_config(self._options, self._device_type, seed=self._seed)
        )
        return replace(self._open_state, config=config)

    @property
    def _open_state(self) -> ProjectState:
        assert self._state is not None
        return self._state

    @property
    def _editable(self) -> EditableState:
        return EditableState(self._open_state.scene, self._options)
