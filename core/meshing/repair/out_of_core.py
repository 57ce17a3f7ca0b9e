"""Meshes too large to be finished as a whole: what goes piece by piece is done, the rest is said
before the start."""

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

BYTES_PER_FACE, MEMORY_FRACTION = 700, 0.5
"""that steps take which need all of a mesh at once, and of the memory that is free they may"""
PROXY_RESOLUTION = 192
"""cells of the cut that tells how many faces a finer one will have, and stands in for it before the
photos"""


def max_faces_in_memory() -> float:
    """That can be finished as a whole on this machine as it is now."""
    return MEMORY_FRACTION * psutil.virtual_memory().available / BYTES_PER_FACE


def out_of_core_notice(n_faces: float) -> Text:
    """What people should know of a mesh of ``n_faces``, which is finished piece by piece."""
    return text(
        "{millions:.1f} million faces are too many to be held at once: holes stay open",
        millions=n_faces / 1e6,
    )


def proxy_if_too_large(
    sdf: SdfFunction, aabb: np.ndarray, ball: Ball | None, options: MeshOptions
) -> Task[Mesh | None]:
    """None where a mesh that ``options`` ask for can be finished as a whole; else a proxy cut of
    it. Raises UserError where they ask for what such a mesh cannot have."""
    if options.resolution <= 2 * PROXY_RESOLUTION:
        return None
    proxy = yield from extract(sdf, aabb, PROXY_RESOLUTION, ball=ball)
    n_faces = len(proxy.faces) * (options.resolution / PROXY_RESOLUTION) ** 2
    most = max_faces_in_memory()
    if n_faces <= most:
        return None
    asked = [
        name
        for name, wanted in (
            (text("simplified"), options.faces or options.max_error or options.lods > 1),
            (text("textured"), options.texture),
            (text("refined"), options.refine),
            (text("cut by what no camera saw"), options.unseen == "cut"),
            (text("written as USDZ"), options.format == "usdz"),
        )
        if wanted
    ]
    if asked:
        cells = int(options.resolution * math.sqrt(most / n_faces))
        raise UserError(
            text(
                "A mesh of {resolution} cells has about {millions:.0f} million faces, too many "
                "to be {asked}",
                resolution=options.resolution,
                millions=n_faces / 1e6,
                asked=join(", ", asked),
            ),
            text("Choose at most {cells} cells, or leave that out", cells=cells),
        )
    yield Progress(1.0, out_of_core_notice(n_faces))
    return proxy
