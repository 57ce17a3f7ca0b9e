"""From a field and photos to a mesh that people can use: cut, cleaned by what the photos say,
closed, simplified, textured, in levels of detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.base.errors import UserError
from core.base.jobs import Progress, Task, in_background, within
from core.base.text import Text, text
from core.capture.scene import Photo
from core.config.run import TEXTURED_FACES, MeshOptions
from core.geometry.rigid import invert, similarity_scale, transform_pose
from core.geometry.scene_ball import Ball
from core.meshing.build import Color, clip_to_box, with_attributes
from core.meshing.mesh import Mesh
from core.meshing.refine import refine
from core.meshing.repair import photo_evidence
from core.meshing.repair.clean import (
    Counts,
    edge_counts,
    is_balanced,
    is_closed,
    parts,
    repaired,
    without_small_parts,
)
from core.meshing.repair.holes import closed_holes
from core.meshing.repair.out_of_core import holes_stay_open, stand_in
from core.meshing.simplify import simplify, simplify_within
from core.meshing.surface.extract import Sdf, extract
from core.meshing.texture.atlas import unwrap
from core.meshing.texture.bake import bake_texture
from core.meshing.texture.transfer import with_normal_map_of, with_texture_of

LARGEST_TEXTURE = 4096
LARGEST_NORMAL_MAP = 2048
SMALLEST_TEXTURE = 256
UNPICTURED = text("No texture and no refinement: they are made of photos, and there are none.")
LOD_FACTOR = 4


@dataclass(frozen=True)
class MeshSource:
    """What is meshed: ``sdf`` and ``color`` within ``aabb`` [2, 3] and ``ball``, which share a
    frame; ``out_from_here`` [4, 4], the similarity to the frame of the result; ``photos``, with
    poses in the frame of the result, and whether there are pictures of them."""

    sdf: Sdf
    color: Color
    aabb: np.ndarray
    ball: Ball | None
    out_from_here: np.ndarray
    photos: Sequence[Photo]
    has_masks: bool
    pictured: bool = True

    @property
    def photos_here(self) -> tuple[Photo, ...]:
        """The photos, with poses in the subject's own frame."""
        here = invert(self.out_from_here)
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
    closed: bool
    notes: tuple[Text, ...] = ()


