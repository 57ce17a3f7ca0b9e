"""One person's work on one scene: commands in, events out, a slice of work at a time.

The window's worker process, the command line and the tests all drive this same object.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from core import messages as m
from core.capture.arrange import arranged
from core.capture.open import needs_poses
from core.capture.pixels import PixelStore, load_pixels
from core.capture.poses import Found
from core.capture.scene import Scene
from core.config import MeshOptions, OpenOptions, RunConfig
from core.device import choose_device
from core.errors import UserError
from core.geometry.rigid import invert
from core.meshing.from_model import export_model
from core.opening import Opening, arrangement, describe, opening, so_far
from core.picking import picked
from core.places import autosave_folder
from core.planning import plan
from core.presets import default_preset, run_config
from core.previewer import Previewer, Show
from core.running_task import RunningTask
from core.tasks import Task
from core.training.checkpoint import is_project, save_project
from core.training.trainer import Trainer
from core.training_stats import StatsWindow
from core.transitions import allowed_now

STATS_EVERY_S = 0.25
YIELD = 2.0
"""While the camera moves, training rests for so many times what a slice took, to draw at once."""


def nothing_shown(image: np.ndarray, view: m.SetView, final: bool, render_ms: float) -> None:
    """The ``show`` of a session that nobody watches."""


class Session:
    """``emit`` receives events, ``show`` preview pictures (uint8 [H, W, 3]). ``hold_out``: keep
    every 8th photo from training where the capture names none; ``autosave_to``: folder of the
    automatic saves (None: the user's data folder, by source)."""

    def __init__(
        self, emit: Callable[[m.Event], None], show: Show = nothing_shown, device: str = "auto",
        *, hold_out: bool = False, seed: int = 0, autosave_to: Path | None = None,
    ) -> None:
        self._emit = emit
        self._device_name, self._seed, self._hold_out = device, seed, hold_out
        self._autosave_to = autosave_to
        self.device = choose_device(device)
        self.state: m.State = "empty"
        self.source = ""
        self.scene: Scene | None = None
        self.config: RunConfig | None = None
        self.trainer: Trainer | None = None
        self.previewer = Previewer(show)
        self._task: RunningTask | None = None
        self._last_stats = self._last_save = self._next_slice = 0.0
        self._stats = StatsWindow()
        self._unsaved = self._drew = False
        self._found: object | None = None
        self._announce()

    # --- commands ------------------------------------------------------------------------

    def handle(self, command: m.Command) -> None:
        """Obey ``command``, or say in a `Failure` why not."""
        name = type(command).__name__.lower()
        try:
            if isinstance(command, m.SetView):
                self.previewer.set_view(command)
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
                    self._cancel()
                case m.Arrange():
                    self._arrange(command)
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
        if self._task is not None:
            self._advance_task()
        elif self.state != "training":
            return self._draw()
        elif self.previewer.moving and time.monotonic() < self._next_slice:
            time.sleep(0.002)
        else:
            self._train()
        return True

    def close(self) -> None:
        """Save what training would lose and free everything."""
        self._cancel()
        if self.trainer is not None and self.trainer.step_count and self._unsaved:
            self._autosave()
        if self.trainer is not None:
            self.trainer.store.close()
        self.trainer = None

    # --- opening -------------------------------------------------------------------------

    def _open(self, path: Path, how: OpenOptions) -> None:
        solving = not is_project(path) and needs_poses(path)
        name = "solve" if solving else "open"
        task = opening(path, self._hold_out, how)
        self._run(RunningTask(name, task, self._opened, self.state))

    def _opened(self, found: Opening) -> None:
        trainer = found.trainer(self.device)  # before anything of the present work is given up
        if self._unsaved:
            self._autosave()  # of the work that the newly opened takes the place of
        self._forget_training()
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
            self._emit_stats()

    def _arrange(self, command: m.Arrange) -> None:
        assert self.scene is not None
        scene = arranged(self.scene, command.edit)
        if self.trainer is None and scene.region is not None:
            scene = scene.with_region(scene.region)  # that what is to be trained fills the ball
        self._place(scene)

    def _place(self, scene: Scene) -> None:
        """From now on ``scene``, the same photos, is what this is about."""
        assert self.scene is not None
        before, after = self.scene.scene_from_input, scene.scene_from_input
        moved = None if np.array_equal(before, after) else after @ invert(before)
        self.scene = scene
        if self.trainer is not None:
            self.trainer.edit(scene)
            self.previewer.forget()
            self._unsaved = True
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
        self._run(RunningTask("open", task, self._begin_training, back_to="ready"))

    def _begin_training(self, store: PixelStore) -> None:
        assert self.config is not None
        for notice in store.scene.notices[len(self.scene.notices if self.scene else ()):]:
            self._emit(m.Notice(notice))
        self.scene = store.scene
        self.trainer = Trainer(store, self.config, self.device)
        self._last_save = time.monotonic()
        self._enter("training")

    def _train(self) -> None:
        trainer = self.trainer
        assert trainer is not None
        assert self.config is not None
        began = time.monotonic()
        try:
            stats = trainer.work()
        except torch.OutOfMemoryError:
            self._out_of_memory(trainer)
            return
        self._unsaved = True
        if stats is not None:
            self._stats.add(stats)
        now = time.monotonic()
        self._next_slice = now + YIELD * (now - began)
        if self._stats.diverged:
            self._stop("The optimisation no longer gives numbers. Reset, and check that the poses "
                       "are right.")
        elif trainer.finished:
            self._emit_stats()
            self._enter("finished")
            self._autosave()
        elif now - self._last_stats > STATS_EVERY_S:
            self._emit_stats()
            if now - self._last_save > self.config.train.autosave_minutes * 60:
                self._autosave()

    def _out_of_memory(self, trainer: Trainer) -> None:
        """Go on with half the batch while there is half of one."""
        torch.cuda.empty_cache()
        if trainer.halve_batch():
            self.config, n = trainer.config, trainer.config.train.samples_per_step
            self._emit(m.Notice(f"The GPU's memory was full: on with {n} samples a step."))
            return
        self._stop("The GPU's memory is full. Reset and choose a smaller preset, or close other "
                   "programs.")

    def _stop(self, why: str) -> None:
        self._enter("paused")
        self._emit(m.Failure(why, "training"))

    def training_stats(self) -> m.TrainingStats:
        """The figures of the run so far; there must be one."""
        assert self.trainer is not None
        return self._stats.event(self.trainer)

    def _emit_stats(self) -> None:
        self._last_stats = time.monotonic()
        self._emit(self.training_stats())

    def _forget_training(self) -> None:
        if self.trainer is not None:
            self.trainer.store.close()
        self.trainer, self._stats, self._unsaved = None, StatsWindow(), False
        self.previewer.forget()

    # --- meshes and projects -------------------------------------------------------------

    def _export(self, command: m.Export) -> None:
        options = MeshOptions(
            resolution=command.resolution, levels=command.levels, format=command.format,
            axes=command.axes,
        )
        path = Path(command.path).expanduser()
        self._run(RunningTask("export", self._exporting_to(path, options), self._emit, None))

    def _exporting_to(self, path: Path, options: MeshOptions) -> Task[m.Exported]:
        trainer = self.trainer
        assert trainer is not None
        done = yield from export_model(trainer.model, trainer.scene, options, path)
        return m.Exported(str(path), done.n_vertices, done.n_faces, done.n_bytes)

    def save(self, folder: Path) -> None:
        """Save the project into ``folder``. Raises UserError."""
        self._write_project(folder)
        self._unsaved = False
        self._emit(m.Saved(str(folder)))

    def _autosave(self) -> None:
        """Save where nobody asked to; a failure is said, and training goes on."""
        self._last_save = time.monotonic()
        folder = self._autosave_to or autosave_folder(self.source)
        try:
            self._write_project(folder)
            self._emit(m.Saved(str(folder), automatic=True))
            self._unsaved = False
        except UserError as error:
            self._emit(m.Failure(str(error), "autosave"))

    def _write_project(self, folder: Path) -> None:
        assert self.scene is not None
        config = self.config or run_config(default_preset(self.device.type))
        save_project(folder, self.source, config, self.scene, self.trainer)

    # --- states and tasks ----------------------------------------------------------------

    @property
    def _exporting(self) -> bool:
        return self._task is not None and self._task.name == "export"

    def _run(self, task: RunningTask) -> None:
        self._task = task
        if task.back_to is not None:
            self._enter("solving" if task.name == "solve" else "opening")
        else:
            self._announce()

    def _advance_task(self) -> None:
        running = self._task
        assert running is not None
        try:
            progress, result = running.advance()
            if progress is not None:
                self._emit(progress)
                if running.found is not self._found and isinstance(running.found, Found):
                    self._emit(so_far(running.found))
                self._found = running.found
                return
            self._end_task()
            running.done(result)
            self._announce()
        except Exception as error:
            if self._task is running:
                self._end_task()
            self._enter(running.back_to or self.state)
            if not isinstance(error, UserError):
                raise
            self._emit(m.Failure(str(error), running.name))

    def _cancel(self) -> None:
        running = self._task
        if running is None:
            return
        running.task.close()
        self._end_task()
        self._enter(running.back_to or self.state)
        what = "no mesh was written" if running.name == "export" else "nothing was changed"
        self._emit(m.Notice(f"Cancelled; {what}."))

    def _end_task(self) -> None:
        assert self._task is not None
        name, self._task = self._task.name, None
        self._emit(m.TaskProgress(name, 1.0))

    def _enter(self, state: m.State) -> None:
        self.state = state
        self._announce()

    def _announce(self) -> None:
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
