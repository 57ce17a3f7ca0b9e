"""Gradina from Python: from a path to a mesh without a window.

It drives the same session as the window. `reconstruct` does all of it; `open_project` opens what it
left, to export, render (`core.output.views.render_views`) or evaluate
(`core.evaluation.evaluate.evaluate`) it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core import protocol as m
from core.base.errors import UserError
from core.base.interrupts import Interrupted
from core.base.jobs import Progress, run_task
from core.base.outputs import (
    check_writable,
    choose_results_folder,
    mark_results_folder,
    other_folder_notice,
    write_output,
)
from core.base.text import text
from core.config.mesh import MeshOptions
from core.config.opening import DEFAULT_OPEN, OpenOptions
from core.config.run import DeviceName, RunOptions
from core.geometry.rigid import invert
from core.meshing.export.writers import export_files
from core.output.preview_sheet import TrainingPreview, write_preview
from core.output.views import score_photos
from core.project.repeat import RunRecipe, check_project
from core.project.store import is_project, unfinished_step
from core.session.session import Session
from core.training.trainer import Trainer

DEFAULT_MESH, DEFAULT_RUN = MeshOptions(), RunOptions()

OnEvent = Callable[[m.Event], None]


def ignore_event(_: m.Event) -> None:
    """Receive an event and do nothing."""


@dataclass
class SessionDriver:
    """Works a session without a window and raises its failures."""

    on_event: OnEvent
    """receives every event"""
    latest: dict[type, m.Event] = field(default_factory=dict[type, m.Event])
    """the last event of each type"""

    def emit(self, event: m.Event) -> None:
        """Receive an event of the session.

        Raises:
            UserError: where the event is a `Failure`.
        """
        self.latest[type(event)] = event
        self.on_event(event)
        if isinstance(event, m.Failure):
            raise UserError(event.text)

    def work_until(
        self, session: Session, *states: m.State, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Work until ``session`` is in one of ``states`` and nothing is due.

        Args:
            session: whose events `emit` receives.
            *states: in which to stop.
            meanwhile: is called after each slice of work.
        """
        while session.work() or session.state not in states:
            meanwhile()


def open_project(
    folder: Path, device: DeviceName = "auto", on_event: OnEvent = ignore_event, photos: str = ""
) -> Session:
    """Open a trained project.

    Args:
        folder: the project, such as ``out/project`` of `reconstruct`.
        device: what computes.
        on_event: receives the events of the session (`core.protocol.events`).
        photos: the folder that the photos are in now, if they were moved.

    Returns:
        The session, whose ``trainer`` has the model and the scene. Close it in the end.

    Raises:
        UserError: where there is no project, it was not trained, or it cannot be read.

    Example:
        Export a smaller mesh::

            session = open_project(Path("out/project"))
            options = MeshOptions(format="ply", faces=20_000)
            trainer = session.trainer
            run_task(export_model(trainer.model, trainer.scene, options, Path("out/small.ply")))
            session.close()
    """
    if not is_project(folder):
        raise UserError(
            text("{folder} is not a saved project", folder=folder),
            text("Choose a folder that Gradina saved"),
        )
    driver = SessionDriver(on_event)
    session = Session(driver.emit, device=device)
    session.handle(m.Open(str(folder), OpenOptions(photos=photos)))
    driver.work_until(session, "paused", "finished", "ready")
    if session.trainer is None:
        session.close()
        raise UserError(
            text("{folder} has not been trained yet", folder=folder),
            text("Run `reconstruct` on its photos"),
        )
    return session


def reconstruct(
    path: Path,
    out: Path,
    *,
    warm_start: bool = False,
    options: RunOptions = DEFAULT_RUN,
    device: DeviceName = "auto",
    seed: int = 0,
    mesh_options: MeshOptions = DEFAULT_MESH,
    hold_out: bool = False,
    resume: bool = False,
    open_options: OpenOptions = DEFAULT_OPEN,
    recipe: RunRecipe | None = None,
    on_event: OnEvent = ignore_event,
) -> dict[str, Any]:
    """Reconstruct a scene: solve camera poses if needed, train, extract and write a mesh.

    Args:
        path: photos, a video, a posed capture, a prompt file or, with ``warm_start``, a project.
        out: the folder that gets ``mesh.<format>``, ``preview.png``, ``report.json`` and
            ``project/``. In a folder of photos a folder ``gradina`` in it is used.
        warm_start: start from the trained model of the project at ``path``.
        options: preset, method and training time.
        device: what computes.
        seed: of all random numbers.
        mesh_options: how the mesh is extracted, processed and written.
        hold_out: hold every 8th photo out of training, to be compared with at the end.
        resume: continue the run that ``out`` holds. A run that is finished trains longer if
            ``options`` has minutes.
        open_options: how ``path`` is opened.
        recipe: all settings of an earlier run; replaces ``hold_out``, ``open_options`` and
            ``seed``. A training time in ``options`` still counts.
        on_event: receives the events of the session (`core.protocol.events`).

    Returns:
        The content of ``report.json``: "mesh" (path), "vertices", "faces", "psnr_training" (dB),
        "held_out" ("psnr", "ssim", "photos"; None without), "seconds" by stage, "losses", "config",
        "scene_from_input" [4, 4] and more.

    Raises:
        UserError: one line and a remedy, where the input or the output cannot be used.
        Interrupted: on a signal, after the run was saved.

    Example:
        A draft of three minutes, with a texture::

            report = reconstruct(
                Path("photos"),
                Path("out"),
                options=RunOptions("draft", minutes=3),
                mesh_options=MeshOptions(format="glb", texture=True),
            )
            print(report["mesh"], report["faces"])
    """
    requested_out, out = out, choose_results_folder(out, path)
    mesh_file, preview_file, report_file = (
        out / name for name in (f"mesh.{mesh_options.format}", "preview.png", "report.json")
    )
    project = out / "project"
    check_writable(out, [*export_files(mesh_file, mesh_options), preview_file, report_file])
    check_project(project)
    if not resume and project.resolve() != Path(path).resolve():
        _require_finished(project)
    driver = SessionDriver(on_event)
    if requested_out != out:
        on_event(m.Notice(other_folder_notice(requested_out, out)))
    if recipe is not None:
        hold_out, open_options, seed = recipe.hold_out, recipe.open_options, recipe.run.seed
    session = Session(driver.emit, device=device, hold_out=hold_out, seed=seed, autosave_to=project)
    seconds: dict[str, float] = {}
    resumed = resume and is_project(project)
    with _note_how_to_resume(project), closing(session):
        with _timed(seconds, "open"):
            session.handle(m.Open(str(project if resumed else path), open_options))
            driver.work_until(session, "ready", "paused", "finished")
        mark_results_folder(out)
        if recipe is not None and not resumed:
            session.arrange_as(recipe)

        with _timed(seconds, "train"):
            _start(session, options, recipe, warm_start=warm_start and not resumed)
            preview = TrainingPreview(preview_file)
            driver.work_until(
                session, "finished", meanwhile=lambda: preview.update(session.trainer)
            )
            for minutes in recipe.continued_minutes if recipe is not None and not resumed else ():
                session.handle(m.Continue(minutes))
                driver.work_until(session, "finished")
        if not is_project(project):
            session.save(project)

        with _timed(seconds, "mesh"):
            session.handle(m.Export(str(mesh_file), mesh_options))
            driver.work_until(session, "finished")

        trainer = session.trainer
        assert trainer is not None
        with _timed(seconds, "preview"):
            scores = _mean_scores(trainer, on_event)
            write_preview(trainer, mesh_file, mesh_options, preview_file)
        report = _report(session, trainer, driver, seconds, scores)
        write_output(report_file, json.dumps(report, indent=1).encode())
        return report


