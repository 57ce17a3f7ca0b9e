"""Builds cameras, region, ground and axes as lines, dots and images in space. Pure.

Everything is in the scene frame; colours are sRGB uint8 with alpha.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from app.gl.frame import DOT, LINE, PHOTO
from app.viewport.orbit_camera import OrbitCamera
from core.geometry.box import Box

Color = tuple[int, int, int, int]
FRUSTUM_LENGTH = 0.12
"""Scene units from the eye to the far end of a frustum."""
GRID_CELLS = 10
"""Approximate number of grid cells across the region, in each direction."""
GROUND_GAP = 0.003
"""Gap between region and grid as a fraction of the region's width, so that lines do not mix."""
AXIS_COLORS: tuple[Color, Color, Color] = (
    (214, 84, 84, 255),
    (112, 184, 92, 255),
    (90, 140, 226, 255),
)
LETTER_WIDTH = 0.75
"""Width of letters as a fraction of their height."""
_LETTERS = (
    (((0, 0), (1, 1)), ((0, 1), (1, 0))),
    (((0, 0), (0.5, 0.5)), ((1, 0), (0.5, 0.5)), ((0.5, 0.5), (0.5, 1))),
    (((0, 0), (1, 0)), ((1, 0), (0, 1)), ((0, 1), (1, 1))),
)
"""Strokes of X, Y and Z between corners of a square, from its upper left."""
_FRUSTUM_EDGES = ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1))
_BOX_EDGES = tuple((k, k | 1 << i) for k in range(8) for i in range(3) if not k >> i & 1)


def line_records(ends: np.ndarray, color: Color | np.ndarray, width: float = 1.0) -> np.ndarray:
    """Build lines.

    Args:
        ends: [N, 2, 3].
        color: One colour for all, or uint8 [N, 4].
        width: Pixels.

    Returns:
        [N] `LINE`.
    """
    out = np.zeros(len(ends), LINE)
    out["a"], out["b"] = ends[:, 0], ends[:, 1]
    out["color"], out["width"] = color, width
    return out


def dot_records(points: np.ndarray, color: Color, width: float) -> np.ndarray:
    """Build [N] `DOT` at ``points`` [N, 3], ``width`` pixels across."""
    out = np.zeros(len(points), DOT)
    out["at"], out["color"], out["width"] = points, color, width
    return out


def frusta(poses: np.ndarray, lenses: Sequence[tuple[float, float]]) -> np.ndarray:
    """Compute the eye and the far corners of camera frusta.

    Args:
        poses: scene_from_camera [N, 4, 4].
        lenses: Of each camera the vertical field of view, radians, and the aspect ratio.

    Returns:
        [N, 5, 3]: eye, upper left, upper right, lower right, lower left.
    """
    y = np.tan(np.array([angle for angle, _ in lenses]) / 2)
    x = y * [aspect for _, aspect in lenses]
    one, nothing = np.ones_like(x), np.zeros_like(x)
    corners = np.stack(
        [
            np.stack(corner, -1)
            for corner in (
                (nothing, nothing, nothing),
                (-x, -y, one),
                (x, -y, one),
                (x, y, one),
                (-x, y, one),
            )
        ],
        1,
    )
    local = FRUSTUM_LENGTH * corners
    return np.einsum("nij,nkj->nki", poses[:, :3, :3], local) + poses[:, None, :3, 3]


def frustum_lines(
    corners: np.ndarray, color: Color, chosen: int | None, bright: Color
) -> np.ndarray:
    """Build the edges of frusta.

    Args:
        corners: [N, 5, 3], see `frusta`.
        color: Of all but the chosen one.
        chosen: Number of the highlighted frustum; None for none.
        bright: Colour of the highlighted frustum.

    Returns:
        [8 N] `LINE`.
    """
    ends = corners[:, np.array(_FRUSTUM_EDGES)]
    out = line_records(ends.reshape(-1, 2, 3), color)
    if chosen is not None and chosen < len(corners):
        its = out.reshape(len(corners), -1)[chosen]
        its["color"], its["width"] = bright, 2.0
    return out


