"""One person's work on one scene: commands in, events out, a slice of work at a time.

The window's worker process, the command line and the tests all drive this same object. It routes
commands: the `Document` owns what is open, the `Viewer` shows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import assert_never

from core import protocol as m
from core.base.device import choose_device
from core.base.errors import UserError
from core.base.interrupts import defer_signals
from core.base.jobs import Clock, Task
from core.base.text import Text
from core.capture.open import needs_poses
from core.capture.scene import Scene
from core.config.opening import OpenOptions
from core.project.repeat import RunRecipe
from core.project.store import is_project
from core.session.document import Document
from core.session.export_job import export_mesh, export_video
from core.session.opening import Opening, describe, opening
from core.session.picking import pick
from core.session.schedule import Slice, always, work_first_due
from core.session.states import allowed_now
from core.session.task_slot import RunningTask, TaskSlot
from core.session.training_loop import TrainingLoop
from core.session.viewer.photo_view import ShowPhoto
from core.session.viewer.previewer import Show
from core.session.viewer.viewer import Viewer
from core.training.planner import plan
from core.training.start import new_trainer, warm_started_trainer
from core.training.trainer import Trainer

DRAG_PAUSE_S = 0.002


def nothing_shown(*_: object) -> None:
    """The ``show`` of a session that nobody watches."""


class Session:
    """A session in which nothing is open.

    Args:
        emit: receives events.
        show: receives preview pictures, uint8 [H, W, 3].
        show_photo: receives the photo that is looked through.
        device: "auto", "cpu" or "cuda".
        hold_out: keep every 8th photo from training where the capture names none.
        autosave_to: folder of the automatic saves; None: the user's data folder, by source.
        clock: by which training makes room for previews.
    """

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
        clock: Clock = time.monotonic,
    ) -> None:
        self._emit, self._clock = emit, clock
        self._seed, self._hold_out = seed, hold_out
        self.device = choose_device(device)
        self.state: m.State = "empty"
        self.document = Document(emit, self.device.type, seed, autosave_to)
        self.viewer = Viewer(emit, show, show_photo)
        self._loop = TrainingLoop(emit, clock)
        self._tasks = TaskSlot(emit, self._enter)
        self._previewed_last = False
        self._schedule = (
            Slice("preview, in turn with other work", always, self._work_preview_in_turn),
            Slice("photo of the view", always, self._work_photo),
            Slice("task", lambda: self.busy, self._work_task),
            Slice("training", lambda: self.state == "training", self._work_training),
            Slice("preview", always, lambda: self.viewer.step_preview(self._has_other_work)),
            Slice("idle", always, lambda: self.viewer.step_idle(self._has_other_work)),
        )
        self._enter(None)

    # --- commands ------------------------------------------------------------------------

    def handle(self, command: m.Command) -> None:
        """Obey ``command``, or say in a `Failure` why not."""
        action = command.action
        try:
            _, reasons = self._allowed()
            if action in reasons:
                self._emit(m.Failure(reasons[action], action))
            else:
                self._obey(command)
        except UserError as error:
            self._emit(m.Failure(error.text, action or ""))

    def _obey(self, command: m.Command) -> None:
        document, trainer = self.document, self.trainer
        match command:
            case m.SetView():
                self.viewer.set_view(command.view, self.scene)
            case m.EstimateExport():
                self.viewer.estimate_export(command.options)
            case m.Open():
                self._open(Path(command.path).expanduser(), command.options)
            case m.Close():
                self._close(command.keep)
            case m.Start() | m.WarmStart():
                self._start(command)
            case m.Resume():
                self._enter("training")
            case m.Pause():
                assert trainer is not None
                self._enter("paused")
                self._loop.tell(trainer)  # the last steps may not be told of yet
            case m.DiscardTraining():
                self._discard_run()
                self._enter("ready")
            case m.Continue():
                document.continue_run(command.minutes)
                self._enter("training")
            case m.Cancel():
                self._tasks.cancel()
            case m.EditScene() | m.ExcludePhotos() | m.SetRunOptions():
                self._edited(document.edit(command))
            case m.Undo():
                self._edited(document.undo())
            case m.Redo():
                self._edited(document.redo())
            case m.Pick():
                assert self.scene is not None
                self._emit(pick(self.scene, trainer, command))
            case m.Export():
                assert trainer is not None
                self._write("export", export_mesh(trainer, command))
            case m.WriteVideo():
                assert trainer is not None
                self._write("video", export_video(trainer, command))
            case m.SetCameraPath():
                document.set_camera_path(command.path)
                self._enter(None)
            case m.Save():
                self.save(Path(command.path).expanduser())
            case m.Shutdown():
                pass  # the worker's own
            case _:
                assert_never(command)

    def work(self) -> bool:
        """One slice of whatever is due; False when nothing is."""
        return work_first_due(self._schedule)

    def _work_preview_in_turn(self) -> bool:
        """A preview that somebody waits for goes first, others take turns with the rest."""
        wanted = self.viewer.is_urgent or not self._previewed_last
        self._previewed_last = wanted and self.viewer.step_preview(self._has_other_work)
        return self._previewed_last

    def _work_photo(self) -> bool:
        """It is read on a thread, so other work goes on."""
        reading = self.viewer.step_photo()
        return reading and not self.busy and self.state != "training"

    def _work_task(self) -> bool:
        self._tasks.advance()
        return True

    def _work_training(self) -> bool:
        if self.viewer.is_moving and self._loop.resting:
            time.sleep(DRAG_PAUSE_S)
            return True
        self._train()
        self.viewer.step_idle(training=True)
        return True

    @property
    def _has_other_work(self) -> bool:
        """Whether previews take time from training or from an export."""
        return self.state == "training" or self._writing

    def close(self) -> None:
        """Save what would be lost and free everything."""
        self._tasks.cancel()
        self.document.autosave_if_dirty()
        self.viewer.close()
        self.document.close()

    def _close(self, keep: bool) -> None:
        if keep:
            self.document.autosave_if_dirty()
        self.document.close()
        self._loop = TrainingLoop(self._emit, self._clock)
        self.viewer.show_run(None)
        self.viewer.show_scene(None)
        self._enter("empty")

    def _open(self, path: Path, options: OpenOptions) -> None:
        solving = not is_project(path) and needs_poses(path)
        name: m.TaskName = "solve" if solving else "open"
        task = opening(path, self._hold_out, options)
        self._tasks.begin(RunningTask(name, task, self._opened, self.state))

    def _opened(self, found: Opening) -> None:
        trainer = found.trainer(self.device)  # before anything of the present work is given up
        self.document.autosave_if_dirty()
        self.document.open(found, trainer)
        self._loop = TrainingLoop(self._emit, self._clock)
        self.viewer.show_scene(self.scene)
        self.viewer.show_run(trainer)
        self._emit(describe(found, self.device, self.document.autosave_folder))
        if found.poses is not None:
            self._emit(found.poses)
        if trainer is None:
            self._enter("ready")
        else:
            self._enter("finished" if trainer.finished else "paused")
            self._loop.tell(trainer)

    def arrange_as(self, recipe: RunRecipe) -> None:
        """Arrange the open scene as it was in the run of ``recipe``."""
        events = self.document.arrange_as(recipe)
        if events:
            self._edited(events)

    def _edited(self, events: Sequence[m.Event]) -> None:
        """The document was edited, as ``events`` tell."""
        if self.trainer is not None:
            self.viewer.invalidate()
        for event in events:
            self._emit(event)
        if self.trainer is None:
            self.document.autosave()
        self._enter(None)

    def _start(self, command: m.Start | m.WarmStart) -> None:
        assert self.scene is not None
        config, notice = plan(
            command.choice, command.config, self.scene, self.device, seed=self._seed
        )
        if notice:
            self._emit(m.Notice(notice))
        if self.trainer is None:
            task = new_trainer(self.scene, config, self.device)
            running = RunningTask("open", task, self._started, back_to="ready")
        else:
            self.document.autosave_if_dirty()
            task = warm_started_trainer(self.trainer, self.scene, config)
            running = RunningTask("warm_start", task, self._started, back_to=self.state)
        self._tasks.begin(running)

    def _started(self, trainer: Trainer) -> None:
        for notice in self.document.start_run(trainer):
            self._emit(m.Notice(notice))
        self._loop = TrainingLoop(self._emit, self._clock)
        self.viewer.show_run(trainer)
        self._enter("training")

    def _train(self) -> None:
        trainer = self.trainer
        assert trainer is not None
        if self.document.mark_trained():
            self._enter(None)
        try:
            with defer_signals():
                told = self._loop.slice(trainer)
        except UserError as error:
            self._enter("paused")
            self._emit(m.Failure(error.text, "training"))
            return
        if trainer.finished:
            self._enter("finished")
            self.document.autosave()
        elif told:
            self.document.autosave_if_due()

    def training_stats(self) -> m.TrainingStats:
        """The figures of the run so far; there must be one."""
        assert self.trainer is not None
        return self._loop.figures(self.trainer)

    def _discard_run(self) -> None:
        self.document.set_trainer(None)
        self._loop = TrainingLoop(self._emit, self._clock)
        self.viewer.show_run(None)

    def _write(self, name: m.TaskName, task: Task[m.Exported] | Task[m.VideoWritten]) -> None:
        self._tasks.begin(RunningTask(name, task, self._emit, back_to=None))

    def save(self, folder: Path) -> None:
        """Save the project into ``folder``. Raises UserError."""
        self.document.save(folder)
        self._enter(None)

    # --- states --------------------------------------------------------------------------

    @property
    def scene(self) -> Scene | None:
        """What is open, None where nothing is."""
        return self.document.scene

    @property
    def source(self) -> str:
        """Where it came from; "" where nothing is open."""
        return self.document.source

    @property
    def trainer(self) -> Trainer | None:
        """What trains the scene, None before it was started."""
        return self.document.trainer

    @property
    def busy(self) -> bool:
        """Whether a long task is under way."""
        return self._tasks.name is not None

    @property
    def _writing(self) -> bool:
        return self._tasks.name in ("export", "video")

    def _enter(self, state: m.State | None) -> None:
        """Be in ``state``, None for the present one, and tell what can be done now."""
        self.state = state or self.state
        allowed, reasons = self._allowed()
        document = self.document
        self._emit(
            m.StateChanged(
                self.state,
                allowed,
                reasons,
                document.undo_name,
                document.redo_name,
                document.is_dirty,
            )
        )

    def _allowed(self) -> tuple[tuple[m.Action, ...], dict[m.Action, Text]]:
        return allowed_now(
            self.state,
            self._writing,
            undo=bool(self.document.undo_name),
            redo=bool(self.document.redo_name),
        )
