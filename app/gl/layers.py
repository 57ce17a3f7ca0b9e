"""What a frame consists of: each layer has a shader and its data on the GPU."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import moderngl
import numpy as np

from app.gl.frame import FAR, NEAR, Frame, Picture, Surface

HIDDEN_STRENGTH = 0.25
"""Opacity of outlines behind what hides them."""
MARKER_RIM_PX = 2.0
WIRE_DARK, WIRE_BRIGHT = 0.13, 0.75


class ShaderLayer:
    """A layer drawn by ``shaders/<name>.glsl``."""

    def __init__(self, context: moderngl.Context, name: str) -> None:
        text = (files("shaders") / f"{name}.glsl").read_text()
        self.context = context
        self.program = context.program(
            vertex_shader=f"#version 330\n#define VERTEX\n{text}",
            fragment_shader=f"#version 330\n{text}",
        )

    def set_uniforms(self, **uniforms: Any) -> None:
        """Set uniforms by name; those that the compiler optimised away are skipped."""
        for name, value in uniforms.items():
            if name in self.program:
                self.program[name] = value

    def set_matrix(self, matrix: np.ndarray) -> None:
        """Set the uniform ``clip_from_scene``, [4, 4]."""
        self.program["clip_from_scene"].write(matrix.T.astype("f4").tobytes())  # type: ignore[union-attr]


class InstanceLayer(ShaderLayer):
    """A layer of records of one dtype, uploaded when they change."""

    def __init__(self, context: moderngl.Context, name: str, layout: str, *names: str) -> None:
        super().__init__(context, name)
        self._layout, self._names = layout, names
        self._records: np.ndarray | None = None
        self._array: moderngl.VertexArray | None = None

    def draw_records(self, records: np.ndarray, mode: int, vertices: int) -> None:
        """Draw all ``records``.

        Args:
            records: [N], structured.
            mode: Primitive of OpenGL.
            vertices: Vertices for each record; 0 if each record is one vertex.
        """
        if records is not self._records:
            self._records = records
            if self._array is not None:
                self._array.release()
            buffer = self.context.buffer(np.ascontiguousarray(records).tobytes())
            content = [(buffer, self._layout, *self._names)]
            self._array = _vertex_array(self.context, self.program, content)
        assert self._array is not None
        if vertices:
            self._array.render(mode, vertices=vertices, instances=len(records))
        else:
            self._array.render(mode, vertices=len(records))


class LineLayer(InstanceLayer):
    """Lines of constant width on screen."""

    def __init__(self, context: moderngl.Context) -> None:
        super().__init__(context, "lines", "3f 3f 4f1 1f/i", "a", "b", "color", "width")

    def paint(self, frame: Frame, lines: np.ndarray, *, show_hidden: bool) -> None:
        """Draw ``lines`` [N] `LINE`; with ``show_hidden`` faintly where they are hidden, too."""
        self.set_matrix(frame.clip_from_scene)
        self.set_uniforms(half_size=(frame.size[0] / 2, frame.size[1] / 2), scale=frame.pixel_scale)
        self.set_uniforms(strength=1.0)
        self.draw_records(lines, moderngl.TRIANGLE_STRIP, 4)
        if show_hidden:
            self.context.depth_func = ">"
            self.set_uniforms(strength=HIDDEN_STRENGTH)
            self.draw_records(lines, moderngl.TRIANGLE_STRIP, 4)
            self.context.depth_func = "<="


class DotLayer(InstanceLayer):
    """Round dots."""

    def __init__(self, context: moderngl.Context) -> None:
        super().__init__(context, "dots", "3f 4f1 1f", "at", "color", "width")

    def paint(self, frame: Frame, dots: np.ndarray, *, as_markers: bool) -> None:
        """Draw ``dots`` [N] `DOT`; ``as_markers`` with a dark rim, and as bright far away."""
        self.set_matrix(frame.clip_from_scene)
        self.set_uniforms(eye=tuple(frame.eye), scale=frame.pixel_scale)
        self.set_uniforms(behind=tuple(np.mean(frame.background, axis=0)))
        self.set_uniforms(
            reach=0.0 if as_markers else frame.fade_distance,
            rim=MARKER_RIM_PX * frame.pixel_scale if as_markers else 0.0,
        )
        self.draw_records(dots, moderngl.POINTS, 0)


class PhotoLayer(InstanceLayer):
    """Thumbnails at the far end of camera frusta."""

    def __init__(self, context: moderngl.Context) -> None:
        super().__init__(context, "photos", "3f 3f 3f/i", "center", "right", "down")
        self._uploaded: np.ndarray | None = None
        self._textures: moderngl.TextureArray | None = None

    def paint(self, frame: Frame, photos: np.ndarray, thumbnails: np.ndarray) -> None:
        """Draw ``thumbnails`` uint8 [N, h, w, 3] on ``photos`` [N] `PHOTO`."""
        self._upload(thumbnails)
        assert self._textures is not None
        self._textures.use(0)
        self.set_matrix(frame.clip_from_scene)
        self.draw_records(photos[: self._textures.layers], moderngl.TRIANGLE_STRIP, 4)

    def _upload(self, thumbnails: np.ndarray) -> None:
        if thumbnails is self._uploaded:
            return
        self._uploaded = thumbnails
        if self._textures is not None:
            self._textures.release()
        some = thumbnails[: self.context.info["GL_MAX_ARRAY_TEXTURE_LAYERS"]]
        n, height, width = some.shape[:3]
        self._textures = self.context.texture_array(
            (width, height, n), 3, np.ascontiguousarray(some).tobytes(), alignment=1
        )
        self._textures.build_mipmaps()


class BackdropLayer(ShaderLayer):
    """The worker's image with its depths, or a gradient."""

    def __init__(self, context: moderngl.Context) -> None:
        super().__init__(context, "picture")
        corners = context.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())
        self._array = _vertex_array(context, self.program, [(corners, "2f", "corner")])
        self._uploaded: Picture | None = None
        self._pixels, self._distances = context.texture((1, 1), 3), context.texture((1, 1), 1)

    def paint(self, frame: Frame) -> None:
        """Fill the frame with its picture, or with its background."""
        picture = frame.picture
        if picture is not None:
            self._upload(picture)
            height, width = picture.pixels.shape[:2]
            self.set_uniforms(magnified=max(frame.size[0] / width, frame.size[1] / height))
        parallel = frame.tan_half_fov == (0.0, 0.0)
        depth_from = (
            (2 / FAR, -1.0)
            if parallel
            else ((FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR))
        )
        self.set_uniforms(
            has_pixels=picture is not None,
            slopes=frame.tan_half_fov,
            parallel=parallel,
            has_distances=picture is not None and picture.distance is not None,
            depth_from=depth_from,
            pixels=0,
            distances=1,
            upper=frame.background[0],
            lower=frame.background[1],
        )
        self._pixels.use(0)
        self._distances.use(1)
        self._array.render()

    def _upload(self, picture: Picture) -> None:
        if picture is self._uploaded:
            return
        self._uploaded = picture
        height, width = picture.pixels.shape[:2]
        if (self._pixels.width, self._pixels.height) != (width, height):
            self._pixels.release()
            self._pixels = self.context.texture((width, height), 3, alignment=1)
            self._pixels.repeat_x = self._pixels.repeat_y = False
        self._pixels.write(np.ascontiguousarray(picture.pixels), alignment=1)
        if picture.distance is not None:
            self._distances.release()
            size = picture.distance.shape[::-1]
            data = np.ascontiguousarray(picture.distance, np.float32)
            self._distances = self.context.texture(size, 1, data.tobytes(), dtype="f4")
            self._distances.filter = moderngl.NEAREST, moderngl.NEAREST
            self._distances.repeat_x = self._distances.repeat_y = False


