"""Meshes too large to be finished in memory.

What can be done chunk by chunk is done; options that need the whole mesh are refused before the
start.
"""

from __future__ import annotations

import math

import numpy as np
import psutil

from core.base.errors import UserError
from core.base.jobs import Progress, Task
from core.base.text import Text, join, text
from core.config.mesh import MeshOptions
from core.geometry.scene_ball import Ball
from core.meshing.mesh import Mesh
from core.meshing.surface.extract import SdfFunction, extract

BYTES_PER_FACE = 700
"""memory that steps on a whole mesh take per face"""
MEMORY_FRACTION = 0.5
"""of the free memory that these steps may take"""
PROXY_RESOLUTION = 192
"""cells of a coarse extraction; it predicts the number of faces, and stands in for the mesh
before the photos"""


def max_faces_in_memory() -> float:
    """Number of faces that this machine can finish as a whole, at this moment."""
    return MEMORY_FRACTION * psutil.virtual_memory().available / BYTES_PER_FACE


def out_of_core_notice(n_faces: float) -> Text:
    """What people should know of a mesh of ``n_faces`` that is finished chunk by chunk."""
    return text(
        "{millions:.1f} million faces do not fit into memory: holes stay open",
        millions=n_faces / 1e6,
    )


def proxy_if_too_large(
    sdf: SdfFunction, aabb: np.ndarray, ball: Ball | None, options: MeshOptions
) -> Task[Mesh | None]:
    """Extract a coarse proxy where the mesh is too large to be finished as a whole.

    Returns:
        None where it is not too large.

    Raises:
        UserError: ``options`` ask for what such a mesh cannot have.
    """
    if options.resolution <= 2 * PROXY_RESOLUTION:
        return None
    proxy = yield from extract(sdf, aabb, PROXY_RESOLUTION, ball=ball)
    n_faces = len(proxy.faces) * (options.resolution / PROXY_RESOLUTION) ** 2
    limit = max_faces_in_memory()
    if n_faces <= limit:
        return None
    asked = [
        name
        for name, wanted in (
            (text("simplified"), options.faces or options.max_error or options.lods > 1),
            (text("textured"), options.texture),
            (text("refined"), options.refine),
            (text("trimmed of unseen parts"), options.unseen == "cut"),
            (text("written as USDZ"), options.format == "usdz"),
        )
        if wanted
    ]
    if asked:
        cells = int(options.resolution * math.sqrt(limit / n_faces))
        raise UserError(
            text(
                "A mesh of {resolution} cells has about {millions:.0f} million faces, too many "
                "to be {steps}",
                resolution=options.resolution,
                millions=n_faces / 1e6,
                steps=join(", ", asked),
            ),
            text("Choose at most {cells} cells, or switch these steps off", cells=cells),
        )
    yield Progress(1.0, out_of_core_notice(n_faces))
    return proxy
