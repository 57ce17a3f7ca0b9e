"""The pose doctor: why photos are not used, and what to do about it.

Part of the solving process (`process`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from core.base.text import NO_TEXT, Text, plural, text
from core.capture.photo_file import PhotoFault
from core.capture.poses.checks import Links, pose_warnings
from core.capture.poses.database import open_database
from core.capture.poses.report_file import PhotoRecord
from core.capture.poses.working_copies import WorkingCopy

MIN_FEATURES, MIN_SHARED_FEATURES = 200, 30
"""Features of a photo, and verified matches with another, below which it cannot be placed."""
_MIN_BRIGHTNESS, _MAX_BRIGHTNESS = 0.06, 0.94
"""Mean grey value, in [0, 1], beyond which a photo is too dark or overexposed."""
_MAX_STOPS = 1.5
"""Difference in exposure from the median photo, in exposure values, from which it is a fault."""
_MIN_SHARPNESS_RATIO, _MIN_CONTRAST_RATIO = 0.45, 0.25
"""Over that of the median photo, below which a photo is blurred, or shows a plain surface."""
_MAX_LINKS = 8
"""Number of photos listed as links of each."""

_BLURRED = PhotoFault(text("blurred"), text("blurred"), text("Hold still or use more light"))
_TOO_DARK = PhotoFault(text("too dark"), text("too dark"), text("Use more light"))
_OVEREXPOSED = PhotoFault(text("overexposed"), text("overexposed"), text("Use less light"))
_PLAIN_SURFACE = PhotoFault(
    text("plain surface"),
    text("too few features: nothing but a plain surface"),
    text("Include surroundings with some pattern"),
)
_FEW_FEATURES = PhotoFault(NO_TEXT, text("too few features"), NO_TEXT)
_NO_OVERLAP = PhotoFault(
    text("no overlap"),
    text("no overlap with the other photos"),
    text("Shoot so that each photo shares two thirds with the next, or leave them"),
)
_INCONSISTENT = PhotoFault(
    text("inconsistent with the others"),
    text("inconsistent with the other photos"),
    text("Solve again at a better quality, or leave them"),
)


@dataclass(frozen=True)
class DatabaseContents:
    """What a COLMAP database holds about photos."""

    n_features: dict[str, int]
    """by the photo's name"""
    links: Links


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says about all photos, given one of the solved models."""

    photos: list[PhotoRecord]
    """sorted by name"""
    groups: list[list[str]]
    """names of the photos of each model"""
    unused: dict[str, Text]
    """by name why a photo is not used"""
    advice: list[Text]
    """what to do about it, the most important first"""


def diagnose(
    contents: DatabaseContents,
    copies: list[WorkingCopy],
    refused: dict[str, PhotoFault],
    models: list[Any],
    used: int,
) -> Diagnosis:
    """Diagnose the photos of a capture.

    Args:
        contents: the database that ``models`` were solved from.
        copies: the photos that were solved for.
        refused: by name the other photos, from `copy_photos`.
        models: pycolmap Reconstructions.
        used: index of the model that is used.
    """
    placed = [{i.name for i in m.images.values() if i.has_pose} for m in models]
    errors = _reprojection_errors(models[used])
    typical = _TypicalPhoto(copies)
    names = {copy.copy: copy.name for copy in copies}
    faults = dict(refused)
    photos = [PhotoRecord(name, False, fault.reason) for name, fault in refused.items()]
    for copy in copies:
        links = contents.links.get(copy.copy, {})
        is_used = copy.copy in placed[used]
        group = max((len(p) for p in placed if copy.copy in p), default=0)
        n_features = contents.n_features.get(copy.copy, 0)
        if not is_used:
            faults[copy.name] = _fault(copy, n_features, links, group, typical)
        photos.append(
            PhotoRecord(
                name=copy.name,
                used=is_used,
                reason=NO_TEXT if is_used else faults[copy.name].reason,
                details=n_features,
                error_px=errors.get(copy.copy),
                links={
                    names[n]: links[n] for n in sorted(links, key=lambda n: -links[n])[:_MAX_LINKS]
                },
                sharpness=round(copy.statistics.sharpness / typical.sharpness, 2),
                stops=round(typical.stops(copy), 2),
            )
        )
    photos.sort(key=lambda photo: photo.name)
    groups = [sorted(names[n] for n in p) for p in placed]
    return Diagnosis(
        photos,
        groups,
        unused={p.name: p.reason for p in photos if not p.used},
        advice=[
            *pose_warnings(models[used], contents.links, exif_focals(copies)),
            *_advice(groups, used, contents.links, names, faults),
        ],
    )


def exif_focals(copies: list[WorkingCopy]) -> dict[str, float]:
    """Return the focal lengths in pixels of the copies that EXIF gives, by file name."""
    return {copy.copy: copy.focal for copy in copies if copy.focal is not None}


def usable(copies: list[WorkingCopy], n_features: dict[str, int]) -> list[WorkingCopy]:
    """Return the copies whose images have no fault that explains why they are not placed."""
    typical = _TypicalPhoto(copies)
    return [c for c in copies if _image_fault(c, n_features.get(c.copy, 0), typical) is None]


def advise_on_few_features(copies: list[WorkingCopy], n_features: dict[str, int]) -> Text:
    """Return what to do where most photos have too few features, else an empty text."""
    poor = [c.statistics.brightness for c in copies if n_features.get(c.copy, 0) < MIN_FEATURES]
    if 2 * len(poor) <= len(copies):
        return NO_TEXT
    if median(poor) < _MIN_BRIGHTNESS:
        return text("They are too dark: use more light")
    if median(poor) > _MAX_BRIGHTNESS:
        return text("They are overexposed: use less light")
    return text(
        "They show plain surfaces or are blurred: include surroundings with some pattern, and "
        "hold still"
    )


class _TypicalPhoto:
    """The medians of the photos' statistics."""

    def __init__(self, copies: list[WorkingCopy]) -> None:
        statistics = [copy.statistics for copy in copies]
        self.sharpness = max(median(s.sharpness for s in statistics), 1e-6)
        self.contrast = max(median(s.contrast for s in statistics), 1e-6)
        self._log_brightness = median(_log_light(s.brightness) for s in statistics)

    def stops(self, copy: WorkingCopy) -> float:
        """Return how much brighter ``copy`` is, in exposure values."""
        return _log_light(copy.statistics.brightness) - self._log_brightness


