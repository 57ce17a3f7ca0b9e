"""Frames as OpenGL draws them, in software where there is no other."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from app.gl import shapes
from app.gl.frame import Frame, Picture, Surface, camera_depth, clip_from_scene, tan_half_fov
from app.gl.painter import Painter
from app.viewport.orbit_camera import PARALLEL_FROM, OrbitCamera
from app.viewport.projection import project, ray

SIZE = (160, 120)
CAMERAS = [OrbitCamera(distance=2.5), OrbitCamera(distance=2.5, parallel=True)]
RED, GREEN = (255, 0, 0, 255), (0, 255, 0, 255)


@pytest.fixture(scope="module")
def painter():
    painted = threading.Event()
    painter = Painter(painted.set)

    def paint(frame):
        painted.clear()
        painter.submit(frame)
        assert painted.wait(60)
        assert not painter.error
        return painter.take_result().pixels

    try:
        paint(frame(CAMERAS[0]))
    except AssertionError:
        pytest.skip(f"no OpenGL here: {painter.error}")
    return paint


def frame(camera, **things):
    return Frame(
        SIZE,
        clip_from_scene(camera, SIZE),
        camera.scene_from_camera[:3, 3],
        tan_half_fov(camera, SIZE),
        fade_distance=PARALLEL_FROM if camera.parallel else camera.distance,
        **things,
    )


def packed(normals):
    return np.pad(np.round((normals + 1) * 127.5), ((0, 0), (0, 1))).astype(np.uint8)


def where(pixels, color):
    """[x, y] of the middle of what has roughly this colour."""
    rows, columns = np.nonzero((np.abs(pixels.astype(int) - color) < 60).all(-1))
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


@pytest.mark.parametrize("camera", CAMERAS)
def test_dots_and_lines_are_drawn_where_they_project(painter, camera):
    a, b = np.array([[0.2, -0.1, 0.3], [-0.4, 0.3, -0.1]])
    places, _ = project(np.stack([a, b]), camera, SIZE)
    dot = shapes.dot_records(a[None], RED, 9)
    assert where(painter(frame(camera, markers=dot)), RED) == pytest.approx(places[0], abs=0.6)
    line = shapes.line_records(np.array([[a, b]]), GREEN, 3)
    assert where(painter(frame(camera, lines=line)), GREEN) == pytest.approx(
        places.mean(0), abs=1.5 if camera.parallel else 4
    )


def test_a_line_that_begins_behind_the_camera_is_seen_where_it_is_before_it(painter):
    camera = CAMERAS[0]
    pose = camera.scene_from_camera
    ahead, behind = (pose[:3, 3] + pose[:3, :3] @ v for v in ((0, 0, 1.0), (0.4, 0, -1.0)))
    line = shapes.line_records(np.array([[behind, ahead]]), GREEN, 3)
    seen = (painter(frame(camera, lines=line))[..., 1] > 200).nonzero()
    assert seen[1].max() == SIZE[0] - 1
    assert seen[1].min() == pytest.approx(SIZE[0] / 2, abs=2)


@pytest.mark.parametrize("size", [SIZE, (40, 30)])
def test_the_picture_fills_the_frame_its_first_row_above(painter, size):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[: size[1] // 2, :, 0] = 200
    image[:, size[0] // 2 :, 2] = 100
    out = painter(frame(CAMERAS[0], picture=Picture(image)))
    grown = image.repeat(SIZE[1] // size[1], 0).repeat(SIZE[0] // size[0], 1)
    away = np.abs(out[..., :3].astype(int) - grown)
    assert (away > 3).mean() <= (0 if size == SIZE else 0.08), "but where it is smoothed"


@pytest.mark.parametrize("camera", CAMERAS)
def test_what_lies_behind_the_surface_in_the_picture_is_hidden(painter, camera):
    origin, direction = ray(80.5, 60.5, camera, SIZE)
    t = float((np.array(camera.pivot) - origin) @ direction)
    near, far = origin + (t - 0.1) * direction, origin + (t + 0.1) * direction
    picture = Picture(np.full((30, 40, 3), 50, np.uint8), np.full((30, 40), t, np.float32))
    for place, seen in ((near, True), (far, False)):
        dots = shapes.dot_records(place[None], RED, 9)
        out = painter(frame(camera, picture=picture, dots=dots))
        assert (out[60, 80, 0] > 100) == seen
        out = painter(frame(camera, picture=Picture(picture.pixels), dots=dots))
        assert out[60, 80, 0] > 100, "nobody knows where the surface is"
    outline = shapes.line_records(np.array([[far - 0.3, far + 0.3]]), GREEN, 5)
    through = painter(frame(camera, picture=picture, outlines=outline))[60, 80, 1]
    assert 70 < through < 160, "faintly"


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_mesh_hides_what_is_behind_it_in_each_style(painter, camera):
    pose = camera.scene_from_camera
    corners = np.array([[-1, -1, 0], [1, -1, 0], [0, 1.5, 0]]) @ pose[:3, :3].T
    surface = Surface(
        corners.astype("f4"),
        packed(np.tile(-pose[:3, 2], (3, 1))),
        np.tile(np.uint8([255, 255, 0, 255]), (3, 1)),
        np.array([[0, 1, 2]], np.uint32),
    )
    behind = shapes.dot_records((0.3 * pose[:3, 2])[None], RED, 9)
    looks = {}
    for style in ("shaded", "colored", "wireframe"):
        out = painter(frame(camera, surface=surface, style=style, dots=behind))
        assert not (out[..., 0].astype(int) - out[..., 1] > 100).any(), "the dot is hidden"
        looks[style] = out[60, 80, :3].tolist()
    assert min(looks["shaded"]) > 170
    assert looks["colored"][2] < 30 < looks["colored"][0]
    assert max(looks["wireframe"]) < 60, "between the wires"


def test_thumbnails_stand_upright_in_their_frusta(painter):
    camera = CAMERAS[0]
    pose = camera.scene_from_camera.copy()
    pose[:3, 3] = pose[:3, 3] + 0.4 * pose[:3, 2]
    corners = shapes.frusta(pose[None], [(0.9, 4 / 3)])
    thumbnails = np.zeros((1, 30, 40, 3), np.uint8)
    thumbnails[0, :15] = RED[:3]
    thumbnails[0, 15:] = GREEN[:3]
    out = painter(frame(camera, photos=shapes.photo_records(corners), thumbnails=thumbnails))
    edges, _ = project(corners[0, 1:], camera, SIZE)
    assert where(out, RED)[1] < 60 < where(out, GREEN)[1]
    assert where(out, RED)[0] == pytest.approx(80, abs=1)
    rows = np.nonzero((out[..., 0] > 200).any(1))[0]
    assert rows[0] == pytest.approx(edges[:, 1].min(), abs=1.5)


def test_half_a_million_triangles_are_drawable(painter):
    n = 500
    u, v = np.meshgrid(np.linspace(0, np.pi, n), np.linspace(0, 2 * np.pi, n + 1), indexing="ij")
    points = np.stack([np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)], -1)
    index = np.arange(n * (n + 1)).reshape(n, n + 1)
    quads = [index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]]
    a, b, c, d = (q.ravel() for q in quads)
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.uint32)
    flat = points.reshape(-1, 3)
    white = np.full((len(flat), 4), 255, np.uint8)
    surface = Surface(0.5 * flat.astype("f4"), packed(flat), white, faces)
    assert len(faces) > 498_000
    first = frame(CAMERAS[0], surface=surface)
    painter(first)
    began = time.perf_counter()
    out = painter(replace(first, pixel_scale=1.0))
    assert time.perf_counter() - began < 5, "far more than it takes in software"
    assert out[60, 80, 0] > 150


@pytest.mark.parametrize("camera", CAMERAS)
def test_depths_of_picture_and_mesh_are_told(camera):
    done = threading.Event()
    painter = Painter(done.set)
    picture = Picture(np.full((120, 160, 3), 50, np.uint8), np.full((120, 160), np.inf, np.float32))
    point = np.array([0.2, -0.1, 0.3])
    (x, y), _ = project(point, camera, SIZE)
    origin, _ = ray(x, y, camera, SIZE)
    picture.distance[int(y), int(x)] = np.linalg.norm(point - origin)
    painter.submit(frame(camera, picture=picture, wants_depths=True))
    assert done.wait(60)
    if painter.error:
        pytest.skip(f"no OpenGL here: {painter.error}")
    depths = painter.take_result().depths
    pose = camera.scene_from_camera
    wanted = (point - pose[:3, 3]) @ pose[:3, 2]
    assert camera_depth(camera, depths[int(y), int(x)]) == pytest.approx(wanted, abs=0.01)
    assert camera_depth(camera, depths[0, 0]) is None


def test_thumbnails_without_cameras_are_nothing_to_paint(painter):
    empty = painter(frame(CAMERAS[0]))
    closed = frame(
        CAMERAS[0],
        photos=shapes.photo_records(shapes.frusta(np.zeros((0, 4, 4)), [])),
        thumbnails=np.zeros((2, 4, 6, 3), np.uint8),
        dots=shapes.dot_records(np.zeros((0, 3)), RED, 3.0),
        lines=np.zeros(0, shapes.LINE),
    )
    np.testing.assert_array_equal(painter(closed), empty)