def finish_mesh(subject: MeshSource, options: MeshOptions) -> Task[FinishedMesh]:
    """All that ``options`` ask for. Without a surface, one empty mesh. Raises UserError where a
    photo cannot be read, a mesh that must be watertight cannot be closed, or one is too large for
    what it shall be."""
    steps: dict[str, Counts] = {}
    notes: tuple[Text, ...] = ()
    if not subject.pictured and (options.texture or options.refine):
        options, notes = replace(options, texture=False, refine=False), (UNPICTURED,)
    cell = float(np.ptp(subject.aabb, axis=0).max()) / options.resolution
    at = _around_refining if options.refine else float
    rough = yield from within(
        stand_in(subject.sdf, subject.aabb, subject.ball, options), 0.0, at(0.02)
    )
    if rough is not None:
        return (yield from within(_finish_large(subject, options, rough, cell), 0.02, 1.0))
    fine = yield from within(_cut(subject, options, cell), at(0.02), at(0.35))
    fine = yield from within(_cleaned(fine, subject, options, steps), at(0.35), at(0.45))
    if not len(fine.faces):
        return FinishedMesh([fine], steps, False)
    scale = similarity_scale(subject.out_from_here)
    bare = yield from within(_simplified(fine, options, scale, steps), at(0.45), at(0.5))
    closed = is_closed(bare.faces)
    mesh = yield from within(
        with_attributes(bare, subject.sdf, subject.color, cell), at(0.5), at(0.55)
    )
    if options.refine:
        bare, notes = yield from within(_refined(mesh, subject), at(0.55), at(0.56))
        task = with_attributes(bare, subject.sdf, subject.color, cell)
        mesh = yield from within(task, at(0.56), at(0.56))
    if options.texture:
        task = bake_texture(mesh, subject.photos_here, options.texture_size, LARGEST_TEXTURE)
        mesh = yield from within(task, at(0.56), at(0.82))
    if options.texture and options.normal_map:
        fine = yield from within(with_attributes(fine, subject.sdf, None, cell), at(0.82), at(0.84))
        mesh = yield from within(_with_relief(fine, mesh), at(0.84), at(0.88))
    lods = [mesh]
    for level in range(1, options.lods):
        start, end = (at(0.88 + 0.12 * of / options.lods) for of in (level - 1, level))
        wanted = max(4, len(mesh.faces) // LOD_FACTOR**level)
        bare = yield from within(simplify(bare, wanted), start, start)
        bare, _ = yield from in_background(
            lambda bare=bare: repaired(bare), Progress(start, text("repairing"))
        )
        task = _coarser(subject, options, fine, mesh, bare, cell)
        lods.append((yield from within(task, start, end)))
    return FinishedMesh(
        [lod.transformed(subject.out_from_here) for lod in lods], steps, closed, notes
    )


def _around_refining(share: float) -> float:
    """Where a ``share`` of the way without refining lies on the way with it, which takes more than
    the rest together, after 0.55."""
    return share * 0.3 / 0.55 if share <= 0.55 else 1 - (1 - share) * 0.2 / 0.44


def _cut(subject: MeshSource, options: MeshOptions, cell: float) -> Task[Mesh]:
    sdf, ball = subject.sdf, subject.ball
    if options.watertight:
        sdf, ball = clip_to_box(sdf, subject.aabb, ball, cell), None
    return (yield from extract(sdf, subject.aabb, options.resolution, ball=ball))


def _finish_large(
    subject: MeshSource, options: MeshOptions, rough: Mesh, cell: float
) -> Task[FinishedMesh]:
    """What goes piece by piece: ``rough`` stands in for the mesh before the photos."""
    steps: dict[str, Counts] = {}
    mesh = yield from within(_cut(subject, options, cell), 0.0, 0.6)
    mesh = yield from within(_without_doubtful(mesh, subject, options, steps, rough), 0.6, 0.7)
    closed = yield from in_background(
        lambda: is_balanced(mesh.faces), Progress(0.7, text("checking"))
    )
    if options.watertight and not closed:
        _require_closed(mesh)
    mesh = yield from within(with_attributes(mesh, subject.sdf, subject.color, cell), 0.7, 1.0)
    mesh = yield from in_background(
        lambda: mesh.transformed(subject.out_from_here), Progress(1.0, text("mesh ready"))
    )
    notes = () if closed else (holes_stay_open(len(mesh.faces)),)
    return FinishedMesh([mesh], steps, closed, notes)


def _without_doubtful(
    mesh: Mesh,
    subject: MeshSource,
    options: MeshOptions,
    steps: dict[str, Counts],
    rough: Mesh | None,
) -> Task[Mesh]:
    """Without what the photos say is not there, and without small parts. ``rough``: a cut of the
    same surface that they are asked of instead."""

    def speck_free(worth: np.ndarray | None = None) -> tuple[Mesh, Counts]:
        worth = np.ones(len(mesh.vertices), np.float32) if worth is None else worth
        return without_small_parts(mesh, options.min_component, worth)

    several = bool(len(mesh.faces)) and parts(mesh).max() > 0
    masks = subject.has_masks and options.seen_through
    if len(mesh.faces) and (
        options.unseen == "cut" or masks or (several and options.unseen == "parts")
    ):
        evidence = yield from within(
            photo_evidence.gather_evidence(mesh, subject.photos_here, masks, rough), 0.0, 0.8
        )
        if masks:
            mesh, evidence, counts = photo_evidence.without_contradicted(mesh, evidence)
            steps["seen through"] = counts
        if options.unseen == "cut" and not options.watertight:
            mesh, evidence, counts = photo_evidence.without_unseen(mesh, evidence)
            steps["unseen"] = counts
        worth = evidence.seen.clip(0, 1).astype(np.float32) if options.unseen != "keep" else None
        mesh, counts = yield from in_background(
            lambda: speck_free(worth), Progress(0.8, text("removing small parts"))
        )
    else:
        mesh, counts = yield from in_background(
            speck_free, Progress(0.8, text("removing small parts"))
        )
    steps["small parts"] = counts
    return mesh


def _cleaned(
    mesh: Mesh, subject: MeshSource, options: MeshOptions, steps: dict[str, Counts]
) -> Task[Mesh]:
    """Each step can be switched off, and tells in ``steps`` what it did."""
    mesh = yield from within(_without_doubtful(mesh, subject, options, steps, None), 0.0, 0.85)
    mesh, counts = yield from in_background(
        lambda: repaired(mesh), Progress(0.9, text("repairing"))
    )
    steps["repair"] = counts
    limit = np.inf if options.watertight else options.close_holes
    if limit > 0 and len(mesh.faces):
        size = limit * float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
        mesh, counts = yield from in_background(
            lambda: closed_holes(mesh, size), Progress(0.95, text("closing holes"))
        )
        steps["holes"] = counts
    if options.watertight and len(mesh.faces):
        _require_closed(mesh)
    return mesh


def _require_closed(mesh: Mesh) -> None:
    if not is_closed(mesh.faces):
        odd = int((edge_counts(mesh.faces) != 2).sum())
        raise UserError(
            text("The mesh cannot be made watertight: {odd} edges stay open", odd=odd),
            text("Keep what cameras saw through (--keep-seen-through), or enlarge the region"),
        )


def _simplified(
    fine: Mesh, options: MeshOptions, scale: float, steps: dict[str, Counts]
) -> Task[Mesh]:
    mesh = Mesh(fine.vertices, fine.faces)
    if options.max_error is not None:
        mesh = yield from simplify_within(mesh, options.max_error / scale)
    wanted = options.faces or (TEXTURED_FACES if options.texture else None)
    if wanted is not None:
        mesh = yield from simplify(mesh, wanted)
    if len(mesh.faces) < len(fine.faces):
        mesh, counts = yield from in_background(
            lambda: repaired(mesh), Progress(1.0, text("repairing"))
        )
        steps["simplified"] = {
            "faces before": len(fine.faces),
            "faces after": len(mesh.faces),
            **counts,
        }
    return mesh


def _refined(mesh: Mesh, subject: MeshSource) -> Task[tuple[Mesh, tuple[Text, ...]]]:
    """Geometry alone, and what came of it in words."""
    found = yield from refine(mesh, subject.photos_here, subject.has_masks)
    if found is None:
        return Mesh(mesh.vertices, mesh.faces), (text("Not refined: the photos are too few"),)
    outcome = (
        text("Refined against the photos: PSNR on photos held back {before:.2f} → {after:.2f} dB")
        if found.kept
        else text("Not refined, PSNR on photos held back would go {before:.2f} → {after:.2f} dB")
    )
    note = outcome.filled(before=found.before, after=found.after)
    return Mesh(found.mesh.vertices, mesh.faces), (note,)


def _coarser(
    subject: MeshSource, options: MeshOptions, fine: Mesh, first: Mesh, bare: Mesh, cell: float
) -> Task[Mesh]:
    """A level of detail of ``first``, level 0, whose geometry is ``bare``."""
    mesh = yield from within(with_attributes(bare, subject.sdf, subject.color, cell), 0.0, 0.2)
    if first.texture is None:
        return mesh
    shrunk = (len(bare.faces) / len(first.faces)) ** 0.5
    full = first.texture.shape[0]
    size = min(full, max(SMALLEST_TEXTURE, 2 ** round(np.log2(full * shrunk))))
    mesh = yield from within(unwrap(mesh, size), 0.2, 0.4)
    mesh = yield from within(with_texture_of(first, mesh, size), 0.4, 0.7)
    if options.normal_map:
        mesh = yield from within(_with_relief(fine, mesh), 0.7, 1.0)
    return mesh


def _with_relief(fine: Mesh, mesh: Mesh) -> Task[Mesh]:
    assert mesh.texture is not None
    size = min(mesh.texture.shape[0], LARGEST_NORMAL_MAP)
    return (yield from with_normal_map_of(fine, mesh, size))
