"""What is seen of the surface: the latest preview of the worker, or the live mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app import theme
from app.gl.frame import Frame, Picture, Style, Surface, clip_from_scene, tan_half_fov
from app.gl.mesh_file import load_mesh_file
from app.platform import scaling
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.scene_overlay import SceneOverlay
from core.geometry.view import MESH_MODES, PreviewMode
from core.protocol import MeshReady, PreviewReady
from core.protocol.pixel_ring import PreviewRing


@dataclass(frozen=True)
class ShownPreview:
    """The preview on screen."""

    view_id: int = 0
    """Of the view that it shows."""
    width: int = 0
    """Pixels."""
    height: int = 0
    """Pixels."""
    final: bool = False
    """Whether no finer one follows."""
    latency_ms: float = 0.0
    """From the request of the view to its display."""


class PreviewDisplay:
    """Keeps a mesh until the first image of another mode is there, and the other way round."""

    def __init__(self) -> None:
        self.mesh_colored = False
        """Whether meshes have the colours of the export."""
        self.clear()

    def clear(self) -> None:
        """Forget the surface."""
        self.latest = ShownPreview()
        """The image that arrived last."""
        self._picture: Picture | None = None
        self._surface: Surface | None = None
        self._as_mesh = False

    @property
    def has_surface(self) -> bool:
        """Whether there is an image or a mesh."""
        return self._picture is not None or self._as_mesh

    def set_mode(self, mode: PreviewMode) -> None:
        """Change the display mode."""
        self._as_mesh |= mode in MESH_MODES and self._surface is not None

    def load_picture(
        self, preview: PreviewReady, ring: PreviewRing, mode: PreviewMode, latency_ms: float | None
    ) -> bool:
        """Take the image that ``preview`` announces.

        Args:
            preview: The announcement.
            ring: Holds the pixels.
            mode: The display mode.
            latency_ms: Since the view was requested; None if unknown.

        Returns:
            Whether the pixels were still there.
        """
        slot = preview.slot, preview.width, preview.height
        with ring.reading(preview.slot, preview.sequence, preview.width, preview.height) as pixels:
            if pixels is None:
                return False
            distance = ring.distances(*slot).copy() if preview.has_distances else None
            self._picture = Picture(pixels.copy(), distance)
        self._as_mesh &= mode in MESH_MODES
        known = latency_ms is not None and preview.view_id != self.latest.view_id
        self.latest = ShownPreview(
            preview.view_id,
            preview.width,
            preview.height,
            preview.final,
            latency_ms if known and latency_ms is not None else self.latest.latency_ms,
        )
        return True

    def load_mesh(self, ready: MeshReady, mode: PreviewMode) -> bool:
        """Take the mesh that ``ready`` announces; returns whether it was there."""
        surface = load_mesh_file(ready)
        if surface is not None:
            self._surface = surface
            self._as_mesh = mode in MESH_MODES
        return surface is not None

    def shows_view(self, view_id: int) -> bool:
        """Return whether the surface is shown as in this view."""
        return self._as_mesh or self.latest.view_id == view_id

    def make_frame(
        self,
        camera: OrbitCamera,
        overlay: SceneOverlay,
        size: tuple[int, int],
        scale: float,
        mode: PreviewMode,
        *,
        hide_overlay: bool,
        wants_depths: bool,
    ) -> Frame:
        """Build the frame to draw.

        Args:
            camera: The camera.
            overlay: What is drawn around the surface.
            size: Width and height of the viewport, pixels.
            scale: Resolution of the frame as a fraction of ``size``.
            mode: The display mode.
            hide_overlay: Whether to draw the surface alone.
            wants_depths: Whether the depths are read back.
        """
        surface_shown = self.has_surface and overlay.partial_poses is None
        geometry, pose = overlay.geometry, camera.scene_from_camera
        style: Style = "colored" if self.mesh_colored else "shaded"
        return Frame(
            size=(max(1, round(size[0] * scale)), max(1, round(size[1] * scale))),
            clip_from_scene=clip_from_scene(camera, size),
            eye=pose[:3, 3],
            tan_half_fov=tan_half_fov(camera, size),
            pixel_scale=scale * scaling.scale(),
            camera=camera,
            wants_depths=wants_depths,
            picture=self._picture if surface_shown and not self._as_mesh else None,
            surface=self._surface if surface_shown and self._as_mesh else None,
            style="wireframe" if mode == "wireframe" else style,
            lines=None if hide_overlay else overlay.lines(camera, size),
            outlines=None if hide_overlay else overlay.outlines(),
            markers=None if hide_overlay else overlay.marker_dots(camera, size),
            dots=geometry.dots if overlay.show_points and not hide_overlay else None,
            photos=geometry.photos if overlay.show_cameras and not hide_overlay else None,
            thumbnails=overlay.thumbnails,
            user_data=self.latest,
            background=theme.backdrop(),
            fade_distance=float(np.linalg.norm(pose[:3, 3] - camera.pivot)),
        )