def photo_records(corners: np.ndarray) -> np.ndarray:
    """Build [N] `PHOTO` at the far ends of ``corners`` [N, 5, 3], see `frusta`."""
    out = np.zeros(len(corners), PHOTO)
    out["center"] = corners[:, 1:].mean(1)
    out["right"] = (corners[:, 2] - corners[:, 1]) / 2
    out["down"] = (corners[:, 4] - corners[:, 1]) / 2
    return out


def box_lines(box: Box, color: Color) -> np.ndarray:
    """Build [12] `LINE` along the edges of ``box``."""
    return line_records(box.corners()[np.array(_BOX_EDGES)], color, 1.5)


def ground_grid(upright_from_scene: np.ndarray, region: Box, color: Color) -> np.ndarray:
    """Build a level grid below the region, and the axes of the upright frame at its centre.

    The cells measure 1, 2 or 5 times a power of ten of the unit; lines fade with the distance.

    Args:
        upright_from_scene: [4, 4], a similarity.
        region: The region, scene frame.
        color: Of the grid's lines.

    Returns:
        `LINE`; the last three are the axes +X, +Y and +Z.
    """
    scene_from_upright = np.linalg.inv(upright_from_scene)
    corners = region.corners() @ upright_from_scene[:3, :3].T + upright_from_scene[:3, 3]
    low: np.ndarray = corners.min(0)
    high: np.ndarray = corners.max(0)
    reach = float(np.linalg.norm(high[:2] - low[:2]))
    step = _round_step(reach / GRID_CELLS)
    center = ((low[:2] + high[:2]) / 2 / step).round() * step
    n = math.ceil(reach / step)
    level = low[2] - GROUND_GAP * reach
    cells = np.arange(-n, n + 1)
    i, j = np.meshgrid(cells, cells, indexing="ij")
    at = np.stack([center[0] + i * step, center[1] + j * step, np.full(i.shape, level)], -1)
    ends = [
        np.stack([at[:-1], at[1:]], 2).reshape(-1, 2, 3),
        np.stack([at[:, :-1], at[:, 1:]], 2).reshape(-1, 2, 3),
    ]
    grid = np.concatenate(ends)
    middle = grid.mean(1)[:, :2] - center
    fade = np.clip(1 - np.linalg.norm(middle, axis=1) / (n * step), 0, 1)
    colors = np.tile(np.array(color, float), (len(grid), 1))
    colors[:, 3] *= fade
    seen = fade > 0.02
    out = line_records(_transform(grid[seen], scene_from_upright), colors[seen].astype(np.uint8))
    foot = np.append(center, level)
    axes = np.stack([np.tile(foot, (3, 1)), foot + 2 * step * np.eye(3)], 1)
    colored = line_records(
        _transform(axes, scene_from_upright), np.array(AXIS_COLORS, np.uint8), 2.0
    )
    return np.concatenate([out, colored])


def axis_labels(
    axes: np.ndarray, camera: OrbitCamera, size: tuple[int, int], height: float
) -> np.ndarray:
    """Build the letters X, Y and Z beyond the ends of axes, facing the camera.

    Args:
        axes: [3] `LINE`.
        camera: The camera.
        size: Width and height of the viewport, pixels.
        height: Of the letters, pixels.

    Returns:
        [8] `LINE`.
    """
    pose = camera.scene_from_camera
    depth = np.maximum((axes["b"] - pose[:3, 3]) @ pose[:3, 2], 0.0)
    visible = np.full(3, camera.span) if camera.span else 2 * math.tan(camera.fov_y / 2) * depth
    tall = height * visible / size[1]
    along = axes["b"] - axes["a"]
    at = axes["b"] + along / np.linalg.norm(along, axis=1, keepdims=True) * tall[:, None]
    drawn: list[np.ndarray] = []
    for letter, place, large, color in zip(_LETTERS, at, tall, axes["color"]):
        strokes = (np.array(letter) - 0.5) * large * (LETTER_WIDTH, 1.0)
        drawn.append(line_records(place + strokes @ pose[:3, :2].T, color, 1.5))
    return np.concatenate(drawn)


def _round_step(about: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is at most ``about``."""
    power = 10.0 ** math.floor(math.log10(max(about, 1e-12)))
    return max(k * power for k in (1, 2, 5) if k * power <= about * (1 + 1e-9))


def _transform(ends: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return ends @ matrix[:3, :3].T + matrix[:3, 3]