def _start(
    session: Session, options: RunOptions, recipe: RunRecipe | None, *, warm_start: bool
) -> None:
    """Start, resume or continue training, whichever the state of ``session`` asks for."""
    config = None if recipe is None else recipe.run
    if warm_start:
        session.handle(m.WarmStart(options, config))
    elif session.state == "finished" and options.minutes is not None:
        session.handle(m.Continue(options.minutes))
    elif session.state == "paused":
        session.handle(m.Resume())
    elif session.state == "ready":
        session.handle(m.Start(options, config))


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Generator[None]:
    """Write how long a block took into ``seconds``."""
    began = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - began


@contextmanager
def _note_how_to_resume(project: Path) -> Generator[None]:
    """Add to an `Interrupted` how to continue."""
    try:
        yield
    except Interrupted as stop:
        if is_project(project):
            stop.add_note(
                f"the training is saved in {project}, and the same command with --resume goes on"
            )
        else:
            stop.add_note(
                "nothing was trained yet; the same command continues with the features found so far"
            )
        raise


def _require_finished(project: Path) -> None:
    """Raise a UserError where a new run would replace one that was stopped before its end."""
    step = unfinished_step(project)
    if step is not None:
        raise UserError(
            text(
                "{project} holds a run that was stopped at step {step}", project=project, step=step
            ),
            text("Add --resume to go on with it, or choose another folder to start anew"),
        )


def _mean_scores(trainer: Trainer, on_event: OnEvent) -> dict[str, float] | None:
    """Return mean PSNR and SSIM over the held-out photos, None where there are none."""
    photos = trainer.scene.held_out
    if not photos:
        return None

    def on_progress(progress: Progress) -> None:
        on_event(m.TaskProgress("evaluate", progress.fraction, progress.detail))

    scores = run_task(score_photos(trainer, photos), on_progress)
    return {
        "psnr": float(np.mean([score.psnr for score in scores])),
        "ssim": float(np.mean([score.ssim for score in scores])),
        "photos": len(scores),
    }


def _report(
    session: Session,
    trainer: Trainer,
    driver: SessionDriver,
    seconds: dict[str, float],
    scores: dict[str, float] | None,
) -> dict[str, Any]:
    """Return what report.json holds."""
    exported, stats, scene = driver.latest[m.Exported], session.training_stats(), trainer.scene
    assert isinstance(exported, m.Exported)
    return {
        "source": session.source,
        "kind": str(scene.kind),
        "device": str(session.device),
        "method": trainer.config.method,
        "preset": trainer.config.preset,
        "seed": trainer.config.seed,
        "seconds": {stage: round(s, 2) for stage, s in seconds.items()},
        "steps": stats.step,
        "training_seconds": round(stats.elapsed_s, 2),
        "losses": stats.losses,
        "held_out": scores,
        "psnr_training": stats.psnr if math.isfinite(stats.psnr) else None,
        "sentence": scene.prompt and scene.prompt.text,
        "inv_s": stats.inv_s if math.isfinite(stats.inv_s) else None,
        "active_levels": stats.active_levels,
        "samples_per_s": stats.samples_per_s,
        "rays_per_s": stats.rays_per_s,
        "photos": len(scene.photos),
        "photos_held_out": len(scene.held_out),
        "points": len(scene.points),
        "mesh": exported.path,
        "vertices": exported.n_vertices,
        "faces": exported.n_faces,
        "bytes": exported.n_bytes,
        "mesh_notes": [str(note) for note in exported.notes],
        "scene_from_input": scene.scene_from_input.tolist(),
        "input_from_scene": invert(scene.scene_from_input).tolist(),
        "notices": [str(notice) for notice in scene.notices],
        "config": asdict(trainer.config),
    }
