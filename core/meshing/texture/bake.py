"""A texture baked from the photos.

Two passes over the photos, one photo at a time: the first asks which of them sees each vertex, how
well and in which colour, at moderate size; then gains level their exposures, and the best few of
each vertex are selection. The second takes the colours of the texels between from these photos
alone.
Where none sees, the colours that the mesh's vertices came with stay.

Sources: Lempitsky and Ivanov 2007 and Waechter et al. 2014 (choosing views; photo-consistency),
Brown and Lowe 2007 (gains); here blend_weights vary smoothly over the surface, so that there are
no seams
to hide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.sparse import csr_array

from core.base.jobs import Progress, Task, run_in_thread, subtask
from core.base.parallel import parallel_map
from core.base.text import text
from core.capture.photos import read_rgba
from core.capture.scene import Photo
from core.meshing.mesh import Mesh
from core.meshing.repair.visibility import observe_vertices, photo_view, with_mask
from core.meshing.texture import blending
from core.meshing.texture.atlas import Texels, rasterize_texels, unwrap
from core.rendering.raster import bilinear

TEXTURE_SIZES = (512, 1024, 2048, 4096, 8192)
ATLAS_FILL_RATIO = 0.7
"""share of an atlas that charts cover"""
BASE_WEIGHT = 0.02
"""share that the vertices' own colours have everywhere: all of it where no photo sees"""
TEXELS_PER_CHUNK = 1 << 18
"""texels at once"""
PHOTOS_AT_ONCE = 2


@dataclass(frozen=True)
class ViewSelection:
    """What the first pass found: ``blend_weights`` [N, V], ``gains`` [N, 3], ``base`` [V, 3]
    uint8 colours
    for where no texel is seen, ``size`` of the texture."""

    blend_weights: csr_array
    gains: np.ndarray
    base: np.ndarray
    size: int


def bake_texture(
    mesh: Mesh, photos: Sequence[Photo], size: int | None, max_size: int
) -> Task[Mesh]:
    """``mesh``, which has normals and colours, with an atlas baked from ``photos``, whose poses
    share its frame. ``size``: texels a side; None: as many as show what the photos do,
    ``max_size`` at
    max_size. Raises UserError where a photo cannot be read."""
    selection = yield from subtask(select_views(mesh, photos, size, max_size), 0.0, 0.35)
    flat = yield from subtask(unwrap(mesh, selection.size), 0.35, 0.5)
    picture = yield from subtask(_bake(mesh, flat, photos, selection), 0.5, 1.0)
    return replace(flat, texture=picture)


def select_views(
    mesh: Mesh, photos: Sequence[Photo], size: int | None, max_size: int
) -> Task[ViewSelection]:
    """The first pass over ``photos``."""
    assert mesh.colors is not None
    found = []
    for start in range(0, len(photos), PHOTOS_AT_ONCE):
        some = photos[start : start + PHOTOS_AT_ONCE]
        found += yield from run_in_thread(
            lambda some=some: parallel_map(lambda photo: observe_vertices(mesh, photo), some),
            Progress(
                0.9 * start / len(photos),
                text(
                    "looking at photo {start} of {n_photos}", start=start + 1, n_photos=len(photos)
                ),
            ),
        )
    quality = np.stack([f.quality for f in found])
    density = np.stack([np.where(f.quality > 0, f.density, 0) for f in found]).max(0)
    colors = np.stack([f.colors for f in found])
    detail = np.stack([f.detail for f in found])
    del found
    return (
        yield from run_in_thread(
            lambda: _select_views(mesh, quality, density, colors, detail, size, max_size),
            Progress(0.9, text("levelling exposures")),
        )
    )


def _select_views(
    mesh: Mesh,
    quality: np.ndarray,
    density: np.ndarray,
    colors: np.ndarray,
    detail: np.ndarray,
    size: int | None,
    max_size: int,
) -> ViewSelection:
    assert mesh.colors is not None
    quality = quality * blending.sharpness(quality, detail)[:, None].astype(np.float32) ** 2
    gains = blending.level_exposure(quality, colors)
    common = blending.common_color(quality, colors, gains)
    quality *= blending.agreement(colors, gains, common)
    seen: np.ndarray = np.all(np.isfinite(common), axis=1)
    base = np.where(seen[:, None], common, mesh.colors)
    return ViewSelection(
        blending.blend_weights(quality, mesh.faces),
        gains,
        np.clip(np.round(base), 0, 255).astype(np.uint8),
        size or texture_size_for(mesh, density, max_size),
    )


