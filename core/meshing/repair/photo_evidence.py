"""What the photos say for and against a mesh: what no camera saw, and what cameras saw through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from core.base.jobs import Progress, Task, run_in_thread
from core.base.parallel import parallel_map
from core.base.text import text
from core.capture.photos import read_rgba
from core.capture.scene import Photo
from core.geometry.cameras import project
from core.meshing.mesh import Mesh
from core.meshing.repair.clean import Counts, remove_faces
from core.meshing.repair.visibility import DEPTH_TOLERANCE
from core.meshing.spill_array import map_chunks
from core.rendering.raster import rasterize

RASTER_SIDE_PX = 512
"""pixels of the longer side at which the mesh is looked at"""
MAX_PHOTOS = 64
MAX_PROBES = 60_000
"""vertices, spread over all, that are asked about; the others take what the nearest one got"""
PHOTOS_AT_ONCE = 2
MIN_CONTRADICTIONS, MIN_CONTRADICTED_FRACTION = 3, 0.15
"""So many photos, and such a share of those that have a point in view, must show background where
it should be."""
MASK_MARGIN_PX = 5
"""pixels by which masks are widened first"""
UNSEEN_MARGIN = 0.03
"""of the diagonal: so far from anything seen, what no camera saw may be cut off"""


@dataclass(frozen=True)
class Evidence:
    """Of each vertex [V]: by how many photos it is ``seen``, how many have it ``in_view``, and how
    many of these show background there."""

    seen: np.ndarray
    in_view: np.ndarray
    background: np.ndarray

    @property
    def contradicted(self) -> np.ndarray:
        enough = np.maximum(MIN_CONTRADICTIONS, MIN_CONTRADICTED_FRACTION * self.in_view)
        return np.greater_equal(self.background, enough)


def gather_evidence(
    mesh: Mesh, photos: Sequence[Photo], has_masks: bool, proxy: Mesh | None = None
) -> Task[Evidence]:
    """Ask ``photos``, whose poses share the frame of ``mesh``, at most `MAX_PHOTOS` spread over
    all of them; of ``proxy``, a coarser cut of the same surface, where there is one. Raises
    UserError where a photo cannot be read."""
    photos = photos[:: -(-len(photos) // MAX_PHOTOS)]
    shown = mesh if proxy is None else proxy
    probes = shown.vertices[:: -(-len(shown.vertices) // MAX_PROBES)]
    total = np.zeros((3, len(probes)), np.uint8)
    for start in range(0, len(photos), PHOTOS_AT_ONCE):
        some = photos[start : start + PHOTOS_AT_ONCE]
        found = yield from run_in_thread(
            lambda some=some: parallel_map(
                lambda photo: _observe_probes(shown, probes, photo, has_masks), some
            ),
            Progress(start / len(photos), text("asking the photos what they see")),
        )
        for one in found:
            total += one
    tree = KDTree(probes)
    nearest = yield from run_in_thread(
        lambda: map_chunks(lambda some: np.asarray(tree.query(some)[1], np.int32), mesh.vertices),
        Progress(1.0, text("asking the photos")),
    )
    return Evidence(*(said[nearest] for said in total))


def _observe_probes(mesh: Mesh, probes: np.ndarray, photo: Photo, has_masks: bool) -> np.ndarray:
    """[3, P] bool of the ``probes``: seen, in view, and background there."""
    lens, pose = photo.intrinsics.shrunk(RASTER_SIDE_PX), photo.world_from_camera
    depth = rasterize(mesh.vertices, mesh.faces, lens, pose).depth
    # a pixel shows points that lie behind its centre where the surface is steep
    depth = ndimage.maximum_filter(np.where(np.isfinite(depth), depth, 0), 3)
    local = (probes - pose[:3, 3]) @ pose[:3, :3]
    pixels = project(lens, local)
    size = lens.width, lens.height
    in_view: np.ndarray = np.all((pixels >= 0) & (pixels < size), axis=1)
    column, row = np.where(in_view[:, None], pixels, 0).astype(int).T
    tolerance = DEPTH_TOLERANCE * np.linalg.norm(np.ptp(mesh.vertices, axis=0))
    seen = in_view & (local[:, 2] < depth[row, column] + tolerance)
    background = np.zeros_like(in_view)
    if has_masks:
        alpha = ndimage.maximum_filter(read_rgba(photo, lens)[..., 3], 2 * MASK_MARGIN_PX + 1)
        background = in_view & (alpha[row, column] < 25)
    return np.stack([seen, in_view, background])


def remove_contradicted(mesh: Mesh, evidence: Evidence) -> tuple[Mesh, Evidence, Counts]:
    """Without faces that cameras saw through."""
    said = evidence.contradicted
    gone: np.ndarray = map_chunks(lambda some: np.all(said[some], axis=1), mesh.faces)
    return *_remove(mesh, evidence, gone), {"faces that cameras saw through": int(gone.sum())}


def remove_unseen(mesh: Mesh, evidence: Evidence) -> tuple[Mesh, Evidence, Counts]:
    """Without faces that no camera saw, but for a margin around what was seen, which closes folds
    and cracks."""
    seen = evidence.seen > 0
    if not seen.any():
        return mesh, evidence, {}
    limit = UNSEEN_MARGIN * float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
    far = np.zeros(len(seen), bool)
    unseen = np.flatnonzero(~seen)
    far[unseen] = (
        KDTree(mesh.vertices[seen]).query(mesh.vertices[unseen], distance_upper_bound=limit)[0]
        > limit
    )
    gone: np.ndarray = np.all(far[mesh.faces], axis=1)
    return *_remove(mesh, evidence, gone), {"faces that no camera saw": int(gone.sum())}


def _remove(mesh: Mesh, evidence: Evidence, gone: np.ndarray) -> tuple[Mesh, Evidence]:
    used = np.zeros(len(mesh.vertices), bool)
    used[map_chunks(lambda some, out: some[~out], mesh.faces, gone)] = True
    rest = Evidence(evidence.seen[used], evidence.in_view[used], evidence.background[used])
    return remove_faces(mesh, gone), rest
