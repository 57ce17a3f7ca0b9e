"""One person's work on one scene: commands in, events out, a slice of work at a time.

The window's worker process, the command line and the tests all drive this same object.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core import messages as m
from core.capture.open import needs_poses
from core.capture.scene import Scene
from core.config import Choice, OpenOptions
from core.device import choose_device
from core.edits import Edit, Edited, Edits, after, arranged_as, same_place, told
from core.errors import UserError
from core.exporting import exporting
from core.film import filming
from core.geometry.rigid import invert
from core.opening import Opening, carried_way, describe, opening
from core.picking import picked
from core.planning import plan
from core.presets import run_config
from core.previewer import Show
from core.recipe import Recipe
from core.running_task import RunningTask, TaskSlot
from core.saving import Saver
from core.starting import fresh, renewed
from core.training.checkpoint import Work, is_project
from core.training.trainer import Trainer
from core.training_loop import TrainingLoop
from core.transitions import allowed_now
from core.truth import ShowPhoto
from core.watching import Watching


def nothing_shown(*_: object) -> None:
    """The ``show`` of a session that nobody watches."""


class Session:
    """``emit`` receives events, ``show`` preview pictures (uint8 [H, W, 3]), ``show_photo`` the
    photo that is looked through. ``hold_out``: keep every 8th photo from training where the capture
    names none; ``autosave_to``: folder of the automatic saves (None: the user's data folder, by
    source)."""

    def __init__(
        self, emit: Callable[[m.Event], None], show: Show = nothing_shown, device: str = "auto",
        *, show_photo: ShowPhoto = nothing_shown, hold_out: bool = False, seed: int = 0,
        autosave_to: Path | None = None,
    ) -> None:
        self._emit = emit
        self._seed, self._hold_out = seed, hold_out
        self.device = choose_device(device)
        self.state: m.State = "empty"
        self.source = ""
        self.scene: Scene | None = None
        self.watching = Watching(emit, show, show_photo)
        self._saver = Saver(emit, autosave_to)
        self._loop = TrainingLoop(emit)
        self._tasks = TaskSlot(emit, self._enter)
        self._edits = Edits()
        self._choice = Choice()
        self._how, self._continued, self._way = OpenOptions(), (), m.NO_WAY
        self._begun_from = ""
        self._enter(None)

    # --- commands ------------------------------------------------------------------------

    def handle(self, command: m.Command) -> None:
        """Obey ``command``, or say in a `Failure` why not."""
        name = type(command).__name__.lower()
        try:
            if isinstance(command, m.AskSize):
                self.watching.ask_size(command.options)
                return
            if isinstance(command, m.SetView):
                self.watching.look(command, self.scene)
                return
            _, reasons = self._allowed()
            if name in reasons:
                self._emit(m.Failure(f"{reasons[name]}.", name))
                return
            match command:
                case m.Open():
                    self._open(Path(command.path).expanduser(), command.how)
                case m.Close():
                    self._close(command.keep)
                case m.Start() if self.trainer is not None:
                    self._enter("training")
                case m.Start() | m.Renew():
                    self._begin(command)
                case m.Pause():
                    self._enter("paused")
                case m.Reset():
                    self._forget_training()
                    self._enter("ready")
                case m.Continue():
                    assert self.trainer is not None
                    self.trainer.go_on(command.minutes)
                    self._continued = (*self._continued, command.minutes)
                    self._enter("training")
                case m.Cancel():
                    self._tasks.cancel()
                case m.Arrange() | m.Exclude() | m.Choose():
                    self._edit(command)
                case m.Undo():
                    self._be(self._edits.undo(self._edited()))
                case m.Redo():
                    self._be(self._edits.redo(self._edited()))
                case m.Pick():
                    assert self.scene is not None
                    self._emit(picked(self.scene, self.trainer, command))
                case m.Export() | m.Film():
                    self._write(command)
                case m.PlanFilm():
                    self._plan_film(command)
                case m.Save():
                    self.save(Path(command.path).expanduser())
        except UserError as error:
            self._emit(m.Failure(str(error), name))

    def work(self) -> bool:
        """One slice of whatever is due, pictures and the rest in turn; False when nothing is."""
        watching, training = self.watching, self.state == "training" or self._exporting
        if watching.first(training):
            return True
        reading = watching.read()
        if self.busy:
            self._tasks.advance()
        elif self.state != "training":
            return watching.draw(training) or reading or watching.look_ahead(training)
        elif watching.moving and self._loop.resting:
            time.sleep(0.002)
        else:
            self._train()
            watching.look_ahead(training)
        return True

    def close(self) -> None:
        """Save what would be lost and free everything."""
        self._tasks.cancel()
        self._keep()
        self._watch(None)
        self.watching.close()

    def _keep(self) -> None:
        """Save automatically what is about to be given up."""
        if self.scene is not None and self._saver.unsaved:
            self._autosave()

    def _close(self, keep: bool) -> None:
        if keep:
            self._keep()
        self._forget_training()
        self.watching.open(None)
        self.scene, self._edits = None, Edits()
        self._saver.unsaved = self._saver.lacking = False
        self._enter("empty")

    # --- opening -------------------------------------------------------------------------

    def _open(self, path: Path, how: OpenOptions) -> None:
        solving = not is_project(path) and needs_poses(path)
        name = "solve" if solving else "open"
        task = opening(path, self._hold_out, how)
        self._tasks.begin(RunningTask(name, task, self._opened, self.state))

    def _opened(self, found: Opening) -> None:
        trainer = found.trainer(self.device)  # before anything of the present work is given up
        self._keep()
        self._forget_training()
        self.scene, project = found.scene, found.project
        work = project.work if project else None
        self.source = work.source if work else str(found.path.resolve())
        self._how, self._hold_out = found.how, found.hold_out
        self._continued, self._way = (work.continued, work.way) if work else ((), m.NO_WAY)
        self._begun_from = work.begun_from if work else ""
        self._edits = Edits()
        self._saver.opened(found.path, self.source)
        self.watching.open(self.scene)
        self._watch(trainer)
        state: m.State = "ready"
        if trainer is not None:
            state = "finished" if trainer.finished else "paused"
        opened = describe(found, self.device, self._saver.place(self.source))
        self._choice = opened.choice
        self._emit(opened)
        if found.poses is not None:
            self._emit(found.poses)
        self._enter(state)
        if self.trainer is not None:
            self._loop.tell(self.trainer)

    # --- edits ---------------------------------------------------------------------------

    def _edit(self, edit: Edit) -> None:
        """Make an edit that can be taken back. Raises UserError."""
        before = self._edited()
        now = after(edit, before, trained=self.trainer is not None)
        self._edits.did(edit, before)
        self._be(now)

    def arrange_as(self, recipe: Recipe) -> None:
        """Have the open scene as it was in the run of ``recipe``."""
        before = self._edited()
        scene = recipe.arranged(before.scene)
        if not same_place(before.scene, scene) or before.scene.excluded != scene.excluded:
            self._be(replace(before, scene=scene))

    def _edited(self) -> Edited:
        assert self.scene is not None
        return Edited(self.scene, self._choice)

    def _be(self, edited: Edited) -> None:
        """From now on this is as ``edited`` says, in the frame that the field lies in."""
        before, trained = self._edited(), self.trainer is not None
        self.scene = arranged_as(before.scene, edited.scene, trained=trained)
        self._choice = edited.choice
        if self.trainer is not None:
            self.trainer.edit(self.scene)
            self.watching.forget_pictures()
        for event in told(before, self._edited()):
            self._emit(event)
        self._saver.touch()
        if not trained:
            self._autosave()
        self._enter(None)

    # --- training ------------------------------------------------------------------------

    def _begin(self, command: m.Start | m.Renew) -> None:
        assert self.scene is not None
        config, notice = plan(command, self.scene, self.device, seed=self._seed)
        if notice:
            self._emit(m.Notice(notice))
        if self.trainer is None:
            task = fresh(self.scene, config, self.device)
            running = RunningTask("open", task, self._begin_training, back_to="ready")
        else:
            self._keep()
            task = renewed(self.trainer, self.scene, config)
            running = RunningTask("renew", task, self._begin_again, back_to=self.state)
        self._tasks.begin(running)

    def _begin_again(self, trainer: Trainer) -> None:
        self._continued, self._begun_from = (), str(self._saver.leave(self.source))
        self._loop = TrainingLoop(self._emit)
        self._begin_training(trainer)

    def _begin_training(self, trainer: Trainer) -> None:
        scene = trainer.store.scene
        for notice in scene.notices[len(self.scene.notices if self.scene else ()):]:
            self._emit(m.Notice(notice))
        self.scene = scene
        self._watch(trainer)
        self._saver.begin()
        self._enter("training")

    def _train(self) -> None:
        trainer = self.trainer
        assert trainer is not None
        if self._saver.touch():
            self._enter(None)
        try:
            told = self._loop.slice(trainer)
        except UserError as error:
            self._enter("paused")
            self._emit(m.Failure(str(error), "training"))
            return
        if trainer.finished:
            self._enter("finished")
            self._autosave()
        elif told and self._saver.due(trainer.config.train.autosave_minutes):
            self._autosave()

    def training_stats(self) -> m.TrainingStats:
        """The figures of the run so far; there must be one."""
        assert self.trainer is not None
        return self._loop.figures(self.trainer)

    def _forget_training(self) -> None:
        self._watch(None)
        self._loop = TrainingLoop(self._emit)

    def _watch(self, trainer: Trainer | None) -> None:
        """From now on ``trainer`` is at work, and the one before is given up."""
        if self.trainer is not None and self.trainer is not trainer:
            self.trainer.store.close()
        self.watching.watch(trainer)

    # --- meshes and projects -------------------------------------------------------------

    def _write(self, command: m.Export | m.Film) -> None:
        trainer = self.trainer
        assert trainer is not None
        if isinstance(command, m.Export):
            running = RunningTask("export", exporting(trainer, command), self._emit, back_to=None)
        else:
            running = RunningTask("film", filming(trainer, command), self._emit, back_to=None)
        self._tasks.begin(running)

    def _plan_film(self, command: m.PlanFilm) -> None:
        assert self.scene is not None
        self._way = carried_way(command.way, invert(self.scene.scene_from_input))
        self._saver.touch()
        self._enter(None)

    def save(self, folder: Path) -> None:
        """Save the project into ``folder``. Raises UserError."""
        self._saver.save(self._work(), self.trainer, folder)
        self._enter(None)

    def _autosave(self) -> None:
        self._saver.autosave(self._work(), self.trainer)

    def _work(self) -> Work:
        assert self.scene is not None
        config = self.trainer.config if self.trainer is not None else run_config(
            self._choice, self.device.type, seed=self._seed)
        return Work(
            self.source, config, self.scene, self._how, self._hold_out, self._continued,
            self._way, self._begun_from)

    # --- states --------------------------------------------------------------------------

    @property
    def trainer(self) -> Trainer | None:
        """What trains the scene, None before it was started."""
        return self.watching.trainer

    @property
    def busy(self) -> bool:
        """Whether a long task is under way."""
        return self._tasks.name is not None

    @property
    def _exporting(self) -> bool:
        return self._tasks.name in ("export", "film")

    def _enter(self, state: m.State | None) -> None:
        """Be in ``state``, None for the present one, and say what can be done now."""
        self.state = state or self.state
        self._emit(m.StateChanged(
            self.state, *self._allowed(), self._edits.undo_name, self._edits.redo_name,
            self._saver.lacking,
        ))

    def _allowed(self) -> tuple[tuple[str, ...], dict[str, str]]:
        return allowed_now(
            self.state, self._exporting, undo=bool(self._edits.undo_name),
            redo=bool(self._edits.redo_name),
        )
