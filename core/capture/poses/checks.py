"""Plausibility of solved poses: a silent wrong answer is the worst one.

Part of the solving process (`process`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.base.text import Text, plural, text

Links = dict[str, dict[str, int]]
"""Number of verified matches (inliers of the two-view geometry) of each pair of photos, by the
names of both."""

_MIN_TRIANGULATION_ANGLE = 2.0
"""Degrees, median of all points; below, depths are guesses."""
_MIN_TRACK_RATIO = 0.25
"""Points of a photo over its matches with its best partner; less where the camera only turned."""
MAX_MEAN_ERROR_PX = 2.0
"""Mean reprojection error, pixels of working copies; above, something is wrong."""
_MIN_VIEW, _MAX_VIEW, _MAX_FISHEYE_VIEW = 18.0, 140.0, 220.0
"""Plausible degrees of view along the longer side, unless EXIF says so too."""
WIDE_VIEW = 90.0
"""Degrees of view from which on a lens may be a fisheye."""
_MAX_EXIF_RATIO = 1.35
"""Solved focal length over that of EXIF, or its inverse; above, one of the two is wrong."""
_MAX_BEHIND_RATIO = 0.05
"""Fraction of a photo's points that may lie behind it."""
_MIN_DEPTH_RATIO = 0.02
"""Median depth of a photo's points over that of all photos; less where it is inside the scene."""
_MAX_DISTANCE_RATIO = 12.0
"""Distance of a camera from the median of all cameras, over the median of these distances."""


def pose_warnings(model: Any, links: Links, exif_focals: dict[str, float]) -> list[Text]:
    """Return reasons to doubt solved poses, the most serious first.

    Args:
        model: a pycolmap Reconstruction.
        links: of the database that it was solved from.
        exif_focals: focal lengths in pixels of ``model``, by the photo's name.
    """
    warnings: list[Text] = []
    angle, error = triangulation_angle(model), float(model.compute_mean_reprojection_error())
    if angle < _MIN_TRIANGULATION_ANGLE or _track_ratio(model, links) < _MIN_TRACK_RATIO:
        warnings.append(
            text(
                "The photos were taken from nearly one place, so poses and depths are "
                "guesses: walk around the subject instead of turning on the spot"
            )
        )
    if error > MAX_MEAN_ERROR_PX:
        warnings.append(
            text("Poses are inaccurate ({error:.1f} pixels): was the subject moving?", error=error)
        )
    return [*warnings, *_camera_warnings(model), *lens_warnings(model, exif_focals)]


def triangulation_angle(model: Any) -> float:
    """Return the median over some points of the widest angle between two of their rays, degrees."""
    points = list(model.points3D.values())
    points = points[:: max(1, len(points) // 2000)]
    centers = {i: image.projection_center() for i, image in model.images.items() if image.has_pose}
    angles: list[float] = []
    for point in points:
        seen = [centers[e.image_id] for e in point.track.elements if e.image_id in centers]
        rays = np.array(seen) - point.xyz
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        angles.append(float(np.degrees(np.arccos(np.clip((rays @ rays.T).min(), -1, 1)))))
    return float(np.median(angles)) if angles else 0.0


def _track_ratio(model: Any, links: Links) -> float:
    """Return the number of points per match of each photo with its best partner.

    Without a baseline hardly any match becomes a point, and those few at any angle.
    """
    placed = [image for image in model.images.values() if image.has_pose]
    matches = sum(max(links.get(image.name, {}).values(), default=0) for image in placed)
    return sum(image.num_points3D for image in placed) / max(matches, 1)


def _camera_warnings(model: Any) -> list[Text]:
    """Return warnings about cameras at implausible positions."""
    depths = {i: d for i, d in _point_depths(model).items() if len(d)}
    medians = {i: float(np.median(np.abs(d))) for i, d in depths.items()}
    behind = sum(float((d < 0).mean()) > _MAX_BEHIND_RATIO for d in depths.values())
    inside = sum(medians[i] < _MIN_DEPTH_RATIO * np.median(list(medians.values())) for i in medians)
    centers = np.array([model.images[i].projection_center() for i in depths]).reshape(-1, 3)
    distances = np.linalg.norm(centers - np.median(centers, axis=0), axis=1)
    far = (distances > _MAX_DISTANCE_RATIO * np.median(distances)).sum() if len(distances) else 0
    faults = (
        plural(
            "{n} photo is placed with what it shows behind it",
            "{n} photos are placed with what they show behind them",
            n=int(behind),
        ),
        plural(
            "{n} photo is placed inside what it shows",
            "{n} photos are placed inside what they show",
            n=int(inside),
        ),
        plural(
            "{n} photo is placed far away from all others",
            "{n} photos are placed far away from all others",
            n=int(far),
        ),
    )
    return [
        text("{fault}: the poses may be wrong there; check them before training", fault=fault)
        for fault in faults
        if fault.values["n"]
    ]


def _point_depths(model: Any) -> dict[int, np.ndarray]:
    """Return the depths [N] in each photo of the points that it observes."""
    seen: dict[int, list[np.ndarray]] = {i: [] for i, m in model.images.items() if m.has_pose}
    for point in model.points3D.values():
        for element in point.track.elements:
            if element.image_id in seen:
                seen[element.image_id].append(point.xyz)
    poses = {i: model.images[i].cam_from_world().matrix() for i in seen}
    return {
        i: np.array(p).reshape(-1, 3) @ poses[i][2, :3] + poses[i][2, 3] for i, p in seen.items()
    }


def lens_warnings(model: Any, exif_focals: dict[str, float]) -> list[Text]:
    """Return the `pose_warnings` about focal lengths."""
    placed = {image.camera_id: image.name for image in model.images.values() if image.has_pose}
    warnings: list[Text] = []
    for camera_id, name in sorted(placed.items()):
        camera = model.cameras[camera_id]
        view = view_angle(camera)
        if name in exif_focals:
            ratio = camera.mean_focal_length() / exif_focals[name]
            if not 1 / _MAX_EXIF_RATIO <= ratio <= _MAX_EXIF_RATIO:
                warnings.append(
                    text(
                        "A solved focal length is {ratio:.1f} times that of EXIF: "
                        "were the photos cropped, or EXIF copied from others?",
                        ratio=ratio,
                    )
                )
        elif not _MIN_VIEW <= view <= (_MAX_FISHEYE_VIEW if _is_fisheye(camera) else _MAX_VIEW):
            warnings.append(
                text(
                    "A lens was solved to see {view:.0f}°, which is unusual: depths may be "
                    "stretched. Shoot from more sides and distances",
                    view=view,
                )
            )
    return list(dict.fromkeys(warnings))


def view_angle(camera: Any) -> float:
    """Return the angle of view along the longer side in degrees, ignoring distortion."""
    half = max(camera.width, camera.height) / 2 / camera.mean_focal_length()
    return float(np.degrees(2 * (half if _is_fisheye(camera) else np.arctan(half))))


def _is_fisheye(camera: Any) -> bool:
    return "FISHEYE" in camera.model.name
