"""Evidence of the photos for and against a mesh.

Parts that no camera saw and parts that cameras saw through can be removed.
"""
# scipy has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

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
"""the longer side at which the mesh is rasterised"""
MAX_PHOTOS = 64
"""spread over all of them"""
MAX_PROBES = 60_000
"""vertices, spread over all, that are tested; the others take the result of the nearest one"""
PHOTOS_AT_ONCE = 2
"""processed in parallel"""
MIN_CONTRADICTIONS = 3
"""photos that must show background where a point should be"""
MIN_CONTRADICTED_FRACTION = 0.15
"""of the photos with the point in view that must show background"""
MASK_MARGIN_PX = 5
"""by which masks are dilated first"""
UNSEEN_MARGIN = 0.03
"""of the diagonal: parts that no camera saw are removed from this distance to seen ones on"""


@dataclass(frozen=True)
class Evidence:
    """What the photos show at each vertex; arrays [V]."""

    seen: np.ndarray
    """number of photos that see it"""
    in_view: np.ndarray
    """number of photos that have it within the image"""
    background: np.ndarray
    """number of these whose mask shows background there"""

    @property
    def contradicted(self) -> np.ndarray:
        """[V] bool: enough photos show background there."""
        enough = np.maximum(MIN_CONTRADICTIONS, MIN_CONTRADICTED_FRACTION * self.in_view)
        return np.greater_equal(self.background, enough)


def gather_evidence(
    mesh: Mesh, photos: Sequence[Photo], has_masks: bool, proxy: Mesh | None = None
) -> Task[Evidence]:
    """Test which photos see ``mesh``, and which show background instead.

    Args:
        mesh: the mesh.
        photos: their poses share its frame; `MAX_PHOTOS` spread over them are used.
        has_masks: test for background.
        proxy: a coarser extraction of the same surface, tested instead where given.

    Raises:
        UserError: a photo cannot be read.
    """
    photos = photos[:: -(-len(photos) // MAX_PHOTOS)]
    tested = mesh if proxy is None else proxy
    probes = tested.vertices[:: -(-len(tested.vertices) // MAX_PROBES)]
    total = np.zeros((3, len(probes)), np.uint8)
    for start in range(0, len(photos), PHOTOS_AT_ONCE):
        batch = photos[start : start + PHOTOS_AT_ONCE]
        observed = yield from run_in_thread(
            lambda batch=batch: parallel_map(
                lambda photo: _observe_probes(tested, probes, photo, has_masks), batch
            ),
            Progress(start / len(photos), text("testing visibility in the photos")),
        )
        for counts in observed:
            total += counts
    tree = KDTree(probes)
    nearest = yield from run_in_thread(
        lambda: map_chunks(lambda rows: np.asarray(tree.query(rows)[1], np.int32), mesh.vertices),
        Progress(1.0, text("testing visibility in the photos")),
    )
    return Evidence(*(counts[nearest] for counts in total))


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
    """Remove faces that cameras saw through."""
    contradicted = evidence.contradicted
    gone: np.ndarray = map_chunks(lambda faces: np.all(contradicted[faces], axis=1), mesh.faces)
    return *_remove(mesh, evidence, gone), {"faces that cameras saw through": int(gone.sum())}


def remove_unseen(mesh: Mesh, evidence: Evidence) -> tuple[Mesh, Evidence, Counts]:
    """Remove faces that no camera saw, except within a margin of what was seen.

    The margin keeps folds and cracks closed.
    """
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
    """Remove the faces ``gone`` [F] from the mesh and its evidence."""
    used = np.zeros(len(mesh.vertices), bool)
    used[map_chunks(lambda faces, out: faces[~out], mesh.faces, gone)] = True
    rest = Evidence(evidence.seen[used], evidence.in_view[used], evidence.background[used])
    return remove_faces(mesh, gone), rest
