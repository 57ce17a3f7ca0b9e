"""Random rays over all photos, with the colours they should have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.capture.photos import read_rgba
from core.capture.pixels import PixelStore
from core.capture.scene import Photo, Scene
from core.geometry.cameras import Intrinsics, pixel_directions
from core.rendering.rays import Rays
from core.training.error_map import ErrorMap

WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class RayBatch:
    """``rays`` [R]; ``colors`` [R, 3] straight (not premultiplied) sRGB; ``opacity`` [R] from
    masks, 1 where there are none; ``fair`` [R] bool: drawn from all pixels alike; ``cells`` [R] of
    the error map."""

    rays: Rays
    colors: Tensor
    opacity: Tensor
    fair: Tensor
    cells: np.ndarray


class RaySource:
    """Draws pixels of all photos and turns them into rays."""

    def __init__(self, store: PixelStore, device: torch.device, seed: int) -> None:
        self._store = store
        self._device = device
        self.random = np.random.default_rng(seed)
        self.error_map = ErrorMap(store)
        poses = np.stack([store.scene.scene_from_camera(p) for p in store.scene.photos])
        self._rotations = poses[:, :3, :3].astype(np.float32)
        self._centers = poses[:, :3, 3].astype(np.float32)
        self._lenses = list(dict.fromkeys(store.intrinsics))
        self._widths = np.array([1 / lens.fx for lens in store.intrinsics], np.float32)
        self._lens_of = np.array([self._lenses.index(lens) for lens in store.intrinsics])
        self._counts = store.widths.astype(np.int64) * store.heights
        self._ends = store.offsets + self._counts
        self.exclude_photos(np.zeros(len(self._counts), bool))

    def exclude_photos(self, photos: np.ndarray) -> None:
        """From now on no ray is drawn of ``photos``, bool [N]."""
        included = np.flatnonzero(~photos)
        self._included_ends = np.cumsum(self._counts[included])
        self._shifts = self._ends[included] - self._included_ends
        self.error_map.exclude_photos(photos)

    def sample(self, n: int, error_fraction: float = 0.0) -> RayBatch:
        """``n`` rays, scene units; unit directions. Of all pixels with equal probability, but for
        the share ``error_fraction``, which goes where the error map is high."""
        index = self.random.integers(0, self._included_ends[-1], n)
        index += self._shifts[np.searchsorted(self._included_ends, index, side="right")]
        fair = self.random.random(n) >= error_fraction
        if not fair.all():
            index[~fair] = self.error_map.sample_pixels(int((~fair).sum()), self.random)
        photo = np.searchsorted(self._ends, index, side="right")
        within = index - self._store.offsets[photo]
        uv = np.stack([within % self._store.widths[photo], within // self._store.widths[photo]], -1)
        local = np.empty((n, 3), np.float32)
        for i, lens in enumerate(self._lenses):
            of_lens = self._lens_of[photo] == i
            if of_lens.any():
                local[of_lens] = pixel_directions(lens, uv[of_lens] + 0.5)
        directions = np.einsum("nij,nj->ni", self._rotations[photo], local)
        sizes = np.stack([self._store.widths[photo], self._store.heights[photo]], -1)
        pixel_ndc = ((2 * uv + 1) / sizes - 1).astype(np.float32)
        rgba = torch.from_numpy(self._store.pixels[index]).to(self._device).float() / 255
        rays = Rays(
            torch.from_numpy(self._centers[photo]).to(self._device),
            torch.from_numpy(directions).to(self._device),
            torch.from_numpy(photo).to(self._device),
            torch.from_numpy(pixel_ndc).to(self._device),
            torch.from_numpy(self._widths[photo]).to(self._device),
        )
        cells = self.error_map.cells(photo, uv[:, 0], uv[:, 1])
        return RayBatch(
            rays, rgba[:, :3], rgba[:, 3], torch.from_numpy(fair).to(self._device), cells
        )


def photo_colors(scene: Scene, photo: Photo, lens: Intrinsics) -> np.ndarray:
    """What the rays of ``photo`` through ``lens`` should show, sRGB [H, W, 3]. Raises UserError
    where it cannot be read."""
    return composed(scene, read_rgba(photo, lens))


def composed(scene: Scene, pixels: np.ndarray) -> np.ndarray:
    """sRGB float32 [..., 3] of ``pixels`` uint8 [..., 4] of a photo: where photos are cut out,
    before `backdrop_color`."""
    rgba = pixels.astype(np.float32) / 255
    if not scene.has_masks:
        return rgba[..., :3]
    background = np.array(backdrop_color(scene), np.float32)
    return rgba[..., :3] * rgba[..., 3:] + background * (1 - rgba[..., 3:])


def backdrop_color(scene: Scene) -> tuple[float, float, float]:
    """The solid sRGB colour behind photos that are cut out."""
    return scene.background or WHITE


def photo_rays(scene: Scene, photo: Photo, lens: Intrinsics, index: int | None = None) -> Rays:
    """All rays of one photo seen through ``lens``, row by row: R = height · width, on the CPU.
    ``index``: its number among the training photos, for its appearance."""
    v, u = np.mgrid[0 : lens.height, 0 : lens.width]
    local = pixel_directions(lens, np.stack([u.ravel(), v.ravel()], -1) + 0.5)
    pose = scene.scene_from_camera(photo)
    directions = torch.from_numpy((local @ pose[:3, :3].T).astype(np.float32))
    origins = torch.from_numpy(pose[:3, 3].astype(np.float32)).expand_as(directions).contiguous()
    which = None if index is None else torch.full((len(directions),), index, dtype=torch.long)
    return Rays(origins, directions, which, width=torch.full((len(origins),), 1 / lens.fx))