def _log_light(brightness: float) -> float:
    """Return the binary logarithm of the linear light of an sRGB ``brightness`` in [0, 1]."""
    return float(np.log2(max(brightness, 1e-3) ** 2.2))


def _fault(
    copy: WorkingCopy, n_features: int, links: dict[str, int], group: int, typical: _TypicalPhoto
) -> PhotoFault:
    """Return why ``copy`` is not used; ``group``: the size of the other group that places it."""
    image_fault = _image_fault(copy, n_features, typical)
    if n_features < MIN_FEATURES:
        return image_fault or _FEW_FEATURES
    if group:
        reason = text(
            "belongs to another group of {n} photos that shares too little with the rest", n=group
        )
        return PhotoFault(NO_TEXT, reason, NO_TEXT)
    if image_fault:
        return image_fault
    stops = typical.stops(copy)
    if abs(stops) > _MAX_STOPS:
        return PhotoFault(
            text("different exposure"),
            text("{stops:.1f} stops darker than the others", stops=-stops)
            if stops < 0
            else text("{stops:.1f} stops brighter than the others", stops=stops),
            text("Keep the exposure fixed while shooting"),
        )
    return _NO_OVERLAP if max(links.values(), default=0) < MIN_SHARED_FEATURES else _INCONSISTENT


def _image_fault(copy: WorkingCopy, n_features: int, typical: _TypicalPhoto) -> PhotoFault | None:
    """Return the fault of the image itself that keeps it from being placed."""
    statistics = copy.statistics
    if n_features < MIN_FEATURES:
        if statistics.brightness < _MIN_BRIGHTNESS:
            return _TOO_DARK
        if statistics.brightness > _MAX_BRIGHTNESS:
            return _OVEREXPOSED
        # Blur does not reduce the contrast of the small thumbnail.
        if statistics.contrast < _MIN_CONTRAST_RATIO * typical.contrast:
            return _PLAIN_SURFACE
    return _BLURRED if statistics.sharpness < _MIN_SHARPNESS_RATIO * typical.sharpness else None


def read_database(database: Path) -> DatabaseContents:
    """Read the number of features of each photo, and of verified matches of each pair."""
    import pycolmap

    with open_database(database) as content:
        names = {image.image_id: image.name for image in content.read_all_images()}
        n_features = {name: content.num_keypoints_for_image(i) for i, name in names.items()}
        pair_ids, counts = content.read_two_view_geometry_num_inliers()
    links: Links = {}
    for pair_id, count in zip(pair_ids, counts):
        a, b = (names[i] for i in pycolmap.pair_id_to_image_pair(int(pair_id)))
        if count > 0:
            links.setdefault(a, {})[b] = links.setdefault(b, {})[a] = int(count)
    return DatabaseContents(n_features, links)


def _reprojection_errors(model: Any) -> dict[str, float]:
    """Return the mean reprojection error of each photo, pixels of its working copy."""
    sums: dict[int, list[float]] = {}
    for point in model.points3D.values():
        for element in point.track.elements:
            sums.setdefault(element.image_id, []).append(point.error)
    return {model.images[i].name: round(float(np.mean(errors)), 3) for i, errors in sums.items()}


def _advice(
    groups: list[list[str]],
    used: int,
    links: Links,
    names: dict[str, str],
    faults: dict[str, PhotoFault],
) -> list[Text]:
    advice: list[Text] = []
    if len(groups) > 1:
        a, b = _bridge(groups, links, names)
        advice.append(
            text(
                "The photos fall into groups of {sizes} that share too little; group {group} is "
                "used. Shoot a few between {a} and {b} to join them",
                sizes=", ".join(str(len(group)) for group in groups),
                group=used + 1,
                a=a,
                b=b,
            )
        )
    counts = Counter((fault.name, fault.remedy) for fault in faults.values() if fault.remedy)
    for (fault, remedy), n in counts.most_common():
        advice.append(
            plural(
                "{n} photo cannot be used ({fault}). {remedy}",
                "{n} photos cannot be used ({fault}). {remedy}",
                n=n,
                fault=fault,
                remedy=remedy.filled(n=n),
            )
        )
    return advice


def _bridge(groups: list[list[str]], links: Links, names: dict[str, str]) -> tuple[str, str]:
    """Return a photo of the first group and one of the second.

    They are the pair with most matches, else the nearest in shooting order.
    """
    first, second = set(groups[0]), set(groups[1])
    pairs = [
        (count, names[a], names[b])
        for a, shared in links.items()
        for b, count in shared.items()
        if a in names and b in names and names[a] in first and names[b] in second
    ]
    if pairs:
        _, a, b = max(pairs)
        return a, b
    order = {name: i for i, name in enumerate(sorted(names.values()))}
    return min(
        ((a, b) for a in first for b in second),
        key=lambda pair: abs(order[pair[0]] - order[pair[1]]),
    )
