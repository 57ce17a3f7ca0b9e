"""The embedded sample from photos to mesh, measured against the exact surface behind it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.api import OnEvent, reconstruct
from core.base.jobs import run_task
from core.base.outputs import write_output
from core.capture.open import open_capture
from core.config.mesh import MeshOptions
from core.config.run import DeviceName, RunOptions
from core.evaluation.evaluate import OnProgress, compare_surfaces
from core.evaluation.surface_metrics import read_surface
from core.meshing.mesh import Mesh
from core.sample import FOLDER, reference_mesh

DEFAULT_MINUTES = 2.0


def demo(
    out: Path,
    options: RunOptions,
    device: DeviceName,
    mesh_options: MeshOptions,
    on_event: OnEvent,
    on_progress: OnProgress,
    *,
    resume: bool = False,
) -> dict[str, Any]:
    """Reconstruct the sample and compare its mesh with the exact surface.

    Args:
        out: the folder that gets the results, as of `reconstruct`.
        options: of the run, which takes `DEFAULT_MINUTES` if no budget is given.
        device: what computes.
        mesh_options: of the mesh.
        on_event: receives the events of the session.
        on_progress: receives the progress of making the exact surface.
        resume: continue the run that ``out`` holds.

    Returns:
        The report of `reconstruct`, with "surface", distances to the exact surface, and "extent",
        the owl's height, in metres.
    """
    if options.minutes is None and options.steps is None:
        options = replace(options, minutes=DEFAULT_MINUTES)
    report = reconstruct(
        FOLDER,
        out,
        options=options,
        device=device,
        mesh_options=mesh_options,
        resume=resume,
        on_event=on_event,
    )
    truth = run_task(reference_mesh(), on_progress)
    vertices, faces = read_surface(Path(report["mesh"]))
    cameras = run_task(open_capture(FOLDER)).photos
    report["surface"] = compare_surfaces(
        Mesh(vertices, faces), truth.vertices, truth.faces, cameras, None
    )
    report["extent"] = float(np.ptp(truth.vertices[:, 2]))
    write_output(out / "report.json", json.dumps(report, indent=1).encode())
    return report
