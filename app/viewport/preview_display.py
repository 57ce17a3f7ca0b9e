"""What there is to see of the surface, the worker's newest picture or the live mesh, and the frame
that it makes with what stands around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app import theme
from app.gl.frame import Frame, Picture, Style, Surface, clip_from_scene, slopes
from app.gl.mesh_file import take_surface
from app.platform.scaling import scale
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.scene_overlay import Stage
from core.geometry.view import MESH_MODES, PreviewMode
from core.protocol import MeshReady, PreviewReady
from core.protocol.pixel_ring import PreviewRing


@dataclass(frozen=True)
class Shown:
    """The preview on screen. ``latency_ms`` from the request of its view to its display."""

    view_id: int = 0
    width: int = 0
    height: int = 0
    final: bool = False
    latency_ms: float = 0.0


class Showing:
    """A mesh stays until the first picture of another mode is there, and the other way round."""

    def __init__(self) -> None:
        self.mesh_colored = False
        self.clear()

    def clear(self) -> None:
        """There is no surface (any more)."""
        self.newest = Shown()
        """of the picture that came last"""
        self._picture: Picture | None = None
        self._surface: Surface | None = None
        self._as_mesh = False

    @property
    def anything(self) -> bool:
        return self._picture is not None or self._as_mesh

    def look(self, mode: PreviewMode) -> None:
        """What is wanted from now on."""
        self._as_mesh |= mode in MESH_MODES and self._surface is not None

    def take_picture(
        self, preview: PreviewReady, ring: PreviewRing, mode: PreviewMode, waited_ms: float | None
    ) -> bool:
        """Take the pixels that ``preview`` announces, while ``mode`` is wanted; False where they
        are gone. ``waited_ms`` since its view was asked for, None if that is not known."""
        slot = preview.slot, preview.width, preview.height
        with ring.reading(preview.slot, preview.sequence, preview.width, preview.height) as pixels:
            if pixels is None:
                return False
            distance = ring.distances(*slot).copy() if preview.has_distances else None
            self._picture = Picture(pixels.copy(), distance)
        self._as_mesh &= mode in MESH_MODES
        known = waited_ms is not None and preview.view_id != self.newest.view_id
        self.newest = Shown(
            preview.view_id,
            preview.width,
            preview.height,
            preview.final,
            waited_ms if known and waited_ms is not None else self.newest.latency_ms,
        )
        return True

    def take_mesh(self, ready: MeshReady, mode: PreviewMode) -> bool:
        """Take the mesh that ``ready`` announces; False where it is gone."""
        surface = take_surface(ready)
        if surface is not None:
            self._surface = surface
            self._as_mesh = mode in MESH_MODES
        return surface is not None

    def shows(self, view_id: int) -> bool:
        """Whether what is shown is seen as in this view."""
        return self._as_mesh or self.newest.view_id == view_id

    def frame(
        self,
        camera: OrbitCamera,
        stage: Stage,
        size: tuple[int, int],
        share: float,
        mode: PreviewMode,
        *,
        alone: bool,
        deep: bool,
    ) -> Frame:
        """Of a viewport of ``size``, at a ``share`` of its width and height; ``alone``: without
        what stands around the surface."""
        surface_shown = self.anything and stage.solving is None
        standing, pose = stage.standing, camera.scene_from_camera
        style: Style = "colored" if self.mesh_colored else "shaded"
        return Frame(
            size=(max(1, round(size[0] * share)), max(1, round(size[1] * share))),
            clip_from_scene=clip_from_scene(camera, size),
            eye=pose[:3, 3],
            slopes=slopes(camera, size),
            dot_scale=share * scale(),
            camera=camera,
            deep=deep,
            picture=self._picture if surface_shown and not self._as_mesh else None,
            surface=self._surface if surface_shown and self._as_mesh else None,
            style="wireframe" if mode == "wireframe" else style,
            lines=None if alone else stage.lines(camera, size),
            outlines=None if alone else stage.outlines(),
            marks=None if alone else stage.marks(camera, size),
            dots=standing.dots if stage.points_shown and not alone else None,
            photos=standing.photos if stage.cameras_shown and not alone else None,
            thumbnails=stage.thumbnails,
            about=self.newest,
            behind=theme.backdrop(),
            reach=float(np.linalg.norm(pose[:3, 3] - camera.pivot)),
        )
