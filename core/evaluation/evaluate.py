"""How good a saved project is: against photos it was not trained on, and a reference surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.base.errors import UserError
from core.base.image_metrics import psnr, ssim
from core.base.jobs import Progress, Task, run_task, subtask
from core.base.text import text
from core.capture.scene import Photo
from core.config.mesh import MeshOptions
from core.evaluation.dtu import dtu_distances, is_dtu, read_scan
from core.evaluation.surface_metrics import read_surface, surface_distance
from core.geometry.rigid import transform_pose
from core.meshing.export.frame import export_from_input, photos_in_export_frame
from core.meshing.from_model import mesh_of_model
from core.meshing.mesh import Mesh
from core.meshing.repair.clean import validity_report
from core.output.views import render_photo, score_photos, training_size
from core.rendering.raster import shade
from core.training.ray_source import backdrop_color, photo_colors
from core.training.trainer import Trainer

OnProgress = Callable[[Progress], None]


def evaluate(
    trainer: Trainer,
    source: str,
    reference: Path | None,
    mesh: MeshOptions,
    thresholds: list[float] | None,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """PSNR and SSIM on held-out photos (training photos where none were held out, and said so);
    with ``reference`` the distances of the mesh to it, in the exported mesh's units, over the
    surface that at least two training cameras see; with a texture how close the mesh comes to the
    photos. ``source``: where the scene came from. A ``reference`` that is a folder of the DTU
    benchmark's data is met by its protocol. Raises UserError."""
    scene = trainer.scene
    held_out = bool(scene.held_out)
    photos = scene.held_out or scene.photos[::8]
    if not scene.photos_with_images:
        raise UserError(
            text("There are no photos to compare with"),
            text("Evaluate a scene that has some"),
        )
    scan = None
    if reference is not None and is_dtu(reference):
        scan, reference = read_scan(reference, source), None
    surface = None if reference is None else read_surface(reference)
    scores = run_task(score_photos(trainer, photos), on_progress)
    result: dict[str, Any] = {
        "views": "held out" if held_out else "training",
        "psnr": float(np.mean([s.psnr for s in scores])),
        "ssim": float(np.mean([s.ssim for s in scores])),
        "per_view": [asdict(s) for s in scores],
    }
    if surface is None and scan is None and not mesh.texture:
        return result
    built = run_task(mesh_of_model(trainer.model, scene, mesh), on_progress)
    result["mesh"] = {
        "vertices": len(built.vertices),
        "faces": len(built.faces),
        **validity_report(built),
    }
    if mesh.texture:
        result["mesh"] |= run_task(score_mesh(trainer, built, photos, mesh), on_progress)
    if surface is not None:
        result["surface"] = compare_surfaces(
            built, *surface, photos_in_export_frame(scene, mesh), thresholds
        )
    if scan is not None:
        result["dtu"] = dtu_distances(built, scan)
    return result


def score_mesh(
    trainer: Trainer, mesh: Mesh, photos: tuple[Photo, ...], options: MeshOptions
) -> Task[dict[str, Any]]:
    """Means over ``photos`` of PSNR and SSIM of ``mesh``, textured and made as ``options`` say, and
    beside them of the field's own pictures, over the same pixels: all where photos are cut out,
    else those that the mesh covers. ``*_levelled``: each picture brought first to the photo's
    exposure, by a factor a channel, since a texture has one exposure and photos may have many."""
    scene, out = trainer.scene, export_from_input(trainer.scene, options)
    rows = []
    for i, photo in enumerate(photos):
        lens = training_size(photo.intrinsics, trainer.config.train.max_photo_side)
        task = render_photo(trainer, photo, lens)
        field = yield from subtask(task, i / len(photos), (i + 1) / len(photos))
        truth = photo_colors(scene, photo, lens)
        pose = transform_pose(out, photo.world_from_camera)
        rendered = shade(
            mesh.vertices,
            mesh.faces,
            np.zeros_like(mesh.vertices),
            lens,
            pose,
            uvs=mesh.uvs,
            texture=mesh.texture,
            background=backdrop_color(scene),
        )
        where = np.ones(truth.shape[:2], bool)
        if not scene.has_masks:
            where = _covered_pixels(mesh, lens, pose)
        if where.any():
            rows.append(
                {
                    "name": photo.name,
                    "share_of_pixels": float(where.mean()),
                    **_scores("", rendered, truth, where),
                    **_scores("field_", field, truth, where),
                }
            )
    names = [name for name in (rows[0] if rows else {}) if name != "name"]
    return {
        **{name: float(np.mean([row[name] for row in rows])) for name in names},
        "per_view": rows,
    }


def _covered_pixels(mesh: Mesh, lens, pose: np.ndarray) -> np.ndarray:
    """[H, W] bool: pixels that show nothing but the mesh."""
    black = np.zeros((len(mesh.vertices), 3), np.uint8)
    flat = shade(mesh.vertices, mesh.faces, np.zeros_like(mesh.vertices), lens, pose, colors=black)
    return flat.max(-1) == 0


def _scores(name: str, image: np.ndarray, truth: np.ndarray, where: np.ndarray) -> dict[str, float]:
    image = np.where(where[..., None], image, truth)
    seen, wanted = image[where], truth[where]
    gain = (seen * wanted).sum(0) / np.maximum((seen * seen).sum(0), 1e-9)
    return {
        f"{name}psnr": psnr(seen, wanted),
        f"{name}ssim": ssim(image, truth, where),
        f"{name}psnr_levelled": psnr(np.clip(seen * gain, 0, 1), wanted),
    }


def compare_surfaces(
    mesh: Mesh,
    vertices: np.ndarray,
    faces: np.ndarray,
    cameras: tuple[Photo, ...],
    thresholds: list[float] | None,
) -> dict[str, Any]:
    """Distances of ``mesh`` to a reference, as plain numbers."""
    report = surface_distance(
        mesh.vertices, mesh.faces, vertices, faces, cameras, thresholds=thresholds
    )
    return {
        "distance": report.distance,
        "accuracy": report.accuracy,
        "completeness": report.completeness,
        "chamfer": report.accuracy + report.completeness,
        "f_scores": dict(zip(map(str, report.thresholds), report.f_scores)),
        "normal_error_deg": report.normal_error,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
    }
