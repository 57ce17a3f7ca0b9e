"""Whether solved poses can be true: a silent wrong answer is the worst one.

Part of the solving process (`process`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.base.text import Text, plural, text

Links = dict[str, dict[str, int]]
"""How many details two photos share, as far as these agree on one geometry."""

_NARROW = 2.0
"""Degrees at which rays meet in the middle of all points; below, depths are guesses."""
_HELD = 0.25
"""Of what photos share pairwise, that became points in space; less where the camera only turned."""
LOOSE = 2.0
"""Pixels of the mean reprojection error, in working copies; above, something is wrong."""
_NARROWEST, _WIDEST, _WIDEST_FISHEYE = 18.0, 140.0, 220.0
"""Degrees that a lens may see along the longer side, unless EXIF says so too."""
WIDE_VIEW = 90.0
"""Degrees, from which on a lens may be a fisheye."""
_OFF_EXIF = 1.35
"""Times the focal length by EXIF, or its inverse; beyond, one of the two is wrong."""
_BEHIND = 0.05
"""Of the points that a photo places, behind it."""
_INSIDE = 0.02
"""Of the usual distance of its points, at which a camera touches what it sees."""
_STRAY = 12.0
"""Times the usual distance of cameras from their middle."""


def pose_warnings(model: Any, links: Links, exif_focals: dict[str, float]) -> list[Text]:
    """Reasons to doubt the pycolmap Reconstruction ``model``, in sentences for people, the most
    serious first. ``exif_focals``: of photos, in pixels of ``model``."""
    said: list[Text] = []
    angle, error = meeting_angle(model), float(model.compute_mean_reprojection_error())
    if angle < _NARROW or _held(model, links) < _HELD:
        said.append(
            text(
                "The photos were taken from nearly one place, so poses and depths are "
                "guesses: walk around the subject instead of turning on the spot"
            )
        )
    if error > LOOSE:
        said.append(
            text("Poses are loose ({error:.1f} pixels): was the subject moving?", error=error)
        )
    return [*said, *_about_cameras(model), *lens_warnings(model, exif_focals)]


def meeting_angle(model: Any) -> float:
    """Degrees: the median, over some of the model's points, of the widest angle at which two of
    their photos see them."""
    points = list(model.points3D.values())
    points = points[:: max(1, len(points) // 2000)]
    centers = {i: image.projection_center() for i, image in model.images.items() if image.has_pose}
    angles = []
    for point in points:
        seen = [centers[e.image_id] for e in point.track.elements if e.image_id in centers]
        rays = np.array(seen) - point.xyz
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        angles.append(np.degrees(np.arccos(np.clip((rays @ rays.T).min(), -1, 1))))
    return float(np.median(angles)) if angles else 0.0


def _held(model: Any, links: Links) -> float:
    """Points that a photo of ``model`` sees, per detail that it shares with its best partner. Where
    there is no baseline hardly any becomes a point, and those few at any angle."""
    placed = [image for image in model.images.values() if image.has_pose]
    shared = sum(max(links.get(image.name, {}).values(), default=0) for image in placed)
    return sum(image.num_points3D for image in placed) / max(shared, 1)


def _about_cameras(model: Any) -> list[Text]:
    """Of cameras that lie where they cannot."""
    depths = {i: d for i, d in _depths(model).items() if len(d)}
    usual = {i: float(np.median(np.abs(d))) for i, d in depths.items()}
    behind = sum(float((d < 0).mean()) > _BEHIND for d in depths.values())
    inside = sum(usual[i] < _INSIDE * np.median(list(usual.values())) for i in usual)
    centers = np.array([model.images[i].projection_center() for i in depths]).reshape(-1, 3)
    away = np.linalg.norm(centers - np.median(centers, axis=0), axis=1)
    stray = int((away > _STRAY * np.median(away)).sum()) if len(away) else 0
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
            n=stray,
        ),
    )
    return [
        text("{fault}: the poses may be wrong there, so look at them before training", fault=fault)
        for fault in faults
        if fault.values["n"]
    ]


def _depths(model: Any) -> dict[int, np.ndarray]:
    """How far in front of each photo [N] the points lie that it helps to place."""
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
    """The `pose_warnings` about focal lengths."""
    placed = {image.camera_id: image.name for image in model.images.values() if image.has_pose}
    said: list[Text] = []
    for camera_id, name in sorted(placed.items()):
        camera = model.cameras[camera_id]
        view = view_angle(camera)
        widest = _WIDEST_FISHEYE if _is_fisheye(camera) else _WIDEST
        if name in exif_focals:
            ratio = camera.mean_focal_length() / exif_focals[name]
            if not 1 / _OFF_EXIF <= ratio <= _OFF_EXIF:
                said.append(
                    text(
                        "A focal length was found to be {ratio:.1f} times what EXIF tells: "
                        "were the photos cropped, or EXIF copied from others?",
                        ratio=ratio,
                    )
                )
        elif not _NARROWEST <= view <= widest:
            said.append(
                text(
                    "A lens was found to see {view:.0f}°, which few do: depths may be "
                    "stretched. Shoot from more sides and distances",
                    view=view,
                )
            )
    return list(dict.fromkeys(said))


def view_angle(camera: Any) -> float:
    """Degrees that the pycolmap Camera sees along its longer side, but for distortion."""
    half = max(camera.width, camera.height) / 2 / camera.mean_focal_length()
    return float(np.degrees(2 * (half if _is_fisheye(camera) else np.arctan(half))))


def _is_fisheye(camera: Any) -> bool:
    return "FISHEYE" in camera.model.name
