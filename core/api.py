"""From a path to a mesh without a window: the same session, driven to its end."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import trimesh

from core import protocol as m
from core.base.duty_cycle import DutyCycle
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
from core.capture.scene import Photo
from core.config.mesh import MeshOptions
from core.config.opening import OpenOptions
from core.config.run import RunOptions
from core.geometry.cameras import Intrinsics
from core.geometry.rigid import invert
from core.meshing.export.frame import photos_in_export_frame
from core.meshing.export.writers import export_files
from core.output.contact_sheet import contact_sheet
from core.output.views import render_photo, score_photos, training_size
from core.project.repeat import RunRecipe, check_project
from core.project.store import is_project, unfinished_step
from core.rendering.raster import shade
from core.session.session import Session
from core.training.ray_source import photo_colors
from core.training.trainer import Trainer

DEFAULT_MESH, DEFAULT_OPEN, DEFAULT_CHOICE = MeshOptions(), OpenOptions(), RunOptions()
PREVIEW_SIDE = 400
PREVIEW_VIEWS = 3

PICTURES_EVERY_S, PICTURES_SHARE, SMALL_SIDE = 30.0, 0.05, 128

OnEvent = Callable[[m.Event], None]
Skin = Callable[[Intrinsics, np.ndarray], np.ndarray]


@dataclass
class Run:
    """A headless session: its events, the last of each kind kept, failures raised."""

    on_event: OnEvent
    latest: dict[type, m.Event] = field(default_factory=dict)

    def emit(self, event: m.Event) -> None:
        self.latest[type(event)] = event
        self.on_event(event)
        if isinstance(event, m.Failure):
            raise UserError(event.text)

    def until(
        self, session: Session, *states: m.State, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Work until the session is in one of ``states`` and no task is left."""
        while session.work() or session.state not in states:
            meanwhile()


def open_project(folder: Path, device: str, on_event: OnEvent, photos: str = "") -> Session:
    """A session with the trained project in ``folder`` open; ``photos`` as in `OpenOptions`. Raises
    UserError."""
    if not is_project(folder):
        raise UserError(
            text("{folder} is not a saved project", folder=folder),
            text("Choose a folder that Gradina saved"),
        )
    watch = Run(on_event)
    session = Session(watch.emit, device=device)
    session.handle(m.Open(str(folder), OpenOptions(photos=photos)))
    watch.until(session, "paused", "finished", "ready")
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
    begins: bool = False,
    choice: RunOptions = DEFAULT_CHOICE,
    device: str = "auto",
    seed: int = 0,
    mesh: MeshOptions = DEFAULT_MESH,
    hold_out: bool = False,
    resume: bool = False,
    how: OpenOptions = DEFAULT_OPEN,
    recipe: RunRecipe | None = None,
    on_event: OnEvent = lambda event: None,
) -> dict[str, Any]:
    """Poses if needed → train → mesh, all as the ``recipe`` of an earlier run says where there is
    one; a budget that is given goes before its own. With ``begins`` ``path`` is a trained project,
    and the run begins with what that has learnt. Leaves ``mesh.<format>``, ``preview.png``,
    ``project/`` and ``report.json`` in ``out`` and returns the report. Raises UserError."""
    asked, out = out, choose_results_folder(out, path)
    mesh_path, project = out / f"mesh.{mesh.format}", out / "project"
    check_writable(out, [*export_files(mesh_path, mesh), out / "preview.png", out / "report.json"])
    check_project(project)
    if not resume and project.resolve() != Path(path).resolve():
        _require_finished(project)
    watch = Run(on_event)
    if asked != out:
        on_event(m.Notice(other_folder_notice(asked, out)))
    times: dict[str, float] = {}
    if recipe is not None:
        hold_out, how, seed = recipe.hold_out, recipe.open_options, recipe.run.seed
    session = Session(watch.emit, device=device, hold_out=hold_out, seed=seed, autosave_to=project)
    with _advised(project), closing(session):
        began = time.monotonic()
        going_on = resume and is_project(project)
        session.handle(m.Open(str(project if going_on else path), how))
        watch.until(session, "ready", "paused", "finished")
        times["open"] = time.monotonic() - began
        mark_results_folder(out)
        if recipe is not None and not going_on:
            session.arrange_as(recipe)

        began = time.monotonic()
        if begins and not going_on:
            session.handle(m.WarmStart(choice, recipe and recipe.run))
        elif session.state == "finished" and choice.minutes is not None:
            session.handle(m.Continue(choice.minutes))
        elif session.state == "paused":
            session.handle(m.Resume())
        elif session.state == "ready":
            session.handle(m.Start(choice, recipe and recipe.run))
        pictures = Pictures(session, out / "preview.png")
        watch.until(session, "finished", meanwhile=pictures.draw)
        for more in recipe.continued_minutes if recipe is not None and not going_on else ():
            session.handle(m.Continue(more))
            watch.until(session, "finished")
        times["train"] = time.monotonic() - began
        if not is_project(project):
            session.save(project)

        began = time.monotonic()
        session.handle(m.Export(str(mesh_path), mesh))
        watch.until(session, "finished")
        times["mesh"] = time.monotonic() - began

        began = time.monotonic()
        scores = _scores(session, on_event)
        _write_preview(session, mesh_path, mesh, out / "preview.png")
        times["preview"] = time.monotonic() - began
        report = _report(session, watch, times, scores)
        write_output(out / "report.json", json.dumps(report, indent=1).encode())
        return report


