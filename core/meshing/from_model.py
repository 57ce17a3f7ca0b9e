"""A trained model as the plain functions that meshing asks."""

from __future__ import annotations

import numpy as np
import torch

from core.config import MeshOptions
from core.field.model import SurfaceModel
from core.geometry.rigid import invert
from core.lanes import count, lane_map
from core.meshing.build import build_mesh
from core.meshing.mesh import Mesh
from core.tasks import Task

_AABB = np.array([[-1.0, -1, -1], [1, 1, 1]])


def mesh_of_model(
    model: SurfaceModel, scene_from_input: np.ndarray, options: MeshOptions
) -> Task[Mesh]:
    """The surface inside the unit ball, coloured as seen from straight above, in the input frame
    and scale."""

    @torch.no_grad()
    def sdf_part(points: np.ndarray) -> np.ndarray:
        return model.shape.sdf(_tensor(model, points), options.levels).cpu().numpy()

    @torch.no_grad()
    def color_part(points: np.ndarray) -> np.ndarray:
        return model.surface_color(_tensor(model, points), options.levels)[0].cpu().numpy()

    def sdf(points: np.ndarray) -> np.ndarray:
        return _in_lanes(model, sdf_part, points)

    def color(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        return _in_lanes(model, color_part, points)

    return build_mesh(sdf, color, _AABB, options, invert(scene_from_input))


def _in_lanes(model: SurfaceModel, function, points: np.ndarray) -> np.ndarray:
    parts = np.array_split(points, min(count(model.device), max(len(points), 1)))
    return np.concatenate(lane_map(function, parts))


def _tensor(model: SurfaceModel, points: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(points, np.float32)).to(model.device)
