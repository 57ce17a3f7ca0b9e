"""The frame and the unit of exported meshes: metres per unit of each `core.config.mesh.Unit`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.base.errors import UserError
from core.base.text import text
from core.capture.scene import Photo, Scene
from core.config.mesh import MeshOptions
from core.geometry.rigid import similarity, transform_pose

METRES_PER_UNIT = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048}
"""metres in one of each unit"""


def export_from_input(scene: Scene, options: MeshOptions) -> np.ndarray:
    """Compute the similarity from the input's frame to that of the mesh.

    Returns:
        [4, 4], with the axes and the unit that ``options`` ask for.

    Raises:
        UserError: a unit is asked for and the scene's scale is not known.
    """
    out = scene.out_from_input(options.axes)
    if not options.unit:
        return out
    known = METRES_PER_UNIT.get(scene.unit)
    if known is None:
        raise UserError(
            text(
                "The mesh cannot be in {unit}: nothing says how large the scene is",
                unit=options.unit,
            ),
            text("Measure a length in the window (Scale), or photograph with GPS"),
        )
    return similarity(known / METRES_PER_UNIT[options.unit], np.eye(3), np.zeros(3)) @ out


def export_unit(scene: Scene, options: MeshOptions) -> str:
    """Unit of the mesh's lengths; "" while unknown."""
    return options.unit or scene.unit


def photos_in_export_frame(scene: Scene, options: MeshOptions) -> tuple[Photo, ...]:
    """The photos in use, with poses in the frame and unit of the mesh."""
    out = export_from_input(scene, options)
    return tuple(
        replace(p, world_from_camera=transform_pose(out, p.world_from_camera))
        for p in scene.training_photos
    )
