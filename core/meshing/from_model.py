"""From a trained model to its mesh, and to mesh files with a JSON sidecar."""
# torch is only partly typed
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.base.errors import UserError
from core.base.jobs import Task, subtask
from core.base.outputs import Outputs
from core.base.parallel import num_workers, parallel_map
from core.base.text import Text, text
from core.capture.scene import Scene
from core.config.mesh import MeshOptions
from core.field.model import SceneModel
from core.geometry.rigid import invert, similarity, transform_points
from core.meshing.export.frame import (
    METRES_PER_UNIT,
    export_from_input,
    export_unit,
    photos_in_export_frame,
)
from core.meshing.export.size_limit import finish_within_size
from core.meshing.export.writers import (
    ExportMetadata,
    check_format,
    export_files,
    lod_path,
    lods_path,
    write_lods_task,
    write_mesh_task,
)
from core.meshing.mesh import Mesh
from core.meshing.pipeline import FinishedMesh, MeshSource, finish_mesh
from core.meshing.surface.level_set import LevelSet
from core.rendering.volume import density_logit_of

MAX_VIEW_CAMERAS = 256
"""At most so many cameras, spread over all of them, colour a point as they see it."""
DENSITY_SURFACE_NOTE = text(
    "This surface is where the density passes {density:g} per scene unit; it only approximates "
    "the true surface."
)
"""Tells that the surface of a method without an SDF depends on a threshold."""


