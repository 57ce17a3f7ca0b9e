"""The stages from a field and photos to a finished mesh.

The surface is extracted, cleaned by what the photos show, closed, simplified, refined, textured and
written in levels of detail; `core.config.run.MeshOptions` tells which of it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Stages, Task, run_in_thread, subtask
from core.base.text import Text, text
from core.capture.scene import Photo
from core.config.mesh import TEXTURED_FACES, MeshOptions
from core.geometry.rigid import invert, similarity_scale, transform_pose
from core.geometry.scene_ball import Ball
from core.meshing.build import ColorFunction, clip_to_box, with_attributes
from core.meshing.mesh import Mesh
from core.meshing.refinement.refine import refine
from core.meshing.repair import photo_evidence
from core.meshing.repair.clean import (
    Counts,
    edge_counts,
    is_balanced,
    is_watertight,
    parts,
    remove_small_parts,
    repair,
)
from core.meshing.repair.holes import fill_holes
from core.meshing.repair.out_of_core import out_of_core_notice, proxy_if_too_large
from core.meshing.simplify import simplify, simplify_to_error
from core.meshing.surface.extract import SdfFunction, extract
from core.meshing.texture.atlas import unwrap
from core.meshing.texture.bake import bake_texture
from core.meshing.texture.transfer import bake_normal_map, transfer_texture

MAX_TEXTURE_SIZE = 4096
"""texels a side of a texture whose size is chosen automatically"""
MAX_NORMAL_MAP_SIZE = 2048
"""texels a side"""
MIN_TEXTURE_SIZE = 256
"""texels a side of the texture of a coarse level"""
NO_IMAGES_NOTE = text("No texture and no refinement: both need photos, and there are none.")
LOD_FACTOR = 4
"""faces of a level of detail over those of the next"""


@dataclass(frozen=True)
class MeshSource:
    """A field to mesh, and the photos that colour it."""

    sdf: SdfFunction
    """negative inside"""
    color: ColorFunction
    """sRGB colours of the field"""
    aabb: np.ndarray
    """[2, 3] the region, in the frame of ``sdf``"""
    ball: Ball | None
    """outside of it nothing is meshed; in the frame of ``sdf``"""
    export_from_source: np.ndarray
    """[4, 4] similarity from the frame of ``sdf`` to that of the finished mesh"""
    photos: Sequence[Photo]
    """with poses in the frame of the finished mesh"""
    has_masks: bool
    """the photos are cut out by masks"""
    has_images: bool = True
    """there are image files of the photos"""

    @property
    def photos_in_source(self) -> tuple[Photo, ...]:
        """The photos, with poses in the frame of ``sdf``."""
        here = invert(self.export_from_source)
        return tuple(
            replace(p, world_from_camera=transform_pose(here, p.world_from_camera))
            for p in self.photos
        )


@dataclass(frozen=True)
class FinishedMesh:
    """A finished mesh in its levels of detail."""

    lods: list[Mesh]
    """the finest first"""
    steps: dict[str, Counts]
    """what each step did: numbers of faces, unless a name says otherwise"""
    watertight: bool
    """whether the finest level is"""
    notes: tuple[Text, ...] = ()
    """what people should know of it"""


def finish_mesh(source: MeshSource, options: MeshOptions) -> Task[FinishedMesh]:
    """Build the mesh that ``options`` ask for.

    Returns:
        One empty mesh where there is no surface.

    Raises:
        UserError: a photo cannot be read, a mesh cannot be made watertight as it must, or it is too
            large for what is asked of it.
    """
    steps: dict[str, Counts] = {}
    notes: tuple[Text, ...] = ()
    if not source.has_images and (options.texture or options.refine):
        options, notes = replace(options, texture=False, refine=False), (NO_IMAGES_NOTE,)
    cell = float(np.ptp(source.aabb, axis=0).max()) / options.resolution
    stages = Stages(
        proxy=2,
        extract=33,
        clean=10,
        refine=100 * options.refine,
        simplify=5,
        attributes=5,
        texture=26 * options.texture,
        normal_map=6 * (options.texture and options.normal_map),
        lods=12 * (options.lods > 1),
    )
    task = proxy_if_too_large(source.sdf, source.aabb, source.ball, options)
    proxy = yield from stages.run("proxy", task)
    if proxy is not None:
        task = _finish_out_of_core(source, options, proxy, cell)
        return (yield from stages.run("extract", task, last="lods"))
    fine = yield from stages.run("extract", _extract(source, options, cell))
    fine = yield from stages.run("clean", _clean(fine, source, options, steps))
    if not len(fine.faces):
        return FinishedMesh([fine], steps, False)
    sdf: SdfFunction | None = source.sdf
    if options.refine:
        refined, note = yield from stages.run("refine", _refine(fine, source))
        notes = (*notes, note)
        if refined is not None:  # it no longer follows the field
            fine, sdf = refined, None
    scale = similarity_scale(source.export_from_source)
    geometry = yield from stages.run("simplify", _simplify(fine, options, scale, steps))
    watertight = is_watertight(geometry.faces)
    task = with_attributes(geometry, sdf, source.color, cell)
    mesh = yield from stages.run("attributes", task)
    if options.texture:
        photos, size = source.photos_in_source, options.texture_size
        task = bake_texture(mesh, photos, size, MAX_TEXTURE_SIZE)
        mesh = yield from stages.run("texture", task)
    if options.texture and options.normal_map:
        task = with_attributes(fine, sdf, None, cell)
        fine = yield from stages.run("normal_map", subtask(task, 0.0, 0.3))
        mesh = yield from stages.run("normal_map", subtask(_bake_normal_map(fine, mesh), 0.3, 1.0))
    task = _add_lods(source, sdf, options, fine, mesh, geometry, cell)
    lods = yield from stages.run("lods", task)
    lods = [lod.transformed(source.export_from_source) for lod in lods]
    return FinishedMesh(lods, steps, watertight, notes)


def _add_lods(
    source: MeshSource,
    sdf: SdfFunction | None,
    options: MeshOptions,
    fine: Mesh,
    mesh: Mesh,
    geometry: Mesh,
    cell: float,
) -> Task[list[Mesh]]:
    """All levels of detail of ``mesh``, level 0, whose geometry is ``geometry``."""
    lods = [mesh]
    for lod in range(1, options.lods):
        start, end = ((i - 1) / (options.lods - 1) for i in (lod, lod + 1))
        n_faces = max(4, len(mesh.faces) // LOD_FACTOR**lod)
        geometry = yield from subtask(simplify(geometry, n_faces), start, start)
        geometry, _ = yield from run_in_thread(
            lambda geometry=geometry: repair(geometry), Progress(start, text("repairing"))
        )
        task = _build_lod(source, sdf, options, fine, mesh, geometry, cell)
        lods.append((yield from subtask(task, start, end)))
    return lods


def _extract(source: MeshSource, options: MeshOptions, cell: float) -> Task[Mesh]:
    """Extract the surface, closed at the region's faces where it must be watertight."""
    sdf, ball = source.sdf, source.ball
    if options.watertight:
        sdf, ball = clip_to_box(sdf, source.aabb, ball, cell), None
    return (yield from extract(sdf, source.aabb, options.resolution, ball=ball))


