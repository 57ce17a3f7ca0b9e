"""A picture of a triangle mesh whose silhouettes are soft, so that it has gradients in vertices and
colours.

Where the surface is whole, the hard rasteriser says which face a pixel shows; colour moves with the
face's corners. Near a silhouette, at the distance d in the picture (pixels), the surface before it
covers sigmoid(±d²/σ) of a pixel, + where the hard one draws it, and what lies behind shows through.

Source: Liu, Li, Chen and Li 2019, "Soft rasterizer", for the sigmoid of the squared distance and
its σ. There it is taken to every face and the faces are multiplied up, so that surfaces become
translucent along the edges between faces; here to the silhouettes alone, as Laine et al. 2020 do
("Modular primitives for high-performance differentiable rendering").
"""

from __future__ import annotations

from dataclasses import dataclass

import igl
import numpy as np
import torch
from numba import njit
from scipy import ndimage

from core.geometry.cameras import Intrinsics, project
from core.rendering.raster import Raster, rasterize

REACH_SIGMAS = 3.0
"""times the root of σ: beyond, a sigmoid is within 1e-4 of its end"""
DEPTH_MARGIN = 1e-3
"""of its depth: so much before what it hides a surface lies at least"""


@dataclass(frozen=True)
class Edges:
    """Of a mesh: ``ends`` [E, 2], and the ``faces`` [E, 2] on both sides, -1 beyond a border."""

    ends: np.ndarray
    faces: np.ndarray

    @staticmethod
    def of(faces: np.ndarray) -> Edges:
        """Of ``faces`` [F, 3] of a manifold."""
        ends, _, sides = igl.edge_topology(
            np.zeros((int(faces.max()) + 1, 3)), np.ascontiguousarray(faces, np.int64)
        )
        return Edges(np.asarray(ends, np.int32), np.asarray(sides, np.int32))


@dataclass(frozen=True)
class SilhouettePixels:
    """Pixels near silhouettes [N]: their index ``pixel``, the ``edge``, the place ``along`` it in
    [0, 1] that is nearest, whether the surface before the silhouette is drawn there (``inside``),
    and the pixel ``behind`` that shows what this hides, or, outside, the pixel itself."""

    pixel: np.ndarray
    edge: np.ndarray
    along: np.ndarray
    inside: np.ndarray
    behind: np.ndarray


