"""Visibility of a mesh in the photos: which vertices, how well, and in which colour.

Occlusion is tested against a z-buffer of the mesh through each photo's true lens. Near silhouettes
and the borders of masks nothing is taken: there the mesh, the pose and the mask disagree by a pixel
or two, and background would stain the surface.
"""
# scipy has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from core.capture.photos import read_rgba
from core.capture.scene import Photo
from core.geometry.cameras import Intrinsics, project
from core.meshing.mesh import Mesh
from core.rendering.raster import bilinear, rasterize

VISIBILITY_SIDE_PX = 1024
"""the longer side at which depth maps are rendered"""
SILHOUETTE_JUMP = 0.01
"""of the mesh's diagonal: a larger depth step between neighbouring pixels is a silhouette, unless a
slope explains it
"""
MAX_SLOPE = 6.0
"""depth per pixel of the steepest slope, in widths of a pixel on the surface"""
ZERO_TRUST_WITHIN = 1.5 / VISIBILITY_SIDE_PX
"""distance to a silhouette, as a fraction of the image's longer side, within which a photo has no
weight"""
FULL_TRUST_BEYOND = 10 / VISIBILITY_SIDE_PX
"""the same from which it has full weight"""
GRAZING_COSINE = 0.15
"""below which a photo has no weight"""
DEPTH_TOLERANCE = 2e-3
"""of the mesh's diagonal, by which a visible point may lie behind the depth map"""


@dataclass(frozen=True)
class PhotoView:
    """A photo's camera with the depth map of a mesh."""

    lens: Intrinsics
    """at the size of the maps"""
    world_from_camera: np.ndarray
    """[4, 4]"""
    depth: np.ndarray
    """[H, W] camera z"""
    trust: np.ndarray
    """[H, W] float32: 0 at silhouettes and outside, rising to 1 away from them"""
    diagonal: float
    """of the mesh"""

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project ``points`` [N, 3].

        Returns:
            Pixels [N, 2] at the size of ``lens``, -1 outside the image, and camera z [N].
        """
        pose = self.world_from_camera
        local = (np.asarray(points, np.float64) - pose[:3, 3]) @ pose[:3, :3]
        pixels = project(self.lens, local)
        inside = (pixels >= 0) & (pixels < [self.lens.width, self.lens.height])
        return np.where(inside.all(1, keepdims=True), pixels, -1.0), local[:, 2]

    def trust_at(self, pixels: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[N] float32 weights of projected points, 0 where they are hidden or outside."""
        inside = pixels[:, 0] >= 0
        index = np.where(inside[:, None], pixels, 0).astype(int)
        limit = self.depth[index[:, 1], index[:, 0]] + DEPTH_TOLERANCE * self.diagonal
        trust = bilinear(self.trust[..., None], np.maximum(pixels, 0))[:, 0]
        return np.where(inside & (z < limit), trust, 0).astype(np.float32)

    def directions_to_camera(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions [N, 3] to the camera, and its distances [N]."""
        offsets = self.world_from_camera[:3, 3] - points
        distance = np.linalg.norm(offsets, axis=1)
        return offsets / np.maximum(distance, 1e-12)[:, None], distance


def photo_view(mesh: Mesh, photo: Photo, side: int = VISIBILITY_SIDE_PX) -> PhotoView:
    """Render the depth map of ``mesh`` in the camera of ``photo``, which shares its frame."""
    lens = photo.intrinsics.shrunk(side)
    pose = photo.world_from_camera
    raster = rasterize(mesh.vertices, mesh.faces, lens, pose)
    diagonal = float(np.linalg.norm(np.ptp(mesh.vertices, axis=0)))
    depth = raster.depth
    known = np.where(np.isfinite(depth), depth, 0)
    pixel = known / lens.fx
    near = ndimage.minimum_filter(known, 3)
    step = ndimage.maximum_filter(known, 3) - near
    edge = (
        (known == 0)
        | (near == 0)
        | (step > np.maximum(SILHOUETTE_JUMP * diagonal, MAX_SLOPE * pixel))
    )
    side_px = max(lens.width, lens.height)
    distance = np.asarray(ndimage.distance_transform_edt(~edge)) / side_px
    trust = np.clip((distance - ZERO_TRUST_WITHIN) / (FULL_TRUST_BEYOND - ZERO_TRUST_WITHIN), 0, 1)
    # where a slope is steep, points that a pixel shows lie behind its centre
    relaxed = known + np.minimum(step, MAX_SLOPE * pixel)
    return PhotoView(lens, pose, relaxed.astype(np.float32), trust.astype(np.float32), diagonal)


def with_mask(view: PhotoView, alpha: np.ndarray) -> PhotoView:
    """Give ``view`` no weight where the photo's opacity ``alpha`` [H, W] uint8 is not full."""
    distance = np.asarray(ndimage.distance_transform_edt(alpha > 250)) / max(alpha.shape)
    trust = np.minimum(
        view.trust,
        np.clip((distance - ZERO_TRUST_WITHIN) / (FULL_TRUST_BEYOND - ZERO_TRUST_WITHIN), 0, 1),
    )
    return replace(view, trust=trust.astype(np.float32))


@dataclass(frozen=True)
class VertexObservations:
    """How one photo sees the vertices."""

    quality: np.ndarray
    """[V] float32, 0 where hidden; larger where seen frontally, from near, away from silhouettes"""
    density: np.ndarray
    """[V] float32 pixels of the full-size photo per unit of length"""
    colors: np.ndarray
    """[V, 3] uint8"""
    detail: np.ndarray
    """[V] float32 contrast per unit of length"""


def observe_vertices(mesh: Mesh, photo: Photo) -> VertexObservations:
    """Observe the vertices of ``mesh``, which has normals, in ``photo``, which shares its frame.

    Raises:
        UserError: the photo cannot be read.
    """
    assert mesh.normals is not None
    view = photo_view(mesh, photo)
    lens = view.lens
    rgba = read_rgba(photo, lens)
    if (rgba[..., 3] < 255).any():
        view = with_mask(view, rgba[..., 3])
    pixels, z = view.project(mesh.vertices)
    trust = view.trust_at(pixels, z)
    directions, distance = view.directions_to_camera(mesh.vertices)
    cosine = (directions * mesh.normals).sum(1)
    density = photo.intrinsics.fx / np.maximum(distance, 1e-12)
    frontal = np.clip((cosine - GRAZING_COSINE) / (1 - GRAZING_COSINE), 0, 1)
    quality = np.where(trust > 0, trust * frontal**2 * density**2, 0)
    colors = bilinear(rgba[..., :3], np.maximum(pixels, 0))
    grey = rgba[..., :3].mean(-1)
    slope = np.asarray(ndimage.gaussian_gradient_magnitude(grey, 0.7), np.float32)
    detail = bilinear(slope[..., None], np.maximum(pixels, 0))[:, 0] * lens.fx / distance
    return VertexObservations(
        quality.astype(np.float32),
        density.astype(np.float32),
        np.round(colors).astype(np.uint8),
        detail.astype(np.float32),
    )
