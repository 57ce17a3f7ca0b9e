"""How good a saved project is: against photos it was not trained on, and a reference surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.config import MeshOptions
from core.meshing.from_model import mesh_of_model
from core.meshing.mesh import Mesh
from core.metrics import read_surface, surface_distance
from core.session import Session
from core.tasks import Progress, run
from core.views import score_photos

Tell = Callable[[Progress], None]


def evaluate(
    session: Session, reference: Path | None, mesh: MeshOptions, thresholds: list[float] | None,
    tell: Tell,
) -> dict[str, Any]:
    """PSNR and SSIM on held-out photos (training photos where none were held out, and said so),
    and with ``reference`` the distances of the mesh to it, in the exported mesh's units, over the
    surface that at least two training cameras see. Raises UserError."""
    trainer = session.trainer
    assert trainer is not None
    scene = trainer.scene
    held_out = bool(scene.held_out)
    surface = None if reference is None else read_surface(reference)
    scores = run(score_photos(trainer, scene.held_out or scene.photos[::8]), tell)
    result: dict[str, Any] = {
        "views": "held out" if held_out else "training",
        "psnr": float(np.mean([s.psnr for s in scores])),
        "ssim": float(np.mean([s.ssim for s in scores])),
        "per_view": [asdict(s) for s in scores],
    }
    if surface is not None:
        built = run(mesh_of_model(trainer.model, scene, mesh), tell)
        cameras = scene.photos_out(mesh.axes)
        result["surface"] = compare(built, *surface, cameras, thresholds)
    return result


def compare(
    mesh: Mesh, vertices: np.ndarray, faces: np.ndarray, cameras, thresholds: list[float] | None
) -> dict[str, Any]:
    """Distances of ``mesh`` to a reference, as plain numbers."""
    report = surface_distance(
        mesh.vertices, mesh.faces, vertices, faces, cameras, thresholds=thresholds
    )
    return {
        "distance": report.distance, "accuracy": report.accuracy,
        "completeness": report.completeness,
        "f_scores": dict(zip(map(str, report.thresholds), report.f_scores)),
        "vertices": len(mesh.vertices), "faces": len(mesh.faces),
    }
