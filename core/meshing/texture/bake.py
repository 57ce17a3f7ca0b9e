"""Textures baked from the photos.

Two passes read one photo at a time. The first observes the vertices in each photo at moderate size;
then gains level the exposures, and the best few photos of each vertex are selected. The second
takes the colours of the texels from these photos. Where no photo sees the surface, the colours of
the mesh's vertices stay.

Sources: Lempitsky and Ivanov 2007 and Waechter et al. 2014 (view selection; photo-consistency),
Brown and Lowe 2007 (gains); here blend weights vary smoothly over the surface, so that there are no
seams to hide.
"""
# scipy has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

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
from core.meshing.repair.visibility import (
    VertexObservations,
    observe_vertices,
    photo_view,
    with_mask,
)
from core.meshing.texture import blending
from core.meshing.texture.atlas import Texels, rasterize_texels, unwrap
from core.rendering.raster import bilinear

TEXTURE_SIZES = (512, 1024, 2048, 4096, 8192)
"""texels a side"""
ATLAS_FILL_RATIO = 0.7
"""fraction of an atlas that charts cover"""
BASE_WEIGHT = 0.02
"""weight of the vertices' own colours everywhere; they stay where no photo sees"""
TEXELS_PER_CHUNK = 1 << 18
"""processed at once"""
PHOTOS_AT_ONCE = 2
"""processed in parallel"""


@dataclass(frozen=True)
class ViewSelection:
    """The result of the first pass, for N photos and V vertices."""

    blend_weights: csr_array
    """[N, V] how much each photo colours each vertex"""
    gains: np.ndarray
    """[N, 3] factors that level the exposures"""
    base: np.ndarray
    """[V, 3] uint8 colours where no texel is seen"""
    size: int
    """of the texture, texels a side"""


def bake_texture(
    mesh: Mesh, photos: Sequence[Photo], size: int | None, max_size: int
) -> Task[Mesh]:
    """Unwrap ``mesh`` and bake its texture from ``photos``.

    Args:
        mesh: with normals and colours.
        photos: their poses share its frame.
        size: texels a side; None: as many as show what the photos do.
        max_size: of a size that is chosen so.

    Raises:
        UserError: a photo cannot be read.
    """
    selection = yield from subtask(select_views(mesh, photos, size, max_size), 0.0, 0.35)
    flat = yield from subtask(unwrap(mesh, selection.size), 0.35, 0.5)
    image = yield from subtask(_bake(mesh, flat, photos, selection), 0.5, 1.0)
    return replace(flat, texture=image)


def select_views(
    mesh: Mesh, photos: Sequence[Photo], size: int | None, max_size: int
) -> Task[ViewSelection]:
    """Select the photos that colour each vertex; arguments as for `bake_texture`."""
    assert mesh.colors is not None
    observed: list[VertexObservations] = []
    for start in range(0, len(photos), PHOTOS_AT_ONCE):
        chunk = photos[start : start + PHOTOS_AT_ONCE]
        observed += yield from run_in_thread(
            lambda chunk=chunk: parallel_map(lambda photo: observe_vertices(mesh, photo), chunk),
            Progress(
                0.9 * start / len(photos),
                text("selecting photo {i} of {n_photos}", i=start + 1, n_photos=len(photos)),
            ),
        )
    quality = np.stack([f.quality for f in observed])
    density = np.stack([np.where(f.quality > 0, f.density, 0) for f in observed]).max(0)
    colors = np.stack([f.colors for f in observed])
    detail = np.stack([f.detail for f in observed])
    del observed
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
    """Level the exposures and choose blend weights, by observations of N photos at V vertices."""
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
    """Choose the size of a texture that resolves what the photos do.

    Args:
        mesh: the mesh.
        density: [V] pixels per unit of length.
        max_size: the largest answer, texels a side.
    """
    area = np.linalg.norm(mesh.face_normals(), axis=1) / 2
    texels = (area * (density[mesh.faces] ** 2).mean(1)).sum() / ATLAS_FILL_RATIO
    return next((s for s in TEXTURE_SIZES if s**2 * 1.5 >= texels and s <= max_size), max_size)


def _bake(
    mesh: Mesh, flat: Mesh, photos: Sequence[Photo], selection: ViewSelection
) -> Task[np.ndarray]:
    """[S, S, 3] uint8 texture of ``flat``, the unwrapped ``mesh``."""
    size = selection.size
    texels = yield from run_in_thread(
        lambda: rasterize_texels(flat, size), Progress(0.0, text("rasterising the atlas"))
    )
    total = np.zeros((len(texels.where), 4), np.float32)
    used = np.flatnonzero(np.diff(selection.blend_weights.indptr)).tolist()
    for number, index in enumerate(used):
        yield from run_in_thread(
            lambda index=index: _add_photo(mesh, texels, photos[index], index, selection, total),
            Progress(
                number / len(used) * 0.9,
                text("baking photo {i} of {n_photos}", i=number + 1, n_photos=len(used)),
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
    """Add ``photo`` to ``total`` [T, 4]: weighted colours, and weights."""
    weights = np.asarray(selection.blend_weights[[index]].todense(), np.float32).ravel()
    which = texels.of_faces(np.any(weights[mesh.faces] > 1e-3, axis=1))
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

    def part(chunk: np.ndarray) -> None:
        points = texels.interpolate(mesh.faces, mesh.vertices, chunk)
        pixels, z = view.project(points)
        weight = view.trust_at(pixels, z) * texels.interpolate(mesh.faces, weights, chunk)
        good = weight > 0
        color = bilinear(image, pixels[good] * scale) * gain
        total[chunk[good], :3] += color * weight[good, None]
        total[chunk[good], 3] += weight[good]

    parallel_map(part, np.array_split(which, -(-len(which) // TEXELS_PER_CHUNK)))


def _resolve(mesh: Mesh, texels: Texels, selection: ViewSelection, total: np.ndarray) -> np.ndarray:
    """[S, S, 3] uint8 of the weighted sums ``total`` [T, 4], with no empty texel."""
    size = texels.size
    image = np.zeros((size * size, 3), np.uint8)
    everything = np.arange(len(texels.where))
    for chunk in np.array_split(everything, max(1, -(-len(everything) // TEXELS_PER_CHUNK))):
        base = texels.interpolate(mesh.faces, selection.base.astype(np.float32), chunk)
        mean = (total[chunk, :3] + BASE_WEIGHT * base) / (total[chunk, 3:] + BASE_WEIGHT)
        image[texels.where[chunk]] = np.clip(np.round(mean), 0, 255).astype(np.uint8)
    empty = np.ones(size * size, bool)
    empty[texels.where] = False
    return fill_empty_texels(image.reshape(size, size, 3), empty.reshape(size, size))


def fill_empty_texels(image: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Fill the ``empty`` texels [S, S] of ``image`` [S, S, C] with the nearest other ones."""
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)
    return image[rows, columns]
