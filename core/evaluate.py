"""How good a saved project is: against photos it was not trained on, and a reference surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from core.config import MeshOptions
from core.errors import UserError
from core.meshing.from_model import mesh_of_model
from core.meshing.mesh import Mesh
from core.metrics import surface_distance
from core.session import Session
from core.tasks import Progress, run
from core.views import score_photos

Tell = Callable[[Progress], None]


def evaluate(
    session: Session, reference: Path | None, mesh: MeshOptions, thresholds: list[float] | None,
    tell: Tell,
) -> dict[str, Any]:
    """PSNR and SSIM on held-out photos (training photos where none were held out, and said so),
    and with ``reference`` the distances of the mesh to it, in the input's units, over the surface
    that at least two training cameras see. Raises UserError."""
    trainer = session.trainer
    assert trainer is not None
    scene = trainer.store.scene
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
        built = run(mesh_of_model(trainer.model, scene.scene_from_input, mesh), tell)
        result["surface"] = compare(built, *surface, scene.photos, thresholds)
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


def read_surface(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] and faces [F, 3] (none for a cloud) of a file. Raises UserError."""
    try:
        loaded: Any = trimesh.load(path, process=False)
    except (OSError, ValueError, LookupError, NotImplementedError) as error:
        raise UserError(
            f"{path} is not a readable mesh or cloud ({error})", "Give a PLY, OBJ, GLB or STL"
        ) from error
    if isinstance(loaded, trimesh.Scene):
        loaded = loaded.to_geometry()
    faces = getattr(loaded, "faces", np.zeros((0, 3), np.int64))
    return np.asarray(loaded.vertices), np.asarray(faces)
