"""A mesh moved to where the photos agree on it.

Vertices move along their normals, and have a colour each, so that the mesh rendered by the soft
rasteriser looks as the photos do. What one pixel wants moves the surface around it, not a spike.
Photos that were held out decide whether the result is kept.

Sources: Liu et al. 2019 (the rasteriser, see there); Nicolet, Jacobson and Jakob 2021, "Large steps
in inverse rendering of geometry": gradients through (I + λL)⁻², Adam with one scale for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import coo_array, eye_array
from scipy.sparse.linalg import splu

from core.base.image_metrics import psnr
from core.base.jobs import Progress, Task, run_in_thread, subtask
from core.base.text import text
from core.capture.photos import read_rgba
from core.capture.scene import Photo
from core.geometry.cameras import Intrinsics
from core.meshing.mesh import Mesh
from core.meshing.texture.bake import TEXTURE_SIZES, select_views
from core.rendering.soft_raster import Edges, soft_render

PHOTO_SIDE_PX = 640
"""pixels of the longer side at which photos are compared"""
HOLD_OUT_EVERY = 8
"""each so manieth photo is held out"""
MIN_PHOTOS = 6
"""photos below which there is nothing to hold back"""
MAX_PHOTOS = 96
N_EPOCHS = 6
"""that each photo is looked at"""
RASTER_SIGMA = 0.5
"""of the rasteriser, pixels²"""
SMOOTHING_PX = 4.0
"""how far a pixel's wish spreads over the surface, widths of a pixel there"""
OFFSET_STEP_PX, COLOR_STEP = 0.25, 0.01
"""of an offset, widths of a pixel on the surface, and of a colour in [0, 1], at the start"""
MAX_OFFSET_PX = 4.0
"""of a vertex from where it was, widths of a pixel"""
OPACITY_WEIGHT = 0.5
"""weight of the squared error of the opacity beside that of the colours, where there are masks"""
MIN_AREA_RATIO = 0.2
"""of a face, as it was seen along its old normal: below, its corners are taken back"""


@dataclass(frozen=True)
class RefineResult:
    """``mesh``, moved or as it was: ``kept``. PSNR, dB, on photos that were held out, of the mesh
    as it was, ``before``, and moved, ``after``, coloured from the others."""

    mesh: Mesh
    before: float
    after: float

    @property
    def kept(self) -> bool:
        return self.after > self.before


@dataclass(frozen=True)
class RefineView:
    """A photo at a small size: ``image`` [H, W, 3] float32, black where it is cut out, and
    ``opacity`` [H, W]."""

    lens: Intrinsics
    pose: np.ndarray
    image: torch.Tensor
    opacity: torch.Tensor

    @staticmethod
    def of(photo: Photo) -> RefineView:
        """Raises UserError where it cannot be read."""
        lens = photo.intrinsics.shrunk(PHOTO_SIDE_PX)
        rgba = torch.from_numpy(read_rgba(photo, lens).astype(np.float32) / 255)
        return RefineView(
            lens, photo.world_from_camera, rgba[..., :3] * rgba[..., 3:], rgba[..., 3]
        )