def mesh_source(model: SceneModel, scene: Scene, options: MeshOptions) -> MeshSource:
    """Describe the surface of ``model`` inside the scene's region for `finish_mesh`.

    Its frame has the axes of the region. Colours are those that the photos' cameras see, since
    from straight above no photo may have been taken.

    Raises:
        UserError: as `export_from_input` does.
    """
    photos = scene.training_photos[:: -(-len(scene.training_photos) // MAX_VIEW_CAMERAS)]
    camera_centers = _tensor(
        model, np.array([scene.scene_from_camera(photo)[:3, 3] for photo in photos])
    )
    region = scene.region_in_scene
    scene_from_box = similarity(1.0, region.axes, region.center)
    ball = transform_points(invert(scene_from_box), np.zeros((1, 3)))[0], 1.0
    aabb = np.stack([np.maximum(-region.half, ball[0] - 1), np.minimum(region.half, ball[0] + 1)])
    zero = density_logit_of(options.density)

    @torch.no_grad()
    def implicit_part(points: np.ndarray) -> np.ndarray:
        values = model.shape.implicit_value(_tensor(model, points), options.levels)
        return (values if model.has_sdf else values - zero).cpu().numpy()

    def implicit(points: np.ndarray) -> np.ndarray:
        return _in_parallel(model, implicit_part, points)

    scene_sdf = implicit if model.has_sdf else LevelSet(implicit)

    @torch.no_grad()
    def color_part(points: np.ndarray) -> np.ndarray:
        positions = _tensor(model, points)
        return model.surface_color(positions, camera_centers, options.levels)[0].cpu().numpy()

    def sdf(points: np.ndarray) -> np.ndarray:
        return scene_sdf(transform_points(scene_from_box, points))

    def color(points: np.ndarray, _normals: np.ndarray) -> np.ndarray:
        return _in_parallel(model, color_part, transform_points(scene_from_box, points))

    export_from_box = (
        export_from_input(scene, options) @ invert(scene.scene_from_input) @ scene_from_box
    )
    return MeshSource(
        sdf,
        color,
        aabb,
        ball,
        export_from_box,
        photos_in_export_frame(scene, options),
        scene.has_masks and scene.prompt is None,
        bool(scene.photos_with_images),
    )


def mesh_of_model(model: SceneModel, scene: Scene, options: MeshOptions) -> Task[Mesh]:
    """Build the finest mesh that `finish_mesh` makes of `mesh_source`."""
    return (yield from finish_mesh(mesh_source(model, scene, options), options)).lods[0]


@dataclass(frozen=True)
class ExportedMesh:
    """A mesh that was written."""

    path: Path
    """the file of the finest level"""
    n_vertices: int
    """of the finest level"""
    n_faces: int
    """of the finest level"""
    n_bytes: int
    """of all mesh files, with levels of detail and textures"""
    notes: tuple[Text, ...] = ()
    """what people should know of it"""


def export_model(
    model: SceneModel, scene: Scene, options: MeshOptions, path: Path, *, force: bool = False
) -> Task[ExportedMesh]:
    """Finish the mesh of ``model`` and write it, its levels of detail and a JSON sidecar.

    The finest level goes to ``path``, others to ``path`` with ``_lod1`` and so on at the end of its
    name, and all of them into one GLB that ends in ``_lods``. ``path``.json has the frame, the
    unit, what was done, the counts and the settings. All files appear together.

    Args:
        model: the trained model.
        scene: its capture.
        options: what is asked for.
        path: the file of the finest level.
        force: replace files of these names that Gradina did not write.

    Raises:
        ForeignFileError: at once, where such files exist and ``force`` is not set.
        UserError: as `write_mesh_task` and `finish_within_size` do.
    """
    check_format(path, options.format)
    require_free(path, options, force=force)
    if options.max_bytes is not None and options.format != "glb":
        raise UserError(
            text("{path}: a size limit needs GLB", path=path), text("Choose --format glb")
        )
    task = finish_within_size(mesh_source(model, scene, options), options)
    done, jpeg = yield from subtask(task, 0.0, 0.97)
    if not model.has_sdf:
        note = DENSITY_SURFACE_NOTE.filled(density=options.density)
        done = replace(done, notes=(*done.notes, note))
    metadata = _metadata(scene, options, jpeg)
    n_bytes = 0
    files: list[str] = []
    with Outputs(path.parent, force=force) as outputs:
        for lod, mesh in enumerate(done.lods):
            file = lod_path(path, lod)
            n_bytes += yield from write_mesh_task(mesh, file, outputs, options.format, metadata)
            files.append(file.name)
        if len(done.lods) > 1:
            n_bytes += yield from write_lods_task(done.lods, lods_path(path), outputs, metadata)
            files.append(lods_path(path).name)
        about = _sidecar(done, scene, options, path) | {"files": files, "bytes": n_bytes}
        sidecar = json.dumps(about, indent=1).encode()
        outputs.write(path.with_name(f"{path.name}.json"), sidecar)
    return ExportedMesh(
        path, len(done.lods[0].vertices), len(done.lods[0].faces), n_bytes, done.notes
    )


def require_free(path: Path, options: MeshOptions, *, force: bool = False) -> None:
    """Raise ForeignFileError where an export would replace files that Gradina did not write."""
    Outputs(path.parent, force=force).require_free(export_files(path, options))


def _metadata(scene: Scene, options: MeshOptions, jpeg: int | None) -> ExportMetadata:
    """What the mesh file states of its frame."""
    up = int(np.abs(_up(scene, options)).argmax())
    return ExportMetadata(
        "Y" if up == 1 else "Z", METRES_PER_UNIT.get(export_unit(scene, options), 1.0), jpeg
    )


def _up(scene: Scene, options: MeshOptions) -> np.ndarray:
    """[3] unit up axis, in the frame of the mesh."""
    out = export_from_input(scene, options)
    up = out[:3, :3] @ scene.upright_from_input[:3, :3].T[:, 2]
    return up / np.linalg.norm(up)


def _sidecar(done: FinishedMesh, scene: Scene, options: MeshOptions, path: Path) -> dict[str, Any]:
    """What the mesh file cannot state of itself; lengths are in its unit."""
    mesh, mesh_from_input = done.lods[0], export_from_input(scene, options)
    region = scene.region_in_scene.transformed(mesh_from_input @ invert(scene.scene_from_input))
    return {
        "mesh": path.name,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "unit": export_unit(scene, options) or "unknown: that of the input",
        "size": np.ptp(mesh.vertices, 0).tolist() if len(mesh.vertices) else [0, 0, 0],
        "axes": options.axes,
        "up": _up(scene, options).round(9).tolist(),
        "mesh_from_input": mesh_from_input.tolist(),
        "photos": len(scene.training_photos),
        "region": {
            "center": region.center.tolist(),
            "size": (2 * region.half).tolist(),
            "axes": region.axes.tolist(),
        },
        "watertight": done.watertight,
        "steps": done.steps,
        "notes": [str(note) for note in done.notes],
        "lods": [
            {
                "vertices": len(lod.vertices),
                "faces": len(lod.faces),
                "texture": None if lod.texture is None else lod.texture.shape[0],
                "normal_map": None if lod.normal_map is None else lod.normal_map.shape[0],
            }
            for lod in done.lods
        ],
        "settings": asdict(options),
    }


def _in_parallel(
    model: SceneModel, function: Callable[[np.ndarray], np.ndarray], points: np.ndarray
) -> np.ndarray:
    """``function`` of the rows of ``points`` [N, 3], on all workers of the model's device."""
    parts = np.array_split(points, min(num_workers(model.device), max(len(points), 1)))
    return np.concatenate(parallel_map(function, parts))


def _tensor(model: SceneModel, points: np.ndarray) -> torch.Tensor:
    """``points`` as float32 on the model's device."""
    return torch.from_numpy(np.ascontiguousarray(points, np.float32)).to(model.device)
