"""A textured mesh beside its field: ``python -m tests.benchmarks.textures PROJECT``.

Prints PSNR and SSIM of both on held-out photos, as `evaluate --texture` does, and leaves a sheet
with a row per photo: the photo, the field's picture, the mesh's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from core.api import open_project
from core.base.jobs import run_task
from core.capture.scene import Photo
from core.config.mesh import MeshOptions
from core.evaluation.evaluate import score_mesh
from core.geometry.rigid import transform_pose
from core.meshing.export.frame import export_from_input
from core.meshing.from_model import mesh_of_model
from core.meshing.mesh import Mesh
from core.output.contact_sheet import contact_sheet
from core.output.views import render_photo
from core.rendering.raster import shade
from core.training.ray_source import photo_colors
from core.training.trainer import Trainer

SIDE = 480
"""Pixels along the longer side of a picture."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--cells", type=int, default=256)
    parser.add_argument("--photos", type=int, default=3, help="on the sheet")
    parser.add_argument("--no-refine", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/textures.png"))
    arguments = parser.parse_args()
    options = MeshOptions(resolution=arguments.cells, texture=True, refine=not arguments.no_refine)
    session = open_project(arguments.project, "cpu", lambda event: None)
    trainer = session.trainer
    assert trainer is not None
    held = trainer.scene.held_out
    mesh = run_task(mesh_of_model(trainer.model, trainer.scene, options))
    scores = run_task(score_mesh(trainer, mesh, held, options))
    print("| picture | PSNR | levelled | SSIM |\n|---|---|---|---|")
    for name, of in (("the field's own", "field_"), ("texture", "")):
        print(
            f"| {name} | {scores[of + 'psnr']:.2f} | {scores[of + 'psnr_levelled']:.2f} "
            f"| {scores[of + 'ssim']:.3f} |"
        )
    shown = held[:: max(1, len(held) // arguments.photos)][: arguments.photos]
    rows = [list(row(trainer, mesh, photo, options)) for photo in shown]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(
        arguments.output,
        contact_sheet(rows, ["photo", "field", "textured mesh"], [photo.name for photo in shown]),
    )
    session.close()


def row(trainer: Trainer, mesh: Mesh, photo: Photo, options: MeshOptions) -> Iterator[np.ndarray]:
    """The photo, the field and the mesh, sRGB [H, W, 3] in [0, 1]."""
    scene, lens = trainer.scene, photo.intrinsics.shrunk(SIDE)
    yield photo_colors(scene, photo, lens)
    yield run_task(render_photo(trainer, photo, lens))
    pose = transform_pose(export_from_input(scene, options), photo.world_from_camera)
    yield shade(
        mesh.vertices,
        mesh.faces,
        np.zeros_like(mesh.vertices),
        lens,
        pose,
        uvs=mesh.uvs,
        texture=mesh.texture,
    )


if __name__ == "__main__":
    main()
