"""From a field and photos to a mesh that people can use: cut, cleaned by what the photos say,
closed, simplified, textured, in levels of detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Task, run_in_thread, subtask
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
MAX_NORMAL_MAP_SIZE = 2048
MIN_TEXTURE_SIZE = 256
NO_IMAGES_NOTE = text("No texture and no refinement: they are made of photos, and there are none.")
LOD_FACTOR = 4


@dataclass(frozen=True)
class MeshSource:
    """What is meshed: ``sdf`` and ``color`` within ``aabb`` [2, 3] and ``ball``, which share a
    frame; ``export_from_source`` [4, 4], the similarity to the frame of the result; ``photos``,
    with
    poses in the frame of the result, and whether there are pictures of them."""

    sdf: SdfFunction
    color: ColorFunction
    aabb: np.ndarray
    ball: Ball | None
    export_from_source: np.ndarray
    photos: Sequence[Photo]
    has_masks: bool
    has_images: bool = True

    @property
    def photos_in_source(self) -> tuple[Photo, ...]:
        """The photos, with poses in the source's own frame."""
        here = invert(self.export_from_source)
        return tuple(
            replace(p, world_from_camera=transform_pose(here, p.world_from_camera))
            for p in self.photos
        )


@dataclass(frozen=True)
class FinishedMesh:
    """``lods``, the finest first, and what was done to them, by step: counts of faces unless a name
    says otherwise. ``closed``: the finest is watertight. ``notes``: what people should know of
    it."""

    lods: list[Mesh]
    steps: dict[str, Counts]
    watertight: bool
    notes: tuple[Text, ...] = ()


