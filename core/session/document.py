"""What lies open: a scene, what was decided about its next run, where both came from, and the edits
that can be taken back. Everything of a project but the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.capture.scene import Scene
from core.config.run import RunOptions
from core.geometry.rigid import invert
from core.geometry.view import CameraPath
from core.project.repeat import RunRecipe
from core.project.store import ProjectState
from core.protocol import Event
from core.session.opening import Opening, first_run, transform_path
from core.session.undo import Edit, Edited, Edits, after, arranged_as, same_place, told
from core.training.presets import run_config
from core.training.trainer import Trainer


class OpenWork:
    """Nothing at first. ``device_type`` and ``seed`` of the runs that are chosen. What changes the
    arrangement answers with what the window has to know of that; the ``trainer`` that is asked for
    is the scene's own, None before there is one: the frame that its field lies in stays."""

    def __init__(self, device_type: str, seed: int) -> None:
        self._device_type, self._seed = device_type, seed
        self.close()

    def close(self) -> None:
        """Nothing is open any more."""
        self._work: ProjectState | None = None
        self._choice = RunOptions()
        self._edits = Edits()

    def open(self, found: Opening) -> None:
        """What was ``found`` is open from now on, and nothing was done to it yet."""
        self.close()
        if found.project is not None:
            work = replace(found.project.work, scene=found.scene)
        else:
            config = first_run(found.scene, self._device_type, seed=self._seed)
            work = ProjectState(str(found.path.resolve()), config, found.scene)
        self._work = replace(work, how=found.how, hold_out=found.hold_out)
        self._choice = RunOptions.of(work.config)

    @property
    def scene(self) -> Scene | None:
        """None where nothing is open."""
        return self._work and self._work.scene

    @property
    def source(self) -> str:
        """Where the scene came from; "" where nothing is open."""
        return self._work.source if self._work else ""

    @property
    def undo_name(self) -> str:
        """What would be taken back; "" for nothing."""
        return self._edits.undo_name

    @property
    def redo_name(self) -> str:
        """What would be done again; "" for nothing."""
        return self._edits.redo_name

    def saved_as(self, trainer: Trainer | None) -> ProjectState:
        """What is to be saved beside the run."""
        config = (
            trainer.config
            if trainer is not None
            else run_config(self._choice, self._device_type, seed=self._seed)
        )
        return replace(self._open, config=config)

    def edit(self, edit: Edit, trainer: Trainer | None) -> Sequence[Event]:
        """Make an edit that can be taken back. Raises UserError."""
        before = self._edited
        now = after(edit, before, trained=trainer is not None)
        self._edits.did(edit, before)
        return self._be(now, trainer)

    def undo(self, trainer: Trainer | None) -> Sequence[Event]:
        """Take the latest edit back; there must be one."""
        return self._be(self._edits.undo(self._edited), trainer)

    def redo(self, trainer: Trainer | None) -> Sequence[Event]:
        """Make the edit again that was taken back last; there must be one."""
        return self._be(self._edits.redo(self._edited), trainer)

    def arrange_as(self, recipe: RunRecipe, trainer: Trainer | None) -> Sequence[Event]:
        """Have the scene as it was in the run of ``recipe``; nothing where it is so already."""
        before = self._edited
        scene = recipe.arranged(before.scene)
        if same_place(before.scene, scene) and before.scene.excluded == scene.excluded:
            return ()
        return self._be(replace(before, scene=scene), trainer)

    def read(self, scene: Scene) -> tuple[str, ...]:
        """The photos of the scene were read, as ``scene`` has it; what is new to say of that."""
        known = len(self._open.scene.notices)
        self._work = replace(self._open, scene=scene)
        return scene.notices[known:]

    def plan_film(self, path: CameraPath) -> None:
        """The path of a film, scene frame, is this from now on."""
        path = transform_path(path, invert(self._open.scene.scene_from_input))
        self._work = replace(self._open, camera_path=path)

    def go_on(self, minutes: float) -> None:
        """The run was continued for ``minutes`` more."""
        self._work = replace(self._open, continued=(*self._open.continued, minutes))

    def begin_from(self, project: str) -> None:
        """The run is another one now, begun from what ``project`` had learnt."""
        self._work = replace(self._open, continued=(), begun_from=project)

    @property
    def _open(self) -> ProjectState:
        assert self._work is not None
        return self._work

    @property
    def _edited(self) -> Edited:
        return Edited(self._open.scene, self._choice)

    def _be(self, edited: Edited, trainer: Trainer | None) -> Sequence[Event]:
        before = self._edited
        scene = arranged_as(before.scene, edited.scene, trained=trainer is not None)
        self._work, self._choice = replace(self._open, scene=scene), edited.choice
        return told(before, self._edited)
