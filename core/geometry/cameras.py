"""Lenses: pixels to directions and back, with the true distortion inverted.

Models: pinhole; "opencv", the rational radial and tangential model of OpenCV and COLMAP
(Brown 1971); "fisheye", the equidistant polynomial (Kannala and Brandt 2006). Normalised image
coordinates are x/z, y/z in the camera frame (OpenCV axes).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.base.shapes import check_shapes

CameraModel = Literal["pinhole", "opencv", "fisheye"]


@dataclass(frozen=True)
class Intrinsics:
    """Intrinsics of an upright photo, in pixels; the centre of the top-left pixel is (0.5, 0.5)."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    model: CameraModel = "pinhole"
    distortion: tuple[float, ...] = ()
    """(k1, k2, p1, p2, k3, k4, k5, k6) for "opencv" (a missing tail is 0), (k1, k2, k3, k4) for
    "fisheye" (equidistant), empty for a pinhole"""

    def scaled(self, width: int, height: int) -> Intrinsics:
        """Return the intrinsics of the photo resized to ``width`` x ``height``."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=self.cx * sx,
            cy=self.cy * sy,
        )

    def shrunk(self, max_side: int) -> Intrinsics:
        """Return the intrinsics of the photo downscaled to at most ``max_side`` pixels a side."""
        ratio = max_side / max(self.width, self.height)
        if ratio >= 1:
            return self
        return self.scaled(max(1, round(self.width * ratio)), max(1, round(self.height * ratio)))


def project(intrinsics: Intrinsics, points_camera: np.ndarray) -> np.ndarray:
    """Project points to pixels.

    Args:
        intrinsics: of the photo.
        points_camera: [N, 3] in the camera frame (OpenCV axes).

    Returns:
        Pixels [N, 2]; NaN where the lens has no such ray: behind a pinhole or opencv lens, and so
        far off axis that the distortion polynomial, fitted to the photo only, folds back.
    """
    check_shapes(points_camera=(points_camera, "N 3"))
    points = np.asarray(points_camera, np.float64)
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    if intrinsics.model == "fisheye":
        radius = np.hypot(x, y)
        coefficients = _padded(intrinsics, 4)
        theta = np.arctan2(radius, z)
        theta = np.where(theta <= _first_fold(_fisheye_radius, coefficients, np.pi), theta, np.nan)
        stretch = _fisheye_radius(theta, coefficients) / np.maximum(radius, 1e-12)
        plane = np.stack([x, y], 1) * np.where(radius > 1e-12, stretch, 1.0)[:, None]
    else:
        plane = points[:, :2] / np.where(z > 0, z, np.nan)[:, None]
        if intrinsics.model == "opencv":
            coefficients = _padded(intrinsics, 8)
            reach = _first_fold(_radial_radius, coefficients, 10.0)
            with np.errstate(invalid="ignore"):
                plane[np.linalg.norm(plane, axis=1) > reach] = np.nan
            plane = _distort(plane, coefficients)[0]
    focal = np.array([intrinsics.fx, intrinsics.fy])
    return plane * focal + np.array([intrinsics.cx, intrinsics.cy])


def pixel_directions(intrinsics: Intrinsics, uv: np.ndarray) -> np.ndarray:
    """Return unit directions [N, 3] in the camera frame of pixel positions ``uv`` [N, 2]."""
    check_shapes(uv=(uv, "N 2"))
    focal = np.array([intrinsics.fx, intrinsics.fy])
    plane = (np.asarray(uv, np.float64) - [intrinsics.cx, intrinsics.cy]) / focal
    if intrinsics.model == "fisheye":
        radius = np.linalg.norm(plane, axis=1)
        theta = _fisheye_theta(radius, _padded(intrinsics, 4))
        sideways = plane / np.maximum(radius, 1e-12)[:, None] * np.sin(theta)[:, None]
        return np.concatenate([sideways, np.cos(theta)[:, None]], 1)
    if intrinsics.model == "opencv":
        plane = _undistort(plane, _padded(intrinsics, 8))
    directions = np.concatenate([plane, np.ones((len(plane), 1))], 1)
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _padded(intrinsics: Intrinsics, length: int) -> np.ndarray:
    out = np.zeros(length)
    out[: len(intrinsics.distortion)] = intrinsics.distortion
    return out


def _first_fold(
    profile: Callable[[np.ndarray, np.ndarray], np.ndarray], coefficients: np.ndarray, limit: float
) -> float:
    """Return where a radial profile first stops increasing, at most ``limit``."""
    at = np.linspace(0.0, limit, 2001)
    falls = np.flatnonzero(np.diff(profile(at, coefficients)) <= 0)
    return float(at[falls[0]]) if len(falls) else limit


def _radial_radius(radius: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    k1, k2, _, _, k3, k4, k5, k6 = coefficients
    r2 = radius * radius
    numerator = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return radius * numerator / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))


def _distort(plane: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distorted normalised coordinates [N, 2] and their Jacobian [N, 2, 2]."""
    k1, k2, p1, p2, k3, k4, k5, k6 = coefficients
    x, y = plane[:, 0], plane[:, 1]
    r2 = x * x + y * y
    numerator = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    denominator = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    radial = numerator / denominator
    slope = (
        (k1 + r2 * (2 * k2 + 3 * k3 * r2)) - radial * (k4 + r2 * (2 * k5 + 3 * k6 * r2))
    ) / denominator
    out = np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y * y),
        ],
        1,
    )
    mixed = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y
    jacobian = np.empty((len(plane), 2, 2))
    jacobian[:, 0, 0] = radial + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x
    jacobian[:, 0, 1] = jacobian[:, 1, 0] = mixed
    jacobian[:, 1, 1] = radial + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x
    return out, jacobian


def _undistort(distorted: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Invert `_distort` by Newton's method.

    Steps are bounded, since the polynomial folds back far outside the photo.
    """
    plane = distorted.copy()
    for _ in range(20):
        value, jacobian = _distort(plane, coefficients)
        a, b, d = jacobian[:, 0, 0], jacobian[:, 0, 1], jacobian[:, 1, 1]
        determinant = a * d - b * b
        determinant = np.where(np.abs(determinant) < 1e-3, 1e-3, determinant)
        ex, ey = (distorted - value).T
        step = np.stack([d * ex - b * ey, a * ey - b * ex], 1) / determinant[:, None]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        plane += step * np.minimum(1.0, 0.5 / np.maximum(length, 1e-12))
        if length.size == 0 or length.max() < 1e-12:
            break
    return plane


def _fisheye_radius(theta: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    t2 = theta * theta
    k1, k2, k3, k4 = coefficients
    return theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))


def _fisheye_theta(radius: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    k1, k2, k3, k4 = coefficients
    farthest = _first_fold(_fisheye_radius, coefficients, np.pi)
    theta = np.minimum(radius, farthest)
    for _ in range(20):
        t2 = theta * theta
        slope = 1 + t2 * (3 * k1 + t2 * (5 * k2 + t2 * (7 * k3 + t2 * 9 * k4)))
        step = (radius - _fisheye_radius(theta, coefficients)) / np.maximum(slope, 1e-3)
        theta = np.clip(theta + np.clip(step, -0.3, 0.3), 0.0, farthest)
    return theta
