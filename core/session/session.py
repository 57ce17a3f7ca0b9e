"""One person's work on one scene: commands in, events out, a slice of work at a time.

The window's worker process, the command line and the tests all drive this same object.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from core import protocol as m
from core.base.device import choose_device
from core.base.errors import UserError
from core.base.interrupts import uninterrupted
from core.capture.open import needs_poses
from core.capture.scene import Scene
from core.config.run import OpenOptions
from core.project.repeat import RunRecipe
from core.project.store import is_project
from core.session.autosave import Saver
from core.session.document import OpenWork
from core.session.export_job import export_mesh, export_video
from core.session.opening import Opening, describe, opening
from core.session.picking import picked
from core.session.states import allowed_now
from core.session.task_slot import RunningTask, TaskSlot
from core.session.training_loop import TrainingLoop
from core.session.viewer.photo_view import ShowPhoto
from core.session.viewer.previewer import Show
from core.session.viewer.viewer import Watching
from core.training.planner import plan
from core.training.start import new_trainer, warm_started_trainer
from core.training.trainer import Trainer


def nothing_shown(*_: object) -> None:
    """The ``show`` of a session that nobody watches."""


class Session:
    """``emit`` receives events, ``show`` preview pictures (uint8 [H, W, 3]), ``show_photo`` the
    photo that is looked through. ``hold_out``: keep every 8th photo from training where the capture
    names none; ``autosave_to``: folder of the automatic saves (None: the user's data folder, by
    source)."""

    def __init__(
        self,
        emit: Callable[[m.Event], None],
        show: Show = nothing_shown,
        device: str = "auto",
        *,
        show_photo: ShowPhoto = nothing_shown,
        hold_out: bool = False,
        seed: int = 0,
        autosave_to: Path | None = None,
    ) -> None:
        self._emit = emit
        self._seed, self._hold_out = seed, hold_out
        self.device = choose_device(device)
        self.state: m.State = "empty"
        self._open_work = OpenWork(self.device.type, seed)
        self.watching = Watching(emit, show, show_photo)
        self._saver = Saver(emit, autosave_to)
        self._loop = TrainingLoop(emit)
        self._tasks = TaskSlot(emit, self._enter)
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
                self.watching.look(command.view, self.scene)
                return
            _, reasons = self._allowed()
            if name in reasons:
                self._emit(m.Failure(reasons[name], name))
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
                    assert self.trainer is not None
                    self._enter("paused")
                    self._loop.tell(self.trainer)  # the last steps may not be told of yet
                case m.Reset():
                    self._forget_training()
                    self._enter("ready")
                case m.Continue():
                    assert self.trainer is not None
                    self.trainer.go_on(command.minutes)
                    self._open_work.go_on(command.minutes)
                    self._enter("training")
                case m.Cancel():
                    self._tasks.cancel()
                case m.Arrange() | m.Exclude() | m.Choose():
                    self._arranged(self._open_work.edit(command, self.trainer))
                case m.Undo():
                    self._arranged(self._open_work.undo(self.trainer))
                case m.Redo():
                    self._arranged(self._open_work.redo(self.trainer))
                case m.Pick():
                    assert self.scene is not None
                    self._emit(picked(self.scene, self.trainer, command))
                case m.Export() | m.Film():
                    self._write(command)
                case m.PlanFilm():
                    self._open_work.plan_film(command.path)
                    self._saver.touch()
                    self._enter(None)
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
        self._open_work.close()
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
        self._open_work.open(found)
        self._saver.opened(found.path, self.source)
        self.watching.open(self.scene)
        self._watch(trainer)
        state: m.State = "ready"
        if trainer is not None:
            state = "finished" if trainer.finished else "paused"
        opened = describe(found, self.device, self._saver.place(self.source))
        self._emit(opened)
        if found.poses is not None:
            self._emit(found.poses)
        self._enter(state)
        if self.trainer is not None:
            self._loop.tell(self.trainer)

    def arrange_as(self, recipe: RunRecipe) -> None:
        """Have the open scene as it was in the run of ``recipe``."""
        events = self._open_work.arrange_as(recipe, self.trainer)
        if events:
            self._arranged(events)

    def _arranged(self, events: Sequence[m.Event]) -> None:
        """The open work was edited, as ``events`` tell."""
        if self.trainer is not None:
            assert self.scene is not None
            self.trainer.edit(self.scene)
            self.watching.forget_pictures()
        for event in events:
            self._emit(event)
        self._saver.touch()
        if self.trainer is None:
            self._autosave()
        self._enter(None)

    # --- training ------------------------------------------------------------------------

    def _begin(self, command: m.Start | m.Renew) -> None:
        assert self.scene is not None
        config, notice = plan(
            command.choice, command.config, self.scene, self.device, seed=self._seed
        )
        if notice:
            self._emit(m.Notice(notice))
        if self.trainer is None:
            task = new_trainer(self.scene, config, self.device)
            running = RunningTask("open", task, self._begin_training, back_to="ready")
        else:
            self._keep()
            task = warm_started_trainer(self.trainer, self.scene, config)
            running = RunningTask("renew", task, self._begin_again, back_to=self.state)
        self._tasks.begin(running)

    def _begin_again(self, trainer: Trainer) -> None:
        self._open_work.begin_from(str(self._saver.leave(self.source)))
        self._loop = TrainingLoop(self._emit)
        self._begin_training(trainer)

    def _begin_training(self, trainer: Trainer) -> None:
        for notice in self._open_work.read(trainer.store.scene):
            self._emit(m.Notice(notice))
        self._watch(trainer)
        self._saver.begin()
        self._enter("training")

    def _train(self) -> None:
        trainer = self.trainer
        assert trainer is not None
        if self._saver.touch():
            self._enter(None)
        try:
            with uninterrupted():
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
            running = RunningTask("export", export_mesh(trainer, command), self._emit, back_to=None)
        else:
            running = RunningTask("film", export_video(trainer, command), self._emit, back_to=None)
        self._tasks.begin(running)

    def save(self, folder: Path) -> None:
        """Save the project into ``folder``. Raises UserError."""
        self._saver.save(self._open_work.saved_as(self.trainer), self.trainer, folder)
        self._enter(None)

    def _autosave(self) -> None:
        self._saver.autosave(self._open_work.saved_as(self.trainer), self.trainer)

    # --- states --------------------------------------------------------------------------

    @property
    def scene(self) -> Scene | None:
        """What is open, None where nothing is."""
        return self._open_work.scene

    @property
    def source(self) -> str:
        """Where it came from; "" where nothing is open."""
        return self._open_work.source

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
        self._emit(
            m.StateChanged(
                self.state,
                *self._allowed(),
                self._open_work.undo_name,
                self._open_work.redo_name,
                self._saver.lacking,
            )
        )

    def _allowed(self) -> tuple[tuple[str, ...], dict[str, str]]:
        return allowed_now(
            self.state,
            self._exporting,
            undo=bool(self._open_work.undo_name),
            redo=bool(self._open_work.redo_name),
        )
