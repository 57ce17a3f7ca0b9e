"""Pure functions on [4, 4] transforms, float64, named right to left.

A rigid transform has an orthonormal rotation of determinant +1; a similarity has that rotation
times one positive scale.
"""

import numpy as np

CV_FROM_GL = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenGL camera axes (+Y up, -Z forward) to OpenCV axes; its own inverse."""

Y_UP_FROM_Z_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""Y-up world axes, as of most modelling programs, from Z-up ones."""


def similarity(scale: float, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Return [4, 4] of ``x ↦ scale · rotation · x + translation``."""
    out = np.eye(4)
    out[:3, :3] = scale * np.asarray(rotation, np.float64)
    out[:3, 3] = translation
    return out


def similarity_scale(transform: np.ndarray) -> float:
    """Return the scale of a similarity [4, 4]."""
    return float(np.cbrt(np.linalg.det(transform[:3, :3])))


def invert(transform: np.ndarray) -> np.ndarray:
    """Return the inverse of a rigid transform or similarity [..., 4, 4]."""
    linear = np.asarray(transform, np.float64)[..., :3, :3]
    squared_scale = np.cbrt(np.linalg.det(linear))[..., None, None] ** 2
    out = np.zeros((*linear.shape[:-2], 4, 4))
    out[..., :3, :3] = np.swapaxes(linear, -1, -2) / squared_scale
    out[..., :3, 3] = -(out[..., :3, :3] @ transform[..., :3, 3, None])[..., 0]
    out[..., 3, 3] = 1.0
    return out


def transform_points(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return ``points`` [N, 3] transformed by ``transform`` [4, 4]."""
    return points @ transform[:3, :3].T + transform[:3, 3]


def transform_pose(similarity: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Return a camera ``pose`` [4, 4] transformed by ``similarity`` [4, 4].

    The scale is removed from the rotation, so that the pose is rigid and directions stay unit.
    """
    transformed = similarity @ pose
    transformed[:3, :3] /= similarity_scale(similarity)
    return transformed


def world_from_opengl_camera(world_from_camera: np.ndarray) -> np.ndarray:
    """Convert camera poses [..., 4, 4] between OpenGL and OpenCV camera axes, either way."""
    return world_from_camera @ CV_FROM_GL


def nearest_rigid(transform: np.ndarray) -> np.ndarray:
    """Return the rigid transform nearest to ``transform`` [4, 4].

    Scale and shear are removed from the rotation; the translation is kept.

    Raises:
        ValueError: where the linear part is not finite, singular or mirrored.
    """
    linear = np.asarray(transform, np.float64)[:3, :3]
    if not np.isfinite(transform).all():
        raise ValueError("it holds NaN or infinite numbers")
    u, singular_values, vt = np.linalg.svd(linear)
    if singular_values[2] <= 1e-6 * max(singular_values[0], 1e-300):
        raise ValueError("it is singular")
    if np.linalg.det(linear) < 0:
        raise ValueError("it mirrors (negative determinant)")
    return similarity(1.0, u @ vt, np.asarray(transform, np.float64)[:3, 3])


def rotation_about_z(angle: float) -> np.ndarray:
    """Return the rotation [3, 3] by ``angle`` radians from +X towards +Y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def rotation_between(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the smallest rotation [3, 3] of unit vector ``source`` to unit vector ``target``."""
    between = source + target
    one_plus_cosine = float(between @ between) / 2  # 1 + cos itself has no digits near half a turn
    if one_plus_cosine < 1e-12:  # half a turn about any axis across the source, and what is left
        axis = np.cross(source, np.eye(3)[np.argmin(np.abs(source))])
        axis /= np.linalg.norm(axis)
        return rotation_between(-source, target) @ (2 * np.outer(axis, axis) - np.eye(3))
    x, y, z = np.cross(source, target)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / one_plus_cosine