class MeshLayer(ShaderLayer):
    """The live mesh."""

    def __init__(self, context: moderngl.Context) -> None:
        super().__init__(context, "surface")
        self._uploaded: Surface | None = None
        self._array: moderngl.VertexArray | None = None

    def paint(self, frame: Frame, surface: Surface) -> None:
        """Draw ``surface`` in the style of the frame."""
        self._upload(surface)
        assert self._array is not None
        self.set_matrix(frame.clip_from_scene)
        self.set_uniforms(eye=tuple(frame.eye), colored=frame.style == "colored", flat_color=-1.0)
        if frame.style != "wireframe":
            self._array.render()
            return
        self.context.polygon_offset = 1.0, 1.0
        self.set_uniforms(flat_color=WIRE_DARK)
        self._array.render()
        self.context.polygon_offset = 0.0, 0.0
        self.context.wireframe = True
        self.set_uniforms(flat_color=WIRE_BRIGHT)
        self._array.render()
        self.context.wireframe = False

    def _upload(self, surface: Surface) -> None:
        if surface is self._uploaded:
            return
        self._uploaded = surface
        if self._array is not None:
            self._array.release()
        buffer = self.context.buffer
        self._array = _vertex_array(
            self.context,
            self.program,
            [
                (buffer(surface.vertices.tobytes()), "3f", "position"),
                (buffer(surface.normals.tobytes()), "4f1", "normal"),
                (buffer(surface.colors.tobytes()), "4f1", "color"),
            ],
            index_buffer=buffer(surface.faces.astype("u4").tobytes()),
        )


def _vertex_array(
    context: moderngl.Context,
    program: moderngl.Program,
    content: list[tuple[Any, ...]],
    index_buffer: moderngl.Buffer | None = None,
) -> moderngl.VertexArray:
    """Like ``context.vertex_array``, which is only partly typed."""
    untyped: Any = context
    return untyped.vertex_array(program, content, index_buffer=index_buffer)
