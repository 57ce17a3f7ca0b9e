"""A trained model as the plain functions that meshing asks."""

from __future__ import annotations

import numpy as np
import torch

from core.capture.scene import Scene
from core.config import MeshOptions
from core.field.model import SurfaceModel
from core.geometry.rigid import invert
from core.lanes import count, lane_map
from core.meshing.build import build_mesh
from core.meshing.mesh import Mesh
from core.tasks import Task

_AABB = np.array([[-1.0, -1, -1], [1, 1, 1]])


MOST_EYES = 256
"""So many cameras, spread over all of them, are asked how they see a point."""


def mesh_of_model(model: SurfaceModel, scene: Scene, options: MeshOptions) -> Task[Mesh]:
    """The surface inside the unit ball, coloured as the photos' cameras see it (from straight
    above no photo may have been taken), in the input frame and scale."""
    photos = scene.photos[:: -(-len(scene.photos) // MOST_EYES)]
    eyes = _tensor(model, np.array([scene.scene_from_camera(photo)[:3, 3] for photo in photos]))

    @torch.no_grad()
    def sdf_part(points: np.ndarray) -> np.ndarray:
        return model.shape.sdf(_tensor(model, points), options.levels).cpu().numpy()

    @torch.no_grad()
    def color_part(points: np.ndarray) -> np.ndarray:
        where = _tensor(model, points)
        return model.surface_color(where, eyes, options.levels)[0].cpu().numpy()

    def sdf(points: np.ndarray) -> np.ndarray:
        return _in_lanes(model, sdf_part, points)

    def color(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        return _in_lanes(model, color_part, points)

    return build_mesh(sdf, color, _AABB, options, invert(scene.scene_from_input))


def _in_lanes(model: SurfaceModel, function, points: np.ndarray) -> np.ndarray:
    parts = np.array_split(points, min(count(model.device), max(len(points), 1)))
    return np.concatenate(lane_map(function, parts))


def _tensor(model: SurfaceModel, points: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(points, np.float32)).to(model.device)