def _finish_out_of_core(
    source: MeshSource, options: MeshOptions, proxy: Mesh, cell: float
) -> Task[FinishedMesh]:
    """Finish a mesh chunk by chunk; photos are asked about ``proxy`` instead of it."""
    steps: dict[str, Counts] = {}
    mesh = yield from subtask(_extract(source, options, cell), 0.0, 0.6)
    mesh = yield from subtask(_remove_by_evidence(mesh, source, options, steps, proxy), 0.6, 0.7)
    watertight = yield from run_in_thread(
        lambda: is_balanced(mesh.faces), Progress(0.7, text("checking the mesh"))
    )
    if options.watertight and not watertight:
        _require_watertight(mesh)
    mesh = yield from subtask(with_attributes(mesh, source.sdf, source.color, cell), 0.7, 1.0)
    mesh = yield from run_in_thread(
        lambda: mesh.transformed(source.export_from_source), Progress(1.0, text("mesh ready"))
    )
    notes = () if watertight else (out_of_core_notice(len(mesh.faces)),)
    return FinishedMesh([mesh], steps, watertight, notes)


def _remove_by_evidence(
    mesh: Mesh,
    source: MeshSource,
    options: MeshOptions,
    steps: dict[str, Counts],
    proxy: Mesh | None,
) -> Task[Mesh]:
    """Remove what the photos contradict or never saw, and small parts.

    Args:
        mesh: the mesh.
        source: of its photos.
        options: what is to be removed.
        steps: receives what each step did.
        proxy: a coarser extraction of the same surface, about which the photos are asked instead.
    """

    def without_small_parts(weights: np.ndarray | None = None) -> tuple[Mesh, Counts]:
        if weights is None:
            weights = np.ones(len(mesh.vertices), np.float32)
        return remove_small_parts(mesh, options.min_component, weights)

    several = bool(len(mesh.faces)) and parts(mesh).max() > 0
    masks = source.has_masks and options.seen_through
    if len(mesh.faces) and (
        options.unseen == "cut" or masks or (several and options.unseen == "parts")
    ):
        evidence = yield from subtask(
            photo_evidence.gather_evidence(mesh, source.photos_in_source, masks, proxy), 0.0, 0.8
        )
        if masks:
            mesh, evidence, counts = photo_evidence.remove_contradicted(mesh, evidence)
            steps["seen through"] = counts
        if options.unseen == "cut" and not options.watertight:
            mesh, evidence, counts = photo_evidence.remove_unseen(mesh, evidence)
            steps["unseen"] = counts
        weights = evidence.seen.clip(0, 1).astype(np.float32) if options.unseen != "keep" else None
        mesh, counts = yield from run_in_thread(
            lambda: without_small_parts(weights), Progress(0.8, text("removing small parts"))
        )
    else:
        mesh, counts = yield from run_in_thread(
            without_small_parts, Progress(0.8, text("removing small parts"))
        )
    steps["small parts"] = counts
    return mesh


