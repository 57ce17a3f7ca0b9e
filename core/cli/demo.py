"""The embedded sample from photos to mesh, measured against the exact surface behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.api import OnEvent, reconstruct
from core.base.jobs import Progress, run_task
from core.base.outputs import write_output
from core.capture.open import open_capture
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.evaluation.evaluate import compare_surfaces
from core.evaluation.surface_metrics import read_surface
from core.meshing.mesh import Mesh
from core.sample import FOLDER, reference_mesh

MINUTES = 2.0


def demo(
    out: Path,
    choice: RunOptions,
    device: str,
    mesh: MeshOptions,
    on_event: OnEvent,
    tell: Callable[[Progress], None],
    *,
    resume: bool = False,
) -> dict[str, Any]:
    """Reconstruct the sample into ``out``; the report adds the true distance of the mesh, metres,
    and the owl's height."""
    if choice.minutes is None and choice.steps is None:
        choice = replace(choice, minutes=MINUTES)
    report = reconstruct(
        FOLDER,
        out,
        choice=choice,
        device=device,
        mesh=mesh,
        resume=resume,
        on_event=on_event,
    )
    truth = run_task(reference_mesh(), tell)
    vertices, faces = read_surface(Path(report["mesh"]))
    cameras = run_task(open_capture(FOLDER)).photos
    report["surface"] = compare_surfaces(
        Mesh(vertices, faces), truth.vertices, truth.faces, cameras, None
    )
    report["extent"] = float(np.ptp(truth.vertices[:, 2]))
    write_output(out / "report.json", json.dumps(report, indent=1).encode())
    return report