def texture_size_for(mesh: Mesh, density: np.ndarray, max_size: int) -> int:
    """Texels a side whose atlas is as fine as the photos: ``density`` [V] pixels per unit."""
    area = np.linalg.norm(mesh.face_normals(), axis=1) / 2
    texels = (area * (density[mesh.faces] ** 2).mean(1)).sum() / ATLAS_FILL_RATIO
    return next((s for s in TEXTURE_SIZES if s**2 * 1.5 >= texels and s <= max_size), max_size)


def _bake(
    mesh: Mesh, flat: Mesh, photos: Sequence[Photo], selection: ViewSelection
) -> Task[np.ndarray]:
    size = selection.size
    texels = yield from run_in_thread(
        lambda: rasterize_texels(flat, size), Progress(0.0, text("laying out"))
    )
    total = np.zeros((len(texels.where), 4), np.float32)
    used = np.flatnonzero(np.diff(selection.blend_weights.indptr)).tolist()
    for number, index in enumerate(used):
        yield from run_in_thread(
            lambda index=index: _add_photo(mesh, texels, photos[index], index, selection, total),
            Progress(
                number / len(used) * 0.9,
                text("baking photo {number} of {n_used}", number=number + 1, n_used=len(used)),
            ),
        )
    return (
        yield from run_in_thread(
            lambda: _resolve(mesh, texels, selection, total), Progress(0.9, text("filling seams"))
        )
    )


def _add_photo(
    mesh: Mesh,
    texels: Texels,
    photo: Photo,
    index: int,
    selection: ViewSelection,
    total: np.ndarray,
) -> None:
    """Add what ``photo`` shows to ``total`` [T, 4], colours by weight, and weight."""
    share = np.asarray(selection.blend_weights[[index]].todense(), np.float32).ravel()
    which = texels.of_faces(np.any(share[mesh.faces] > 1e-3, axis=1))
    if not len(which):
        return
    view = photo_view(mesh, photo)
    lens = photo.intrinsics
    rgba = read_rgba(photo, lens)
    if (rgba[..., 3] < 255).any():
        view = with_mask(view, read_rgba(photo, view.lens)[..., 3])
    scale = np.array([lens.width / view.lens.width, lens.height / view.lens.height])
    image = np.ascontiguousarray(rgba[..., :3])
    gain = selection.gains[index].astype(np.float32)

    def part(some: np.ndarray) -> None:
        points = texels.interpolate(mesh.faces, mesh.vertices, some)
        pixels, z = view.project(points)
        weight = view.trust_at(pixels, z) * texels.interpolate(mesh.faces, share, some)
        good = weight > 0
        color = bilinear(image, pixels[good] * scale) * gain
        total[some[good], :3] += color * weight[good, None]
        total[some[good], 3] += weight[good]

    parallel_map(part, np.array_split(which, -(-len(which) // TEXELS_PER_CHUNK)))


def _resolve(mesh: Mesh, texels: Texels, selection: ViewSelection, total: np.ndarray) -> np.ndarray:
    """[S, S, 3] uint8: means, the base where nothing was added, and no empty texel."""
    size = texels.size
    picture = np.zeros((size * size, 3), np.uint8)
    everything = np.arange(len(texels.where))
    for some in np.array_split(everything, max(1, -(-len(everything) // TEXELS_PER_CHUNK))):
        base = texels.interpolate(mesh.faces, selection.base.astype(np.float32), some)
        mean = (total[some, :3] + BASE_WEIGHT * base) / (total[some, 3:] + BASE_WEIGHT)
        picture[texels.where[some]] = np.clip(np.round(mean), 0, 255).astype(np.uint8)
    empty = np.ones(size * size, bool)
    empty[texels.where] = False
    return fill_empty_texels(picture.reshape(size, size, 3), empty.reshape(size, size))


def fill_empty_texels(picture: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """``picture`` [S, S, C] whose ``empty`` texels are those nearest to them that are not."""
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)
    return picture[rows, columns]