def refine(mesh: Mesh, photos: Sequence[Photo], has_masks: bool) -> Task[RefineResult | None]:
    """``mesh``, which is manifold and has normals and colours, against ``photos``, whose poses
    share its frame; None where they are too few. Raises UserError where one cannot be read."""
    photos = photos[:: -(-len(photos) // MAX_PHOTOS)]
    held_out, used = (
        photos[HOLD_OUT_EVERY // 2 :: HOLD_OUT_EVERY],
        [photo for i, photo in enumerate(photos) if i % HOLD_OUT_EVERY != HOLD_OUT_EVERY // 2],
    )
    if len(photos) < MIN_PHOTOS:
        return None
    mesh, gains = yield from subtask(_color_from_photos(mesh, used), 0.0, 0.1)
    views = yield from run_in_thread(
        lambda: [RefineView.of(photo) for photo in used], Progress(0.1, text("reading photos"))
    )
    moved = yield from subtask(_move_vertices(mesh, views, gains, has_masks), 0.1, 0.85)
    after, _ = yield from subtask(_color_from_photos(moved, used), 0.85, 0.95)
    tests = [RefineView.of(photo) for photo in held_out]
    scores = yield from run_in_thread(
        lambda: _scores([mesh, after], tests, has_masks), Progress(0.95, text("comparing"))
    )
    found = RefineResult(after, *scores)
    return found if found.kept else replace(found, mesh=mesh)


def _color_from_photos(mesh: Mesh, photos: Sequence[Photo]) -> Task[tuple[Mesh, np.ndarray]]:
    """``mesh`` in the photos' common colours where any sees it, and their exposures' gains."""
    chosen = yield from select_views(mesh, photos, TEXTURE_SIZES[0], TEXTURE_SIZES[0])
    return replace(mesh, colors=chosen.base), chosen.gains


def _move_vertices(
    mesh: Mesh, views: Sequence[RefineView], gains: np.ndarray, has_masks: bool
) -> Task[Mesh]:
    assert mesh.colors is not None
    edges = Edges.of(mesh.faces)
    pixel = float(np.median([_pixel_width(mesh, view) for view in views]))
    smooth = yield from run_in_thread(
        lambda: _smoothing_solver(mesh, edges.ends, SMOOTHING_PX * pixel),
        Progress(0.0, text("refining")),
    )
    start = torch.from_numpy(mesh.vertices.astype(np.float32))
    normals = torch.from_numpy(_normals(mesh))
    colors = torch.from_numpy(mesh.colors.astype(np.float32) / 255).requires_grad_()
    factors = torch.from_numpy((1 / gains).astype(np.float32))
    adam = torch.optim.Adam([colors], COLOR_STEP)
    offsets = _SmoothedAdam(len(start), smooth)
    order = np.random.default_rng(0)
    n_steps = N_EPOCHS * len(views)
    for step, which in enumerate(
        np.concatenate([order.permutation(len(views)) for _ in range(N_EPOCHS)])
    ):
        rate = 0.5 + 0.5 * np.cos(np.pi * step / n_steps)
        at = offsets.now.clamp(-MAX_OFFSET_PX * pixel, MAX_OFFSET_PX * pixel).requires_grad_()
        loss = _loss(
            start + normals * at[:, None],
            colors * factors[which],
            mesh.faces,
            edges,
            views[which],
            has_masks,
        )
        adam.zero_grad()
        loss.backward()
        adam.param_groups[0]["lr"] = COLOR_STEP * rate
        adam.step()
        assert at.grad is not None
        offsets.step(at.grad, OFFSET_STEP_PX * pixel * rate)
        yield Progress(
            (step + 1) / n_steps,
            text("refining, step {step} of {n_steps}", step=step + 1, n_steps=n_steps),
        )
    found = offsets.now.clamp(-MAX_OFFSET_PX * pixel, MAX_OFFSET_PX * pixel).double().numpy()
    return _without_flips(mesh, normals.double().numpy() * found[:, None])


def _loss(
    vertices: torch.Tensor,
    colors: torch.Tensor,
    faces: np.ndarray,
    edges: Edges,
    view: RefineView,
    has_masks: bool,
) -> torch.Tensor:
    image, opacity = soft_render(vertices, colors, faces, edges, view.lens, view.pose, RASTER_SIGMA)
    error = (image - view.image).abs().mean(-1)
    if not has_masks:  # beyond the mesh there is something else
        whole = opacity.detach() > 0.999
        return error[whole].sum() / max(1, int(whole.sum()))
    covered = max(1.0, float(view.opacity.sum()))
    return (error + OPACITY_WEIGHT * (opacity - view.opacity) ** 2).sum() / covered


class _SmoothedAdam:
    """Offsets [V], stepped by Adam with one scale for all, along smoothed gradients."""

    def __init__(self, n: int, smooth: Callable[[np.ndarray], np.ndarray]) -> None:
        self._smooth = smooth
        self._mean = np.zeros(n)
        self._square, self._n = 0.0, 0
        self.now = torch.zeros(n)

    def step(self, gradient: torch.Tensor, length: float) -> None:
        """By at most ``length``, which all but a few do not reach; not at all where nothing is
        wanted, as by a photo that sees none of the mesh."""
        g = self._smooth(self._smooth(gradient.double().numpy()))
        large = np.abs(g[np.abs(g) > 1e-3 * np.abs(g).max()])
        if not len(large):
            return
        self._n += 1
        self._mean = 0.9 * self._mean + 0.1 * g
        self._square = 0.99 * self._square + 0.01 * np.percentile(large, 98) ** 2
        scale = (self._square / (1 - 0.99**self._n)) ** 0.5
        way = self._mean / (1 - 0.9**self._n) / max(scale, 1e-30)
        self.now = self.now - torch.from_numpy(np.clip(length * way, -length, length)).float()


def _smoothing_solver(
    mesh: Mesh, ends: np.ndarray, reach: float
) -> Callable[[np.ndarray], np.ndarray]:
    """(I + λL)⁻¹ with the graph's Laplacian L of edges [E, 2]; λ is the square of ``reach`` in
    edges."""
    n = len(mesh.vertices)
    between = mesh.vertices[ends[:, 1]] - mesh.vertices[ends[:, 0]]
    weight = reach**2 / float((between**2).sum(1).mean())
    rows, columns = np.concatenate([ends, ends[:, ::-1]]).T
    beside = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n)).tocsr()
    degree = np.asarray(beside.sum(1)).ravel()
    spread = coo_array((degree, (np.arange(n),) * 2), shape=(n, n)) - beside
    system = (eye_array(n) + weight * spread).tocsc()
    return splu(system, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve


def _pixel_width(mesh: Mesh, view: RefineView) -> float:
    distance = np.linalg.norm(mesh.vertices.mean(0) - view.pose[:3, 3])
    return float(distance / view.lens.fx)


def _normals(mesh: Mesh) -> np.ndarray:
    assert mesh.normals is not None
    return np.array(mesh.normals, np.float32)


def _without_flips(mesh: Mesh, offsets: np.ndarray) -> Mesh:
    """``mesh`` moved by ``offsets`` [V, 3], less where a face would turn over or lose its area."""
    before = mesh.face_normals()
    size = np.maximum((before**2).sum(1), 1e-300)
    for attempt in range(12):
        moved = replace(mesh, vertices=mesh.vertices + offsets)
        bad = (moved.face_normals() * before).sum(1) < MIN_AREA_RATIO * size
        if not bad.any():
            return moved
        offsets = offsets.copy()
        offsets[mesh.faces[bad]] *= 0.5 if attempt < 6 else 0.0
    return mesh


def _scores(meshes: Sequence[Mesh], views: Sequence[RefineView], has_masks: bool) -> list[float]:
    """Mean PSNR of each of ``meshes``, at the photos' exposure, over the pixels that all cover, or
    all pixels where there are masks."""
    edges = Edges.of(meshes[0].faces)
    scores = []
    with torch.no_grad():
        for view in views:
            rendered = [
                soft_render(
                    torch.from_numpy(mesh.vertices.astype(np.float32)),
                    torch.from_numpy(np.asarray(mesh.colors, np.float32) / 255),
                    mesh.faces,
                    edges,
                    view.lens,
                    view.pose,
                    RASTER_SIGMA,
                )
                for mesh in meshes
            ]
            where = torch.ones_like(view.opacity, dtype=torch.bool)
            if not has_masks:
                where = torch.stack([opacity > 0.999 for _, opacity in rendered]).all(0)
            if where.any():
                scores.append(
                    [_psnr_at_best_gain(image[where], view.image[where]) for image, _ in rendered]
                )
    return np.mean(scores, 0).tolist() if scores else [0.0] * len(meshes)


def _psnr_at_best_gain(image: torch.Tensor, truth: torch.Tensor) -> float:
    gain = (image * truth).sum(0) / (image * image).sum(0).clamp(min=1e-9)
    return psnr((image * gain).clamp(0, 1).numpy(), truth.numpy())