def soft_render(
    vertices: torch.Tensor,  # [V, 3] world
    colors: torch.Tensor,  # [V, C]
    faces: np.ndarray,  # [F, 3]
    edges: Edges,
    intrinsics: Intrinsics,
    world_from_camera: np.ndarray,  # [4, 4] rigid, OpenCV axes
    sigma: float,  # pixels²
) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture [H, W, C], black where there is nothing, and the opacity [H, W]. As ``sigma``
    goes to 0 they become what `rasterize` draws."""
    pose = torch.from_numpy(np.asarray(world_from_camera, np.float64)).to(vertices)
    local = (vertices - pose[:3, 3]) @ pose[:3, :3]
    raster = rasterize(vertices.detach().numpy(), faces, intrinsics, world_from_camera)
    height, width = raster.depth.shape
    shown = np.flatnonzero(raster.face_id.ravel() >= 0)
    corners = faces[raster.face_id.ravel()[shown]]
    share = _barycentric(intrinsics, local, corners, shown)
    image = colors.new_zeros(height * width, colors.shape[1] + 1)
    drawn = torch.cat([colors, torch.ones_like(colors[:, :1])], 1)
    image[torch.from_numpy(shown)] = (drawn[torch.from_numpy(corners)] * share[..., None]).sum(1)
    silhouettes = _silhouette_pixels(
        local.detach().numpy(), faces, edges, intrinsics, raster, sigma
    )
    if len(silhouettes.pixel):
        image = _blend_silhouettes(image, drawn, local, edges, intrinsics, silhouettes, sigma)
    image = image.reshape(height, width, -1)
    return image[..., :-1], image[..., -1]


def _blend_silhouettes(
    image: torch.Tensor,
    drawn: torch.Tensor,
    local: torch.Tensor,
    edges: Edges,
    intrinsics: Intrinsics,
    silhouettes: SilhouettePixels,
    sigma: float,
) -> torch.Tensor:
    ends = torch.from_numpy(edges.ends[silhouettes.edge].astype(np.int64))
    pixel, behind = torch.from_numpy(silhouettes.pixel), torch.from_numpy(silhouettes.behind)
    inside = torch.from_numpy(silhouettes.inside)
    along = torch.from_numpy(silhouettes.along).to(image)[:, None]
    places = _pixels(intrinsics, local, ends)
    nearest = places[:, 0] * (1 - along) + places[:, 1] * along
    squared = ((_centers(silhouettes.pixel, intrinsics.width).to(image) - nearest) ** 2).sum(1)
    cover = torch.sigmoid(torch.where(inside, squared, -squared) / sigma)[:, None]
    at_edge = drawn[ends[:, 0]] * (1 - along) + drawn[ends[:, 1]] * along
    front = torch.where(inside[:, None], image[pixel], at_edge)
    return image.index_copy(0, pixel, cover * front + (1 - cover) * image[behind])


def _barycentric(
    intrinsics: Intrinsics, local: torch.Tensor, corners: np.ndarray, pixel: np.ndarray
) -> torch.Tensor:
    """[N, 3] shares of the ``corners`` [N, 3] of the face that each ``pixel`` [N] shows; they move
    against the corners."""
    which = torch.from_numpy(corners.astype(np.int64))
    places, z = _pixels(intrinsics, local, which), local[which][..., 2]
    center = _centers(pixel, intrinsics.width).to(places)
    a, b, c = places.unbind(1)
    area = _cross(b - a, c - a)
    flat = (
        torch.stack(
            [
                _cross(b - center, c - center),
                _cross(c - center, a - center),
                _cross(a - center, b - center),
            ],
            1,
        )
        / area[:, None]
    )
    share = flat / z
    return share / share.sum(1, keepdim=True)


def _cross(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _centers(pixel: np.ndarray, width: int) -> torch.Tensor:
    """[N, 2] of the pixels' numbers."""
    return torch.from_numpy(np.stack([pixel % width, pixel // width], 1) + 0.5)


def _pixels(intrinsics: Intrinsics, local: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """[..., 2] places in the picture of the vertices ``which``, through the true lens."""
    used, inverse = torch.unique(which, return_inverse=True)
    found = _Projected.apply(local[used], intrinsics)
    assert isinstance(found, torch.Tensor)
    return found[inverse]


class _Projected(torch.autograd.Function):
    """`project`, with its derivatives by differences."""

    @staticmethod
    def forward(ctx, local: torch.Tensor, intrinsics: Intrinsics) -> torch.Tensor:  # type: ignore[override]
        points = local.detach().double().numpy()
        step = 1e-4 * points[:, 2:]
        slopes = np.zeros((len(points), 2, 3))
        for axis in range(3):
            ahead, back = points.copy(), points.copy()
            ahead[:, axis] += step[:, 0]
            back[:, axis] -= step[:, 0]
            moved = project(intrinsics, ahead) - project(intrinsics, back)
            slopes[..., axis] = moved / (2 * step)
        ctx.save_for_backward(torch.from_numpy(np.nan_to_num(slopes)).to(local))
        return torch.from_numpy(np.nan_to_num(project(intrinsics, points))).to(local)

    @staticmethod
    def backward(ctx, *gradients: torch.Tensor):  # type: ignore[override]
        (slopes,) = ctx.saved_tensors
        return (slopes * gradients[0][..., None]).sum(1), None


def _silhouette_pixels(
    local: np.ndarray,
    faces: np.ndarray,
    edges: Edges,
    intrinsics: Intrinsics,
    raster: Raster,
    sigma: float,
) -> SilhouettePixels:
    pixels = project(intrinsics, local)
    a, b, c = (pixels[faces[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    side = np.append(area < 0, False)  # beyond a border nothing faces the camera
    one, other = side[edges.faces[:, 0]], side[edges.faces[:, 1]]
    border = (edges.faces < 0).any(1)
    here = np.isfinite(pixels[edges.ends]).all((1, 2)) & (local[edges.ends, 2] > 0).all(1)
    rim = np.flatnonzero(((one != other) | border) & here)
    shape = raster.depth.shape
    squared = np.full(shape, np.inf)
    edge, along = np.full(shape, -1, np.int32), np.zeros(shape)
    reach = REACH_SIGMAS * sigma**0.5
    far = ndimage.maximum_filter(raster.depth, 3)
    _nearest_edges(pixels, local[:, 2], edges.ends, rim, reach, far, squared, edge, along)
    pixel = np.flatnonzero(edge.ravel() >= 0)
    edge, along = edge.ravel()[pixel], along.ravel()[pixel]
    ends = edges.ends[edge]
    z = local[ends[:, 0], 2] * (1 - along) + local[ends[:, 1], 2] * along
    inside = raster.depth.ravel()[pixel] < z * (1 + DEPTH_MARGIN)
    places = pixels[ends[:, 0]] * (1 - along)[:, None] + pixels[ends[:, 1]] * along[:, None]
    behind = np.where(inside, _pixels_across(pixel, places, shape), pixel)
    hidden = raster.depth.ravel()[behind] > z * (
        1 + DEPTH_MARGIN
    )  # else a fold, nothing to see through
    return SilhouettePixels(
        pixel[hidden], edge[hidden], along[hidden], inside[hidden], behind[hidden]
    )


def _pixels_across(pixel: np.ndarray, places: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """[N] the pixels on the other side of ``places`` [N, 2] of a silhouette, 1.5 from it."""
    height, width = shape
    away = places - (np.stack([pixel % width, pixel // width], 1) + 0.5)
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    column, row = np.floor(places + 1.5 * away).astype(int).T
    return np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)


@njit(cache=True, nogil=True)
def _nearest_edges(pixels, z, ends, rim, reach, far, squared, edge, along):
    """The nearest of the edges ``rim`` to each pixel within ``reach``, of those that no surface
    hides: ``far`` [H, W] is the depth of the farthest pixel about each."""
    height, width = squared.shape
    for e in rim:
        a, b = ends[e]
        ax, ay, bx, by = pixels[a, 0], pixels[a, 1], pixels[b, 0], pixels[b, 1]
        ux, uy = bx - ax, by - ay
        length = ux * ux + uy * uy
        left = max(0, int(np.ceil(min(ax, bx) - reach - 0.5)))
        right = min(width - 1, int(np.floor(max(ax, bx) + reach - 0.5)))
        top = max(0, int(np.ceil(min(ay, by) - reach - 0.5)))
        bottom = min(height - 1, int(np.floor(max(ay, by) + reach - 0.5)))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = column + 0.5, row + 0.5
                t = 0.0
                if length > 0:
                    t = min(1.0, max(0.0, ((x - ax) * ux + (y - ay) * uy) / length))
                px, py = ax + t * ux, ay + t * uy
                d = (x - px) ** 2 + (y - py) ** 2
                if d >= squared[row, column] or d > reach * reach:
                    continue
                at_row, at_column = int(np.floor(py)), int(np.floor(px))
                if not (0 <= at_row < height and 0 <= at_column < width):
                    continue
                if z[a] * (1 - t) + z[b] * t > far[at_row, at_column] * (1 + 1e-3):
                    continue
                squared[row, column], edge[row, column], along[row, column] = d, e, t