def _clean(
    mesh: Mesh, source: MeshSource, options: MeshOptions, steps: dict[str, Counts]
) -> Task[Mesh]:
    """Remove, repair and close as ``options`` ask; ``steps`` receives what each step did."""
    mesh = yield from subtask(_remove_by_evidence(mesh, source, options, steps, None), 0.0, 0.85)
    mesh, counts = yield from run_in_thread(lambda: repair(mesh), Progress(0.9, text("repairing")))
    steps["repair"] = counts
    limit = np.inf if options.watertight else options.close_holes
    if limit > 0 and len(mesh.faces):
        size = limit * float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
        mesh, counts = yield from run_in_thread(
            lambda: fill_holes(mesh, size), Progress(0.95, text("closing holes"))
        )
        steps["holes"] = counts
    if options.watertight and len(mesh.faces):
        _require_watertight(mesh)
    return mesh


def _require_watertight(mesh: Mesh) -> None:
    """Raise UserError where ``mesh`` is not watertight."""
    if not is_watertight(mesh.faces):
        n_open = int((edge_counts(mesh.faces) != 2).sum())
        raise UserError(
            text("The mesh cannot be made watertight: {n_open} edges stay open", n_open=n_open),
            text("Keep what cameras saw through (--keep-seen-through), or enlarge the region"),
        )


def _simplify(
    fine: Mesh, options: MeshOptions, scale: float, steps: dict[str, Counts]
) -> Task[Mesh]:
    """Collapse edges until the mesh keeps to the wanted error and number of faces."""
    mesh = Mesh(fine.vertices, fine.faces)
    if options.max_error is not None:
        mesh = yield from simplify_to_error(mesh, options.max_error / scale)
    n_faces = options.faces or (TEXTURED_FACES if options.texture else None)
    if n_faces is not None:
        mesh = yield from simplify(mesh, n_faces)
    if len(mesh.faces) < len(fine.faces):
        mesh, counts = yield from run_in_thread(
            lambda: repair(mesh), Progress(1.0, text("repairing"))
        )
        steps["simplified"] = {
            "faces before": len(fine.faces),
            "faces after": len(mesh.faces),
            **counts,
        }
    return mesh


def _refine(mesh: Mesh, source: MeshSource) -> Task[tuple[Mesh | None, Text]]:
    """Refine against the photos, geometry alone; None where that is no better; and the outcome."""
    result = yield from refine(mesh, source.photos_in_source)
    if result is None:
        return None, text("Not refined: there are too few photos")
    if not result.kept:
        return None, text("Not refined: held-out photos would agree less")
    note = text(
        "Refined against the photos: held-out ones agree by {after:.3f}, {before:.3f} before",
        before=result.before,
        after=result.after,
    )
    return result.mesh, note


def _build_lod(
    source: MeshSource,
    sdf: SdfFunction | None,
    options: MeshOptions,
    fine: Mesh,
    first: Mesh,
    geometry: Mesh,
    cell: float,
) -> Task[Mesh]:
    """Give the geometry of a level of detail the attributes and textures of ``first``, level 0."""
    mesh = yield from subtask(with_attributes(geometry, sdf, source.color, cell), 0.0, 0.2)
    if first.texture is None:
        return mesh
    scale = (len(geometry.faces) / len(first.faces)) ** 0.5
    full = first.texture.shape[0]
    size = min(full, max(MIN_TEXTURE_SIZE, 2 ** round(np.log2(full * scale))))
    mesh = yield from subtask(unwrap(mesh, size), 0.2, 0.4)
    mesh = yield from subtask(transfer_texture(first, mesh, size), 0.4, 0.7)
    if options.normal_map:
        mesh = yield from subtask(_bake_normal_map(fine, mesh), 0.7, 1.0)
    return mesh


def _bake_normal_map(fine: Mesh, mesh: Mesh) -> Task[Mesh]:
    """Bake the normals of ``fine`` into a normal map of ``mesh``."""
    assert mesh.texture is not None
    size = min(mesh.texture.shape[0], MAX_NORMAL_MAP_SIZE)
    return (yield from bake_normal_map(fine, mesh, size))
