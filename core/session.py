"""One person's work on one scene: commands in, events out, a slice of work at a time.

The window's worker process, the command line and the tests all drive this same object.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core import messages as m
from core.capture.arrange import arranged
from core.capture.exclude import excluding
from core.capture.open import needs_poses
from core.capture.pixels import PixelStore, load_pixels
from core.capture.scene import Scene
from core.config import MeshOptions, OpenOptions, RunConfig
from core.device import choose_device
from core.errors import UserError
from core.geometry.rigid import invert
from core.meshing.from_model import export_model
from core.opening import Opening, arrangement, describe, opening
from core.picking import picked
from core.planning import plan
from core.presets import default_preset, run_config
from core.previewer import Bands, Previewer, Show
from core.running_task import RunningTask, TaskSlot
from core.saving import Saver, Work
from core.tasks import Task
from core.training.checkpoint import is_project
from core.training.trainer import Trainer
from core.training_loop import TrainingLoop
from core.transitions import allowed_now
from core.truth import ShowPhoto, TruthFinder


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
        self._device_name, self._seed, self._hold_out = device, seed, hold_out
        self.device = choose_device(device)
        self.state: m.State = "empty"
        self.source = ""
        self.scene: Scene | None = None
        self.config: RunConfig | None = None
        self.trainer: Trainer | None = None
        self._truth = TruthFinder(show_photo, emit)
        self.previewer = Previewer(show, self._error_of)
        self._saver = Saver(emit, autosave_to)
        self._loop = TrainingLoop(emit)
        self._tasks = TaskSlot(emit, self._enter)
        self._drew = False
        self._enter(None)

    # --- commands ------------------------------------------------------------------------

    def handle(self, command: m.Command) -> None:
        """Obey ``command``, or say in a `Failure` why not."""
        name = type(command).__name__.lower()
        try:
            if isinstance(command, m.SetView):
                self.previewer.set_view(command)
                self._truth.look(command, self.scene)
                return
            _, reasons = allowed_now(self.state, self._exporting)
            if name in reasons:
                self._emit(m.Failure(f"{reasons[name]}.", name))
                return
            match command:
                case m.Open():
                    self._open(Path(command.path).expanduser(), command.how)
                case m.Start():
                    self._start(command)
                case m.Pause():
                    self._enter("paused")
                case m.Reset():
                    self._forget_training()
                    self._enter("ready")
                case m.Continue():
                    assert self.trainer is not None
                    self.trainer.go_on(command.minutes)
                    self._enter("training")
                case m.Cancel():
                    self._tasks.cancel()
                case m.Arrange():
                    self._arrange(command)
                case m.Exclude():
                    self._exclude(command)
                case m.Pick():
                    assert self.scene is not None
                    self._emit(picked(self.scene, self.trainer, command))
                case m.Export():
                    self._export(command)
                case m.Save():
                    self.save(Path(command.path).expanduser())
        except UserError as error:
            self._emit(m.Failure(str(error), name))

    def work(self) -> bool:
        """One slice of whatever is due, pictures and the rest in turn; False when nothing is."""
        drawing = self.previewer.urgent() or self.previewer.midway
        self._drew = (drawing or not self._drew) and self._draw()
        if self._drew:
            return True
        reading = self._truth.work()
        if self.busy:
            self._tasks.advance()
        elif self.state != "training":
            return self._draw() or reading
        elif self.previewer.moving and self._loop.resting:
            time.sleep(0.002)
        else:
            self._train()
        return True

    def close(self) -> None:
        """Save what training would lose and free everything."""
        self._tasks.cancel()
        if self.trainer is not None and self.trainer.step_count and self._saver.unsaved:
            self._autosave()
        if self.trainer is not None:
            self.trainer.store.close()
        self.trainer = None

    # --- opening -------------------------------------------------------------------------

    def _open(self, path: Path, how: OpenOptions) -> None:
        solving = not is_project(path) and needs_poses(path)
        name = "solve" if solving else "open"
        task = opening(path, self._hold_out, how)
        self._tasks.begin(RunningTask(name, task, self._opened, self.state))

    def _opened(self, found: Opening) -> None:
        trainer = found.trainer(self.device)  # before anything of the present work is given up
        if self._saver.unsaved:
            self._autosave()  # of the work that the newly opened takes the place of
        self._forget_training()
        self._truth.forget()
        self.scene, self.trainer = found.scene, trainer
        self.source = found.project.source if found.project else str(found.path.resolve())
        self.config = found.project.config if found.project else None
        state: m.State = "ready"
        if trainer is not None:
            state = "finished" if trainer.finished else "paused"
        self._emit(describe(found.path, self.scene, self.config, self.device))
        if found.poses is not None:
            self._emit(found.poses)
        self._enter(state)
        if self.trainer is not None:
            self._loop.tell(self.trainer)

    def _arrange(self, command: m.Arrange) -> None:
        assert self.scene is not None
        scene = arranged(self.scene, command.edit)
        if self.trainer is None and scene.region is not None:
            scene = scene.with_region(scene.region)  # that what is to be trained fills the ball
        self._place(scene)

    def _exclude(self, command: m.Exclude) -> None:
        assert self.scene is not None
        self.scene = excluding(self.scene, command.names, command.excluded)
        if self.trainer is not None:
            self.trainer.edit(self.scene)
            self._saver.unsaved = True
        self._emit(m.Excluded(tuple(sorted(self.scene.excluded))))

    def _place(self, scene: Scene) -> None:
        """From now on ``scene``, the same photos, is what this is about."""
        assert self.scene is not None
        before, after = self.scene.scene_from_input, scene.scene_from_input
        moved = None if np.array_equal(before, after) else after @ invert(before)
        self.scene = scene
        if self.trainer is not None:
            self.trainer.edit(scene)
            self.previewer.forget()
            self._saver.unsaved = True
        self._emit(arrangement(scene, moved))

    # --- training ------------------------------------------------------------------------

    def _start(self, command: m.Start) -> None:
        if self.trainer is not None:
            self._enter("training")
            return
        assert self.scene is not None
        self.config, notice = plan(
            command, self.scene, self.device, device_name=self._device_name, seed=self._seed
        )
        if notice:
            self._emit(m.Notice(notice))
        task = load_pixels(self.scene, self.config.train.max_photo_side)
        self._tasks.begin(RunningTask("open", task, self._begin_training, back_to="ready"))

    def _begin_training(self, store: PixelStore) -> None:
        assert self.config is not None
        for notice in store.scene.notices[len(self.scene.notices if self.scene else ()):]:
            self._emit(m.Notice(notice))
        self.scene = store.scene
        self.trainer = Trainer(store, self.config, self.device)
        self._saver.begin()
        self._enter("training")

    def _train(self) -> None:
        trainer = self.trainer
        assert trainer is not None
        self._saver.unsaved = True
        try:
            told = self._loop.slice(trainer)
        except UserError as error:
            self._enter("paused")
            self._emit(m.Failure(str(error), "training"))
            return
        finally:
            self.config = trainer.config
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
        if self.trainer is not None:
            self.trainer.store.close()
        self.trainer, self._loop = None, TrainingLoop(self._emit)
        self._saver.unsaved = False
        self.previewer.forget()

    def _error_of(self, view: m.SetView, width: int, height: int) -> Bands | None:
        assert self.trainer is not None
        return self._truth.error_of(self.trainer, view, width, height)

    # --- meshes and projects -------------------------------------------------------------

    def _export(self, command: m.Export) -> None:
        options = MeshOptions(
            resolution=command.resolution, levels=command.levels, format=command.format,
            axes=command.axes,
        )
        path = Path(command.path).expanduser()
        task = self._exporting_to(path, options)
        self._tasks.begin(RunningTask("export", task, self._emit, back_to=None))

    def _exporting_to(self, path: Path, options: MeshOptions) -> Task[m.Exported]:
        trainer = self.trainer
        assert trainer is not None
        done = yield from export_model(trainer.model, trainer.scene, options, path)
        return m.Exported(str(path), done.n_vertices, done.n_faces, done.n_bytes)

    def save(self, folder: Path) -> None:
        """Save the project into ``folder``. Raises UserError."""
        self._saver.save(self._work(), folder)

    def _autosave(self) -> None:
        self._saver.autosave(self._work())

    def _work(self) -> Work:
        assert self.scene is not None
        config = self.config or run_config(default_preset(self.device.type))
        return Work(self.source, config, self.scene, self.trainer)

    # --- states --------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a long task is under way."""
        return self._tasks.name is not None

    @property
    def _exporting(self) -> bool:
        return self._tasks.name == "export"

    def _enter(self, state: m.State | None) -> None:
        """Be in ``state``, None for the present one, and say what can be done now."""
        self.state = state or self.state
        allowed, reasons = allowed_now(self.state, self._exporting)
        self._emit(m.StateChanged(self.state, allowed, reasons))

    def _draw(self) -> bool:
        trainer = self.trainer
        if trainer is None:
            return False
        training = self.state == "training" or self._exporting
        return self.previewer.work(
            trainer.model, trainer.shown, trainer.step_count, training
        )
