"""The pixels of the viewport: frames are drawn off screen and then put on it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from app.gl.frame import Frame, camera_depth
from app.gl.painter import Painter
from app.platform.gui import dpg
from app.viewport.orbit_camera import OrbitCamera
from app.viewport.projection import project, ray
from app.viewport.texture import Texture, disable_direct_upload

MAX_MOVING_PAINT_S = 0.012
"""Time that a frame may take while the camera moves; slower ones get smaller."""
FRAME_SCALES = (1.0, 0.75, 0.5, 0.35, 0.25)
"""Resolutions of frames in motion, as fractions of the viewport's."""
SAME_PLACE_PX = 2
"""The mouse, or what was under it, may have moved so far and still be at the same place."""
TEXTURE_LATENCY_FRAMES = 2
"""Frames until new pixels are on screen, and until a new texture has any. The one before stays
as long, or there would be a flash."""


class Canvas:
    """Shows frames in the item "canvas_area"."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Create the item; ``wake`` is called from another thread when a frame is drawn."""
        self.size = (1, 1)
        self._painter = Painter(wake)
        self._texture: Texture | None = None
        self._next: Texture | None = None
        self._next_in = 0
        self._drawn_key: object = None
        self._frame_scale = 1.0
        self._paint_s_per_pixel = 0.0
        self._frames_until_shown = 0
        self._depths: tuple[OrbitCamera, np.ndarray] | None = None
        self._last_hit: tuple[float, float, np.ndarray] | None = None
        dpg.add_texture_registry(tag="textures")
        with dpg.drawlist(1, 1, tag="canvas_area"):
            dpg.add_draw_layer(tag="picture")

    @property
    def gl_error(self) -> str:
        """Why there is no OpenGL, in one line; "" while there is."""
        return self._painter.error

    @property
    def idle(self) -> bool:
        """Whether a frame submitted now is drawn at once."""
        return not self._painter.busy

    @property
    def pending(self) -> bool:
        """Whether something is about to appear on screen."""
        return self._painter.busy or self._frames_until_shown > 0 or self._next is not None

    def resize(self, size: tuple[int, int]) -> None:
        """Change width and height, pixels."""
        self.size = size
        dpg.configure_item("canvas_area", width=size[0], height=size[1])
        self._drawn_key = None

    def frame_scale(self, moving: bool) -> float:
        """Return the resolution of the next frame as a fraction of the viewport's."""
        if not moving:
            return 1.0
        full = self._paint_s_per_pixel * self.size[0] * self.size[1]
        wanted = math.sqrt(MAX_MOVING_PAINT_S / full) if full > 0 else 1.0
        if (
            not 0.8 * self._frame_scale < wanted < 1.5 * self._frame_scale
        ):  # else it would go to and fro
            self._frame_scale = next((s for s in FRAME_SCALES if s <= wanted), FRAME_SCALES[-1])
        return self._frame_scale

    def submit(self, frame: Frame) -> None:
        """Show ``frame`` as soon as it is drawn."""
        self._painter.submit(frame)

    def poll(self) -> Frame | None:
        """Return the frame that appears now, if one does; once per frame of the window."""
        self._frames_until_shown = max(self._frames_until_shown - 1, 0)
        self._swap_texture()
        painted = self._painter.take_result()
        if painted is None:
            return None
        width, height = painted.frame.size
        self._paint_s_per_pixel += 0.3 * (
            painted.seconds / (width * height) - self._paint_s_per_pixel
        )
        self._frames_until_shown = TEXTURE_LATENCY_FRAMES
        if painted.depths is not None and painted.frame.camera is not None:
            self._depths = painted.frame.camera, painted.depths
        self._load(painted.pixels)
        return painted.frame

    def _load(self, pixels: np.ndarray) -> None:
        height, width = pixels.shape[:2]
        if self._texture is not None and self._texture.fits(height, width):
            self._discard_next()
            self._texture.load(pixels)
            self._draw_image(self._texture)
            return
        if self._next is None or not self._next.fits(height, width):
            self._discard_next()
            self._next, self._next_in = Texture(height, width), TEXTURE_LATENCY_FRAMES
        self._next.load(pixels)

    def _discard_next(self) -> None:
        if self._next is not None:
            self._next.delete()
            self._next = None

    def _swap_texture(self) -> None:
        """Show the next texture in place of the current one, if it is ready."""
        self._next_in = max(self._next_in - 1, 0)
        if self._next is None or self._next_in:
            return
        if not self._next.upload():
            disable_direct_upload()
            pixels, self._next = self._next.pixels, None
            self._load(pixels)
            return
        before, self._texture, self._next = self._texture, self._next, None
        self._draw_image(self._texture)
        if before is not None:
            before.delete()

    def depth_at(self, x: float, y: float, camera: OrbitCamera) -> float | None:
        """Return the distance of the surface seen at a pixel.

        Args:
            x: Pixels from the left.
            y: Pixels from the top.
            camera: The current camera.

        Returns:
            Scene units from the camera's plane; None where there is no surface, or the depths are
            of an earlier camera.
        """
        pose = camera.scene_from_camera
        if self._depths is not None and self._depths[0] == camera:
            depth = _lookup_depth(self._depths[1], x, y, camera)
            origin, direction = ray(x, y, camera, self.size)
            self._last_hit = (
                None
                if depth is None
                else (x, y, origin + direction * depth / (direction @ pose[:3, 2]))
            )
            return depth
        if self._last_hit is None or math.dist((x, y), self._last_hit[:2]) > SAME_PLACE_PX:
            return None
        pixel, before = project(self._last_hit[2], camera, self.size)
        if not before or math.dist((x, y), pixel.tolist()) > SAME_PLACE_PX:
            return None
        return float((self._last_hit[2] - pose[:3, 3]) @ pose[:3, 2])

    def _draw_image(self, texture: Texture) -> None:
        place = (texture.tag, self.size, texture.uv_max)
        if place == self._drawn_key:
            return
        self._drawn_key = place
        dpg.delete_item("picture", children_only=True)
        dpg.draw_image(
            texture.tag,
            (0, 0),
            self.size,
            parent="picture",
            uv_min=texture.uv_min,
            uv_max=texture.uv_max,
        )


def _lookup_depth(depths: np.ndarray, x: float, y: float, camera: OrbitCamera) -> float | None:
    row, column = int(y), int(x)
    if not (0 <= row < depths.shape[0] and 0 <= column < depths.shape[1]):
        return None
    return camera_depth(camera, float(depths[row, column]))
