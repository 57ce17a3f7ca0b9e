"""What photos see of a mesh: which vertices, how well, and in which colour.

Whether a point is hidden is asked of a z-buffer of the mesh through each photo's true lens. Near
silhouettes and near the border of a mask nothing is taken: there the mesh, the pose and the mask
disagree by a pixel or two, and background would stain the surface.
"""

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
"""Photos are looked at no larger than this to choose among them, pixels."""
SILHOUETTE_JUMP = 0.01
"""Neighbouring pixels whose depths differ by this share of the mesh's diagonal, and by more than
a slope does, have a silhouette between them."""
MAX_SLOPE = 6.0
"""Depth per pixel of such a slope, in widths of a pixel on the surface."""
ZERO_TRUST_WITHIN, FULL_TRUST_BEYOND = 1.5 / VISIBILITY_SIDE_PX, 10 / VISIBILITY_SIDE_PX
"""Shares of the picture's longer side: nearer to a silhouette than the first a photo tells
nothing, beyond the second all."""
GRAZING_COSINE = 0.15
"""cosine below which a photo tells nothing"""
DEPTH_TOLERANCE = 2e-3
"""of the mesh's diagonal, by which a point may lie behind the nearest surface and be seen"""


@dataclass(frozen=True)
class PhotoView:
    """One photo's camera before a mesh: ``depth`` [H, W] camera z at the size of ``lens``,
    ``trust`` [H, W] float32, 0 at silhouettes and beyond, rising to 1 away from them."""

    lens: Intrinsics
    world_from_camera: np.ndarray
    depth: np.ndarray
    trust: np.ndarray
    diagonal: float

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [N, 2] at the size of ``lens`` (-1 where there are none) and camera z [N]."""
        pose = self.world_from_camera
        local = (np.asarray(points, np.float64) - pose[:3, 3]) @ pose[:3, :3]
        pixels = project(self.lens, local)
        inside = (pixels >= 0) & (pixels < [self.lens.width, self.lens.height])
        return np.where(inside.all(1, keepdims=True), pixels, -1.0), local[:, 2]

    def trust_at(self, pixels: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[N] float32 how far points are to be trusted, 0 where they are hidden or outside."""
        inside = pixels[:, 0] >= 0
        at = np.where(inside[:, None], pixels, 0).astype(int)
        behind = self.depth[at[:, 1], at[:, 0]] + DEPTH_TOLERANCE * self.diagonal
        trust = bilinear(self.trust[..., None], np.maximum(pixels, 0))[:, 0]
        return np.where(inside & (z < behind), trust, 0).astype(np.float32)

    def directions_to_camera(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions [N, 3] to the camera, and its distances [N]."""
        directions_to_camera = self.world_from_camera[:3, 3] - points
        distance = np.linalg.norm(directions_to_camera, axis=1)
        return directions_to_camera / np.maximum(distance, 1e-12)[:, None], distance


def photo_view(mesh: Mesh, photo: Photo, side: int = VISIBILITY_SIDE_PX) -> PhotoView:
    """The camera of ``photo``, in the frame of ``mesh``, before it."""
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
    """``view`` trusting nothing where the photo's opacity ``alpha`` [H, W] uint8 is not full."""
    distance = np.asarray(ndimage.distance_transform_edt(alpha > 250)) / max(alpha.shape)
    trust = np.minimum(
        view.trust,
        np.clip((distance - ZERO_TRUST_WITHIN) / (FULL_TRUST_BEYOND - ZERO_TRUST_WITHIN), 0, 1),
    )
    return replace(view, trust=trust.astype(np.float32))


@dataclass(frozen=True)
class VertexObservations:
    """How one photo sees the vertices: ``quality`` [V] float32, 0 where not, else larger the more
    squarely, nearer and farther from silhouettes; ``density`` [V] float32 pixels of the whole photo
    per unit of length; ``colors`` [V, 3] uint8; ``detail`` [V] float32 contrast per length."""

    quality: np.ndarray
    density: np.ndarray
    colors: np.ndarray
    detail: np.ndarray


def observe_vertices(mesh: Mesh, photo: Photo) -> VertexObservations:
    """What ``photo`` sees of ``mesh``, which has normals and shares its frame. Raises UserError
    where the photo cannot be read."""
    assert mesh.normals is not None
    view = photo_view(mesh, photo)
    lens = view.lens
    rgba = read_rgba(photo, lens)
    if (rgba[..., 3] < 255).any():
        view = with_mask(view, rgba[..., 3])
    pixels, z = view.project(mesh.vertices)
    trust = view.trust_at(pixels, z)
    directions_to_camera, distance = view.directions_to_camera(mesh.vertices)
    cosine = (directions_to_camera * mesh.normals).sum(1)
    density = photo.intrinsics.fx / np.maximum(distance, 1e-12)
    square = np.clip((cosine - GRAZING_COSINE) / (1 - GRAZING_COSINE), 0, 1)
    quality = np.where(trust > 0, trust * square**2 * density**2, 0)
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
