"""Evaluation of a saved project against held-out photos and a reference surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from core.evaluation.surface_metrics import Camera, read_surface, surface_distance
from core.geometry.cameras import Intrinsics
from core.geometry.rigid import transform_pose
from core.meshing.export.frame import export_from_input, photos_in_export_frame
from core.meshing.from_model import mesh_of_model
from core.meshing.mesh import Mesh
from core.meshing.repair.clean import validity_report
from core.output.views import render_photo, score_photos
from core.rendering.raster import shade
from core.training.ray_source import backdrop_color, photo_colors
from core.training.trainer import Trainer

OnProgress = Callable[[Progress], None]
"""Receives the progress of a task."""


def evaluate(
    trainer: Trainer,
    source: str,
    reference: Path | None,
    mesh: MeshOptions,
    thresholds: list[float] | None,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Evaluate a trained scene.

    PSNR and SSIM are taken on held-out photos, or on training photos where none were held out, as
    the result says.

    Args:
        trainer: the trained scene.
        source: where the scene came from.
        reference: a mesh file, to which distances are computed in the exported mesh's units over
            the surface that at least two training cameras see; or a folder of the DTU benchmark's
            data, for its protocol.
        mesh: options of the mesh; with a texture, it is compared with the photos too.
        thresholds: of the F-score; None for those of `surface_distance`.
        on_progress: receives progress.

    Raises:
        UserError: there are no photos, or a file cannot be read.
    """
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
    extracted = run_task(mesh_of_model(trainer.model, scene, mesh), on_progress)
    result["mesh"] = {
        "vertices": len(extracted.vertices),
        "faces": len(extracted.faces),
        **validity_report(extracted),
    }
    if mesh.texture:
        result["mesh"] |= run_task(score_mesh(trainer, extracted, photos, mesh), on_progress)
    if surface is not None:
        result["surface"] = compare_surfaces(
            extracted, *surface, photos_in_export_frame(scene, mesh), thresholds
        )
    if scan is not None:
        result["dtu"] = dtu_distances(extracted, scan)
    return result


def score_mesh(
    trainer: Trainer, mesh: Mesh, photos: tuple[Photo, ...], options: MeshOptions
) -> Task[dict[str, Any]]:
    """Compare a textured mesh with photos, and the field's own images beside it.

    All pixels count where photos are cut out, else those that the mesh covers. A texture has one
    exposure and photos may have many, so ``*_levelled`` values are measured after scaling each
    channel of an image to the photo.

    Args:
        trainer: the trained scene.
        mesh: textured.
        photos: to compare with.
        options: with which ``mesh`` was made.

    Returns:
        Means of PSNR and SSIM, and those ``per_view``.
    """
    scene, out = trainer.scene, export_from_input(trainer.scene, options)
    rows: list[dict[str, Any]] = []
    for i, photo in enumerate(photos):
        lens = photo.intrinsics.shrunk(trainer.config.train.max_photo_side)
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


def _covered_pixels(mesh: Mesh, lens: Intrinsics, pose: np.ndarray) -> np.ndarray:
    """[H, W] bool: pixels that show nothing but the mesh."""
    black = np.zeros((len(mesh.vertices), 3), np.uint8)
    flat = shade(mesh.vertices, mesh.faces, np.zeros_like(mesh.vertices), lens, pose, colors=black)
    return flat.max(-1) == 0


def _scores(name: str, image: np.ndarray, truth: np.ndarray, where: np.ndarray) -> dict[str, float]:
    """PSNR and SSIM of ``image`` over the pixels ``where`` [H, W], named with a prefix."""
    image = np.where(where[..., None], image, truth)
    seen, target = image[where], truth[where]
    gain = (seen * target).sum(0) / np.maximum((seen * seen).sum(0), 1e-9)
    return {
        f"{name}psnr": psnr(seen, target),
        f"{name}ssim": ssim(image, truth, where),
        f"{name}psnr_levelled": psnr(np.clip(seen * gain, 0, 1), target),
    }


def compare_surfaces(
    mesh: Mesh,
    vertices: np.ndarray,
    faces: np.ndarray,
    cameras: Sequence[Camera],
    thresholds: list[float] | None,
) -> dict[str, Any]:
    """Compute the distances of ``mesh`` to a reference, as plain numbers.

    Args:
        mesh: the mesh.
        vertices: [V, 3] of the reference.
        faces: [F, 3] of the reference; none for a point cloud.
        cameras: only what two of them see counts; all of it without cameras.
        thresholds: of the F-score; None for those of `surface_distance`.
    """
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
