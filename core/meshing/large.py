"""Meshes too large to be finished as a whole: what goes piece by piece is done, the rest is said
before the start."""

from __future__ import annotations

import math

import numpy as np

from core.config import MeshOptions
from core.errors import UserError
from core.geometry.scene_box import Ball
from core.meshing.extract import Sdf, extract
from core.meshing.mesh import Mesh
from core.tasks import Progress, Task

LARGEST = 12_000_000
"""faces that are held in memory for steps that need them all, of which these take some 300 bytes a
face"""
ROUGH = 192
"""cells of the cut that tells how many faces a finer one will have, and stands in for it before the
photos"""
NOTE = "{:.1f} million faces are too many to be held at once: holes stay open"


def stand_in(
    sdf: Sdf, aabb: np.ndarray, ball: Ball | None, options: MeshOptions
) -> Task[Mesh | None]:
    """None where a mesh that ``options`` ask for can be finished as a whole; else a rough cut of
    it. Raises UserError where they ask for what such a mesh cannot have."""
    if options.resolution <= 2 * ROUGH:
        return None
    rough = yield from extract(sdf, aabb, ROUGH, ball=ball)
    n_faces = len(rough.faces) * (options.resolution / ROUGH) ** 2
    if n_faces <= LARGEST:
        return None
    asked = [name for name, wanted in (
        ("simplified", options.faces or options.max_error or options.lods > 1),
        ("textured", options.texture), ("cut by what no camera saw", options.unseen == "cut"),
        ("written as USDZ", options.format == "usdz"),
    ) if wanted]
    if asked:
        most = int(options.resolution * math.sqrt(LARGEST / n_faces))
        raise UserError(
            f"A mesh of {options.resolution} cells has about {n_faces / 1e6:.0f} million faces, "
            f"too many to be {' and '.join(asked)}",
            f"Choose at most {most} cells, or leave that out",
        )
    yield Progress(1.0, NOTE.format(n_faces / 1e6))
    return rough
