"""The sheet of images that a reconstruction leaves: photos beside the field and the mesh."""

# pyright: reportUnknownMemberType=false
# trimesh and imageio are typed only in part

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import trimesh

from core.base.duty_cycle import DutyCycle
from core.base.jobs import run_task
from core.base.outputs import write_output
from core.capture.scene import Photo
from core.config.mesh import MeshOptions
from core.geometry.cameras import Intrinsics
from core.meshing.export.frame import photos_in_export_frame
from core.output.contact_sheet import contact_sheet
from core.output.views import render_photo
from core.rendering.raster import shade
from core.training.ray_source import photo_colors
from core.training.trainer import Trainer

SHEET_SIDE_PX = 400
DRAFT_SIDE_PX = 128
"""Longest side of the images of a sheet, and of one written while the scene is trained."""
N_VIEWS = 3
DRAFT_INTERVAL_S = 30.0
DRAFT_DUTY_CYCLE = 0.05
"""Shortest time between two sheets during training, and the fraction of it that they may take."""

MeshRenderer = Callable[[Intrinsics, np.ndarray], np.ndarray]
"""From a lens and world_from_camera [4, 4] to an image [H, W, 3] of one mesh."""


class TrainingPreview:
    """Writes a sheet of a generated scene now and then while it is trained.

    Args:
        path: the PNG file, which is replaced each time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._duty = DutyCycle(DRAFT_DUTY_CYCLE, DRAFT_INTERVAL_S)

    def update(self, trainer: Trainer | None) -> None:
        """Write the sheet if it is due; never of a scene that has photos, which show it already."""
        began = time.monotonic()
        if trainer is None or trainer.scene.photos_with_images or not trainer.step_count:
            return
        if self._duty.is_due:
            write_sheet(trainer, [], [], self._path, DRAFT_SIDE_PX)
            self._duty.record(time.monotonic() - began)


def write_preview(trainer: Trainer, mesh_file: Path, options: MeshOptions, path: Path) -> None:
    """Write a sheet of photos, field and mesh, seen from the same cameras.

    Args:
        trainer: of the trained scene.
        mesh_file: the exported mesh, shown in clay and in its colours if it has any; not shown if
            it is a USDZ file, which no library here reads.
        options: those that the mesh was exported with.
        path: the PNG file.
    """
    renderers = [] if options.format == "usdz" else mesh_renderers(mesh_file)
    write_sheet(trainer, renderers, photos_in_export_frame(trainer.scene, options), path)


def write_sheet(
    trainer: Trainer,
    renderers: Sequence[MeshRenderer],
    export_photos: Sequence[Photo],
    path: Path,
    max_side: int = SHEET_SIDE_PX,
) -> None:
    """Write a sheet with a row for each of `N_VIEWS` cameras.

    Args:
        trainer: of the trained scene.
        renderers: one for each column that shows a mesh.
        export_photos: the cameras in the frame of that mesh.
        path: the PNG file.
        max_side: longest side of an image, pixels.
    """
    photos, has_photos = trainer.scene.training_photos, bool(trainer.scene.photos_with_images)
    chosen = [i * len(photos) // N_VIEWS for i in range(N_VIEWS)]
    rows: list[list[np.ndarray]] = []
    for i in chosen:
        lens = photos[i].intrinsics.shrunk(max_side)
        row = [photo_colors(trainer.scene, photos[i], lens)] if has_photos else []
        row.append(run_task(render_photo(trainer, photos[i], lens)))
        row += [render(lens, export_photos[i].world_from_camera) for render in renderers]
        rows.append(row)
    titles = ["photo", "field", "mesh", "mesh in colour"]
    titles = titles[0 if has_photos else 1 :][: len(rows[0])]
    sheet = contact_sheet(rows, titles, [photos[i].name for i in chosen])
    write_output(path, iio.imwrite("<bytes>", sheet, extension=".png"))


def mesh_renderers(mesh_file: Path) -> list[MeshRenderer]:
    """Return what renders the mesh of a file: in clay, and in its colours if it has any."""
    mesh: Any = trimesh.load(mesh_file, process=False, force="mesh")
    in_clay = partial(
        shade, np.asarray(mesh.vertices), np.asarray(mesh.faces), np.asarray(mesh.vertex_normals)
    )
    visual, renderers = mesh.visual, [in_clay]
    if visual.kind == "vertex":
        renderers.append(partial(in_clay, colors=np.asarray(visual.vertex_colors)[:, :3]))
    elif visual.kind == "texture" and visual.uv is not None:
        material = visual.material
        image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
        if image is not None:
            texture = np.asarray(image.convert("RGB"))
            renderers.append(partial(in_clay, uvs=np.asarray(visual.uv), texture=texture))
    return list(renderers)