def finish_mesh(source: MeshSource, options: MeshOptions) -> Task[FinishedMesh]:
    """All that ``options`` ask for. Without a surface, one empty mesh. Raises UserError where a
    photo cannot be read, a mesh that must be watertight cannot be closed, or one is too large for
    what it shall be."""
    steps: dict[str, Counts] = {}
    notes: tuple[Text, ...] = ()
    if not source.has_images and (options.texture or options.refine):
        options, notes = replace(options, texture=False, refine=False), (NO_IMAGES_NOTE,)
    cell = float(np.ptp(source.aabb, axis=0).max()) / options.resolution
    at = _around_refining if options.refine else float
    proxy = yield from subtask(
        proxy_if_too_large(source.sdf, source.aabb, source.ball, options), 0.0, at(0.02)
    )
    if proxy is not None:
        return (yield from subtask(_finish_out_of_core(source, options, proxy, cell), 0.02, 1.0))
    fine = yield from subtask(_extract(source, options, cell), at(0.02), at(0.35))
    fine = yield from subtask(_clean(fine, source, options, steps), at(0.35), at(0.45))
    if not len(fine.faces):
        return FinishedMesh([fine], steps, False)
    sdf: SdfFunction | None = source.sdf
    if options.refine:
        refined, note = yield from subtask(_refine(fine, source), at(0.45), at(0.46))
        notes = (*notes, note)
        if refined is not None:  # it no longer follows the field
            fine, sdf = refined, None
    scale = similarity_scale(source.export_from_source)
    bare = yield from subtask(_simplify(fine, options, scale, steps), at(0.46), at(0.5))
    closed = is_watertight(bare.faces)
    mesh = yield from subtask(with_attributes(bare, sdf, source.color, cell), at(0.5), at(0.56))
    if options.texture:
        task = bake_texture(mesh, source.photos_in_source, options.texture_size, MAX_TEXTURE_SIZE)
        mesh = yield from subtask(task, at(0.56), at(0.82))
    if options.texture and options.normal_map:
        fine = yield from subtask(with_attributes(fine, sdf, None, cell), at(0.82), at(0.84))
        mesh = yield from subtask(_bake_normal_map(fine, mesh), at(0.84), at(0.88))
    lods = [mesh]
    for level in range(1, options.lods):
        start, end = (at(0.88 + 0.12 * of / options.lods) for of in (level - 1, level))
        wanted = max(4, len(mesh.faces) // LOD_FACTOR**level)
        bare = yield from subtask(simplify(bare, wanted), start, start)
        bare, _ = yield from run_in_thread(
            lambda bare=bare: repair(bare), Progress(start, text("repairing"))
        )
        task = _build_lod(source, sdf, options, fine, mesh, bare, cell)
        lods.append((yield from subtask(task, start, end)))
    return FinishedMesh(
        [lod.transformed(source.export_from_source) for lod in lods], steps, closed, notes
    )


def _around_refining(share: float) -> float:
    """Where a ``share`` of the way without refining lies on the way with it, which takes half of
    the time, after 0.45."""
    return share * 0.25 / 0.45 if share <= 0.45 else 1 - (1 - share) * 0.25 / 0.54


def _extract(source: MeshSource, options: MeshOptions, cell: float) -> Task[Mesh]:
    sdf, ball = source.sdf, source.ball
    if options.watertight:
        sdf, ball = clip_to_box(sdf, source.aabb, ball, cell), None
    return (yield from extract(sdf, source.aabb, options.resolution, ball=ball))


def _finish_out_of_core(
    source: MeshSource, options: MeshOptions, proxy: Mesh, cell: float
) -> Task[FinishedMesh]:
    """What goes piece by piece: ``proxy`` stands in for the mesh before the photos."""
    steps: dict[str, Counts] = {}
    mesh = yield from subtask(_extract(source, options, cell), 0.0, 0.6)
    mesh = yield from subtask(_remove_by_evidence(mesh, source, options, steps, proxy), 0.6, 0.7)
    closed = yield from run_in_thread(
        lambda: is_balanced(mesh.faces), Progress(0.7, text("checking"))
    )
    if options.watertight and not closed:
        _require_closed(mesh)
    mesh = yield from subtask(with_attributes(mesh, source.sdf, source.color, cell), 0.7, 1.0)
    mesh = yield from run_in_thread(
        lambda: mesh.transformed(source.export_from_source), Progress(1.0, text("mesh ready"))
    )
    notes = () if closed else (out_of_core_notice(len(mesh.faces)),)
    return FinishedMesh([mesh], steps, closed, notes)


def _remove_by_evidence(
    mesh: Mesh,
    source: MeshSource,
    options: MeshOptions,
    steps: dict[str, Counts],
    proxy: Mesh | None,
) -> Task[Mesh]:
    """Without what the photos say is not there, and without small parts. ``proxy``: a cut of the
    same surface that they are asked of instead."""

    def speck_free(worth: np.ndarray | None = None) -> tuple[Mesh, Counts]:
        worth = np.ones(len(mesh.vertices), np.float32) if worth is None else worth
        return remove_small_parts(mesh, options.min_component, worth)

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
        worth = evidence.seen.clip(0, 1).astype(np.float32) if options.unseen != "keep" else None
        mesh, counts = yield from run_in_thread(
            lambda: speck_free(worth), Progress(0.8, text("removing small parts"))
        )
    else:
        mesh, counts = yield from run_in_thread(
            speck_free, Progress(0.8, text("removing small parts"))
        )
    steps["small parts"] = counts
    return mesh


def _clean(
    mesh: Mesh, source: MeshSource, options: MeshOptions, steps: dict[str, Counts]
) -> Task[Mesh]:
    """Each step can be switched off, and tells in ``steps`` what it did."""
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
        _require_closed(mesh)
    return mesh


def _require_closed(mesh: Mesh) -> None:
    if not is_watertight(mesh.faces):
        odd = int((edge_counts(mesh.faces) != 2).sum())
        raise UserError(
            text("The mesh cannot be made watertight: {odd} edges stay open", odd=odd),
            text("Keep what cameras saw through (--keep-seen-through), or enlarge the region"),
        )


def _simplify(
    fine: Mesh, options: MeshOptions, scale: float, steps: dict[str, Counts]
) -> Task[Mesh]:
    mesh = Mesh(fine.vertices, fine.faces)
    if options.max_error is not None:
        mesh = yield from simplify_to_error(mesh, options.max_error / scale)
    wanted = options.faces or (TEXTURED_FACES if options.texture else None)
    if wanted is not None:
        mesh = yield from simplify(mesh, wanted)
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
    """The refined mesh, geometry alone; None where it is no better; and what came of it."""
    found = yield from refine(mesh, source.photos_in_source)
    if found is None:
        return None, text("Not refined: the photos are too few")
    if not found.kept:
        return None, text("Not refined: photos that were held back would agree less")
    note = text(
        "Refined against the photos: those held back agree by {after:.3f}, {before:.3f} before",
        before=found.before,
        after=found.after,
    )
    return found.mesh, note


def _build_lod(
    source: MeshSource,
    sdf: SdfFunction | None,
    options: MeshOptions,
    fine: Mesh,
    first: Mesh,
    bare: Mesh,
    cell: float,
) -> Task[Mesh]:
    """A level of detail of ``first``, level 0, whose geometry is ``bare``."""
    mesh = yield from subtask(with_attributes(bare, sdf, source.color, cell), 0.0, 0.2)
    if first.texture is None:
        return mesh
    shrunk = (len(bare.faces) / len(first.faces)) ** 0.5
    full = first.texture.shape[0]
    size = min(full, max(MIN_TEXTURE_SIZE, 2 ** round(np.log2(full * shrunk))))
    mesh = yield from subtask(unwrap(mesh, size), 0.2, 0.4)
    mesh = yield from subtask(transfer_texture(first, mesh, size), 0.4, 0.7)
    if options.normal_map:
        mesh = yield from subtask(_bake_normal_map(fine, mesh), 0.7, 1.0)
    return mesh


def _bake_normal_map(fine: Mesh, mesh: Mesh) -> Task[Mesh]:
    assert mesh.texture is not None
    size = min(mesh.texture.shape[0], MAX_NORMAL_MAP_SIZE)
    return (yield from bake_normal_map(fine, mesh, size))