@contextmanager
def _advised(project: Path) -> Iterator[None]:
    """A run that is stopped says how to go on."""
    try:
        yield
    except Interrupted as stop:
        if is_project(project):
            stop.add_note(
                f"what was trained is saved in {project}, and the same command with "
                "--resume goes on"
            )
        else:
            stop.add_note(
                "nothing was trained yet; the same command goes on with what was found "
                "in the photos"
            )
        raise


def _require_finished(project: Path) -> None:
    """Raises UserError where a new run would take the place of one that was cut short."""
    step = unfinished_step(project)
    if step is not None:
        raise UserError(
            text(
                "{project} holds a run that was stopped at step {step}", project=project, step=step
            ),
            text("Add --resume to go on with it, or choose another folder to begin anew"),
        )


def _scores(session: Session, on_event: OnEvent) -> dict[str, float] | None:
    """Mean PSNR and SSIM over the held-out photos, None where there are none."""
    trainer = session.trainer
    assert trainer is not None
    photos = trainer.scene.held_out
    if not photos:
        return None

    def tell(progress: Progress) -> None:
        on_event(m.TaskProgress("evaluate", progress.fraction, progress.detail))

    scores = run_task(score_photos(trainer, photos), tell)
    return {
        "psnr": float(np.mean([s.psnr for s in scores])),
        "ssim": float(np.mean([s.ssim for s in scores])),
        "photos": len(scores),
    }


@dataclass
class Pictures:
    """Of a scene that nobody has seen, written to ``path`` now and then while it is trained, so
    that a person can tell what becomes of it."""

    session: Session
    path: Path
    duty: DutyCycle = field(default_factory=lambda: DutyCycle(PICTURES_SHARE, PICTURES_EVERY_S))

    def draw(self) -> None:
        trainer, began = self.session.trainer, time.monotonic()
        if not self.duty.is_due or trainer is None or trainer.scene.taken or not trainer.step_count:
            return
        _write_sheet(trainer, [], [], self.path, SMALL_SIDE)
        self.duty.record(time.monotonic() - began)


def _write_preview(session: Session, mesh_path: Path, options: MeshOptions, out: Path) -> None:
    """Photo, field and mesh, in clay and in its colours if its file holds them, from the same
    cameras, a few sides; of a USDZ, which nothing here reads, the first two."""
    trainer = session.trainer
    assert trainer is not None
    skins = [] if options.format == "usdz" else _skins(mesh_path)
    _write_sheet(trainer, skins, photos_in_export_frame(trainer.scene, options), out)


def _write_sheet(
    trainer: Trainer,
    skins: list[Skin],
    of_mesh: Sequence[Photo],
    out: Path,
    side: int = PREVIEW_SIDE,
) -> None:
    """``of_mesh``: the cameras in its frame."""
    photos = trainer.scene.used
    rows, chosen = [], [i * len(photos) // PREVIEW_VIEWS for i in range(PREVIEW_VIEWS)]
    for i in chosen:
        photo = photos[i]
        lens = training_size(photo.intrinsics, side)
        meshes = [draw(lens, of_mesh[i].world_from_camera) for draw in skins]
        shots = [photo_colors(trainer.scene, photo, lens)] if trainer.scene.taken else []
        rows.append([*shots, run_task(render_photo(trainer, photo, lens)), *meshes])
    titles = ["photo", "field", "mesh", "mesh in colour"]
    titles = titles[0 if trainer.scene.taken else 1 :][: len(rows[0])]
    sheet = contact_sheet(rows, titles, [photos[i].name for i in chosen])
    data = iio.imwrite("<bytes>", sheet, extension=".png")
    write_output(out, data)


def _skins(mesh_path: Path) -> list[Skin]:
    """What draws the mesh of a file from a camera: in clay, and in the colours that it holds."""
    loaded: Any = trimesh.load(mesh_path, process=False, force="mesh")
    shape = (
        np.asarray(loaded.vertices),
        np.asarray(loaded.faces),
        np.asarray(loaded.vertex_normals),
    )
    visual, skins = loaded.visual, [partial(shade, *shape)]
    if visual.kind == "vertex":
        skins.append(partial(skins[0], colors=np.asarray(visual.vertex_colors)[:, :3]))
    elif visual.kind == "texture" and visual.uv is not None:
        material = visual.material
        picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
        if picture is not None:
            texture = np.asarray(picture.convert("RGB"))
            skins.append(partial(skins[0], uvs=np.asarray(visual.uv), texture=texture))
    return skins


def _report(
    session: Session, watch: Run, times: dict[str, float], scores: dict[str, float] | None
) -> dict[str, Any]:
    trainer, exported = session.trainer, watch.latest[m.Exported]
    stats = session.training_stats()
    assert trainer is not None
    assert isinstance(exported, m.Exported)
    scene = trainer.scene
    return {
        "source": session.source,
        "kind": str(scene.kind),
        "device": str(session.device),
        "method": trainer.config.method,
        "preset": trainer.config.preset,
        "seed": trainer.config.seed,
        "seconds": {name: round(t, 2) for name, t in times.items()},
        "steps": stats.step,
        "training_seconds": round(stats.elapsed_s, 2),
        "losses": stats.losses,
        "held_out": scores,
        "psnr_training": stats.psnr if math.isfinite(stats.psnr) else None,
        "sentence": scene.sentence and scene.sentence.text,
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
