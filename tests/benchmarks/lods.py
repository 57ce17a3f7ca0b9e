"""What levels of detail lose at arm's length: ``python -m tests.benchmarks.lods PROJECT
[--pictures FOLDER] [--views 4] [--cells 256]``.

A mesh of five times the faces, texels of 4096 and the field's own normals, against the levels of
``--purpose game``, through the same cameras around it: the object fills about half of a picture
1080 pixels high. *Plain* is the texture alone, *lit* the texture under a lamp beside the camera, by
the normals of the fine mesh and by those of the normal map, where dark blotches would show. PSNR
over the pixels that either covers.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.api import open_project
from core.base.image_metrics import psnr
from core.base.jobs import run_task
from core.config.mesh import PURPOSES
from core.geometry.cameras import Intrinsics
from core.meshing.from_model import mesh_source
from core.meshing.mesh import Mesh
from core.meshing.pipeline import finish_mesh
from core.rendering.raster import bilinear, rasterize

HEIGHT, SHARE, FINER = 1080, 0.5, 2
FULL = 100_000
"""faces of what levels are compared with"""
LAMP = np.array([-0.5, -0.5, -0.7])
"""toward which the light falls from, in the camera's frame, where y points down"""
GREY = np.float32([0.5, 0.5, 0.5])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--cells", type=int, default=256)
    arguments = parser.parse_args()
    full, lods = meshes(arguments.project, arguments.cells)
    cameras = around(full, arguments.views)
    wanted = [pictures(full, *camera) for camera in cameras]
    keep(arguments.pictures, "full", wanted)
    print("| mesh | faces | texels | PSNR plain | lit | worst view |\n|---|---|---|---|---|---|")
    for level, mesh in enumerate(lods):
        found = [pictures(mesh, *camera) for camera in cameras]
        keep(arguments.pictures, f"lod{level}", found)
        plain, lit = (
            [apart(one[i], other[i]) for one, other in zip(found, wanted)] for i in range(2)
        )
        size = mesh.texture.shape[0] if mesh.texture is not None else 0
        print(
            f"| level {level} | {len(mesh.faces):,} | {size} | {np.mean(plain):.2f} | "
            f"{np.mean(lit):.2f} | {min(plain):.2f}, {min(lit):.2f} |",
            flush=True,
        )


def meshes(path: Path, cells: int) -> tuple[Mesh, list[Mesh]]:
    """A fine mesh, and the levels of detail of a game."""
    trainer = open_project(path, "cpu", lambda event: None, "").trainer
    assert trainer is not None
    game = replace(PURPOSES["game"], axes="z", resolution=cells)
    every = replace(game, faces=FULL, lods=1, normal_map=False, texture_size=4096)
    full, lods = (
        run_task(finish_mesh(mesh_source(trainer.model, trainer.scene, o), o)).lods
        for o in (every, game)
    )
    return full[0], lods


def around(mesh: Mesh, n: int) -> list[tuple[Intrinsics, np.ndarray]]:
    """Cameras about the upright axis, a little above."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    focal = 1.2 * HEIGHT
    distance = focal * float((high - low).max()) / (SHARE * HEIGHT)
    found = []
    for i in range(n):
        angle = 2 * np.pi * (i + 0.3) / n
        back = np.array([np.cos(angle), np.sin(angle), 0.35])
        back /= np.linalg.norm(back)
        right = np.cross([0, 0, 1], back)
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, -np.cross(back, right), -back], 1)
        pose[:3, 3] = (low + high) / 2 + distance * back
        lens = Intrinsics(HEIGHT, HEIGHT, focal, focal, HEIGHT / 2, HEIGHT / 2)
        found.append((lens, pose))
    return found


def pictures(mesh: Mesh, lens: Intrinsics, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[H, W, 3] of the texture, and of the texture under the lamp."""
    assert mesh.texture is not None
    assert mesh.uvs is not None
    fine = lens.scaled(lens.width * FINER, lens.height * FINER)
    raster = rasterize(mesh.vertices, mesh.faces, fine, pose)
    covered = raster.face_id >= 0
    uv = raster.interpolate(mesh.faces, np.stack([mesh.uvs[:, 0], 1 - mesh.uvs[:, 1]], 1))
    color = bilinear(mesh.texture, uv * mesh.texture.shape[0]) / 255
    normals = unit(raster.interpolate(mesh.faces, np.asarray(mesh.normals, np.float32)))
    if mesh.normal_map is not None:
        tangents = raster.interpolate(mesh.faces, np.asarray(mesh.tangents, np.float32))
        local = bilinear(mesh.normal_map, uv * mesh.normal_map.shape[0]) / 127.5 - 1
        t = unit(tangents[:, :3] - normals * (tangents[:, :3] * normals).sum(1, keepdims=True))
        b = np.cross(normals, t) * np.sign(tangents[:, 3:])
        normals = unit(local[:, :1] * t + local[:, 1:2] * b + local[:, 2:] * normals)
    lamp = pose[:3, :3] @ (LAMP / np.linalg.norm(LAMP))
    lit = color * (0.3 + 0.7 * np.clip(normals @ lamp, 0, 1))[:, None]
    both = []
    for values in (color, lit):
        image = np.empty((*covered.shape, 3), np.float32)
        image[:] = GREY
        image[covered] = values
        both.append(image.reshape(lens.height, FINER, lens.width, FINER, 3).mean((1, 3)))
    return both[0], both[1]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR, dB, over the pixels where either shows more than the backdrop."""
    where = np.any((one != GREY) | (other != GREY), axis=2)
    return psnr(one[where], other[where])


def keep(folder: Path | None, name: str, found: list[tuple[np.ndarray, np.ndarray]]) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for view, both in enumerate(found):
            for kind, image in zip(("plain", "lit"), both):
                data = np.round(image * 255).astype(np.uint8)
                Image.fromarray(data).save(folder / f"{view}_{kind}_{name}.png")


if __name__ == "__main__":
    main()
