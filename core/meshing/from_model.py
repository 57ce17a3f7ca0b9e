"""From a trained model to its mesh, and to a file with what that file cannot say beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.capture.scene import Scene
from core.config import MeshOptions
from core.field.model import SurfaceModel
from core.files import write_atomically
from core.geometry.rigid import invert, similarity, transform_points
from core.lanes import count, lane_map
from core.meshing.build import build_mesh
from core.meshing.export import writing_mesh
from core.meshing.mesh import Mesh
from core.tasks import Task

MOST_EYES = 256
"""So many cameras, spread over all of them, are asked how they see a point."""


def mesh_of_model(model: SurfaceModel, scene: Scene, options: MeshOptions) -> Task[Mesh]:
    """The surface inside the scene's region, coloured as the photos' cameras see it (from straight
    above no photo may have been taken), in the frame and units that ``options`` ask for. Cells lie
    along the axes of the region."""
    photos = scene.used[:: -(-len(scene.used) // MOST_EYES)]
    eyes = _tensor(model, np.array([scene.scene_from_camera(photo)[:3, 3] for photo in photos]))
    region = scene.region_in_scene
    scene_from_box = similarity(1.0, region.axes, region.center)
    ball = transform_points(invert(scene_from_box), np.zeros((1, 3)))[0], 1.0
    aabb = np.stack([np.maximum(-region.half, ball[0] - 1), np.minimum(region.half, ball[0] + 1)])

    @torch.no_grad()
    def sdf_part(points: np.ndarray) -> np.ndarray:
        return model.shape.sdf(_tensor(model, points), options.levels).cpu().numpy()

    @torch.no_grad()
    def color_part(points: np.ndarray) -> np.ndarray:
        where = _tensor(model, points)
        return model.surface_color(where, eyes, options.levels)[0].cpu().numpy()

    def sdf(points: np.ndarray) -> np.ndarray:
        return _in_lanes(model, sdf_part, transform_points(scene_from_box, points))

    def color(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        return _in_lanes(model, color_part, transform_points(scene_from_box, points))

    out_from_box = scene.out_from_input(options.axes) @ invert(scene.scene_from_input)
    return build_mesh(sdf, color, aabb, options, out_from_box @ scene_from_box, ball=ball)


@dataclass(frozen=True)
class Written:
    """A mesh that was written: its counts, and the bytes of its file."""

    path: Path
    n_vertices: int
    n_faces: int
    n_bytes: int


def export_model(
    model: SurfaceModel, scene: Scene, options: MeshOptions, path: Path
) -> Task[Written]:
    """`mesh_of_model` into the file ``path``, and beside it ``path``.json: the frame, the unit, the
    counts and the settings. Raises UserError as `writing_mesh` does."""
    mesh = yield from mesh_of_model(model, scene, options)
    n_bytes = yield from writing_mesh(mesh, path, options.format)
    written = Written(path, len(mesh.vertices), len(mesh.faces), n_bytes)
    text = json.dumps(_about(mesh, scene, options, path), indent=1).encode()
    write_atomically(path.with_name(f"{path.name}.json"), text, "the mesh's description")
    return written


def _about(mesh: Mesh, scene: Scene, options: MeshOptions, path: Path) -> dict[str, Any]:
    """What the mesh's file cannot say of itself; lengths are in its unit."""
    out_from_input = scene.out_from_input(options.axes)
    up = out_from_input[:3, :3] @ scene.upright_from_input[:3, :3].T[:, 2]
    region = scene.region_in_scene.carried(out_from_input @ invert(scene.scene_from_input))
    return {
        "mesh": path.name, "vertices": len(mesh.vertices), "faces": len(mesh.faces),
        "unit": scene.unit or "unknown: that of the input",
        "size": np.ptp(mesh.vertices, 0).tolist(), "axes": options.axes,
        "up": (up / np.linalg.norm(up)).round(9).tolist(),
        "mesh_from_input": out_from_input.tolist(), "photos": len(scene.used),
        "region": {"center": region.center.tolist(), "size": (2 * region.half).tolist(),
                   "axes": region.axes.tolist()},
        "settings": asdict(options),
    }


def _in_lanes(model: SurfaceModel, function, points: np.ndarray) -> np.ndarray:
    parts = np.array_split(points, min(count(model.device), max(len(points), 1)))
    return np.concatenate(lane_map(function, parts))


def _tensor(model: SurfaceModel, points: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(points, np.float32)).to(model.device)
