"""The pose doctor: for each photo whether it is used, and if not why; and what to do about it.

Part of the solving process (`process`). Its findings travel as plain dictionaries: they are
written to ``report.json`` as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from core.base.text import NO_TEXT, Text, plural, text
from core.capture.poses.checks import Links, pose_warnings
from core.capture.poses.database import open_database
from core.capture.poses.working_copies import WorkingCopy

FEW_DETAILS, FEW_SHARED = 200, 30
"""Details in a photo, and those that it shares with another, below which it cannot be placed."""
_DARK, _BRIGHT = 0.06, 0.94
_STOPS = 1.5
"""Apart in exposure from the others so far that this is named."""
_SOFT, _PLAIN = 0.45, 0.25
"""Of the usual sharpness, below which a photo is blurred; of the usual contrast of large parts,
which blur does not take away, below which it is plain."""
_REMEDIES = (
    ("blurred", text("blurred"), text("hold still or use more light")),
    ("plain surface", text("plain surface"), text("include surroundings with some pattern")),
    ("too dark", text("too dark"), text("use more light")),
    ("overexposed", text("overexposed"), text("use less light")),
    ("stops", text("another exposure"), text("keep the exposure as it is while shooting")),
    ("damaged", text("damaged"), text("copy them again")),
    ("not a readable image", text("not a readable image"), text("copy them again")),
    (
        "needs an optional part",
        text("HEIC or RAW"),
        text("run pip install 'gradina[heic,raw]', or convert them to JPEG"),
    ),
    (
        "no overlap",
        text("no overlap"),
        text("shoot so that each photo shares two thirds with the next, or leave them"),
    ),
    (
        "does not fit",
        text("does not fit the others"),
        text("solve again at a better quality, or leave them"),
    ),
)
"""What a reason's template holds, what that is called, and what to do."""
_LINKS = 8
"""Named for each photo, those to which it has most in common."""


def build_report(
    known: DatabaseContents,
    copies: list[WorkingCopy],
    refused: dict[str, Text],
    models: list[Any],
    used: int,
) -> dict[str, Any]:
    """Findings on ``copies`` (as `copy_photos` made them) and on those it ``refused``, given what
    is ``known`` of them and the ``models`` solved (pycolmap Reconstructions), of which the one at
    ``used`` is."""
    placed = [{i.name for i in m.images.values() if i.has_pose} for m in models]
    errors = _errors(models[used])
    usual = _Usual(copies)
    names = {copy.copy: copy.name for copy in copies}
    photos: list[dict[str, Any]] = []
    for copy in copies:
        mine = known.links.get(copy.copy, {})
        here = copy.copy in placed[used]
        group = 0 if here else max((len(p) for p in placed if copy.copy in p), default=0)
        photos.append(
            {
                "name": copy.name,
                "used": here,
                "details": known.details.get(copy.copy, 0),
                "reason": NO_TEXT if here else _reason(copy, known.details, mine, group, usual),
                "error_px": errors.get(copy.copy),
                "links": {names[n]: mine[n] for n in sorted(mine, key=lambda n: -mine[n])[:_LINKS]},
                "sharpness": round(copy.look.sharpness / usual.sharpness, 2),
                "stops": round(usual.stops(copy), 2),
            }
        )
    photos += [{"name": name, "used": False, "reason": why} for name, why in refused.items()]
    photos.sort(key=lambda photo: photo["name"])
    groups = [sorted(names[n] for n in p) for p in placed]
    doubts = pose_warnings(models[used], known.links, exif_focals(copies))
    return {
        "photos": photos,
        "groups": groups,
        "unused": {p["name"]: p["reason"] for p in photos if not p["used"]},
        "advice": [*doubts, *_advice(photos, groups, used, known.links, names)],
    }


@dataclass(frozen=True)
class DatabaseContents:
    """What a database tells of photos: how many ``details`` each has, and its ``links``."""

    details: dict[str, int]
    links: Links


def exif_focals(copies: list[WorkingCopy]) -> dict[str, float]:
    """Focal lengths in pixels of the copies, by their files' names, where EXIF tells."""
    return {copy.copy: copy.focal for copy in copies if copy.focal is not None}


def usable(copies: list[WorkingCopy], details: dict[str, int]) -> list[WorkingCopy]:
    """Those of which nothing explains why they should not be placed."""
    usual = _Usual(copies)
    return [c for c in copies if not _spoilt(c, details.get(c.copy, 0), usual)]


def too_little(copies: list[WorkingCopy], details: dict[str, int]) -> Text:
    """What to do where most of the photos show too little to be placed by; else empty."""
    poor = [c.look.brightness for c in copies if details.get(c.copy, 0) < FEW_DETAILS]
    if 2 * len(poor) <= len(copies):
        return NO_TEXT
    if median(poor) < _DARK:
        return text("They are too dark: use more light.")
    if median(poor) > _BRIGHT:
        return text("They are overexposed: use less light.")
    return text(
        "They show plain surfaces or are blurred: include surroundings with some pattern, and "
        "hold still."
    )


class _Usual:
    """What most of the photos look like."""

    def __init__(self, copies: list[WorkingCopy]) -> None:
        looks = [copy.look for copy in copies]
        self.sharpness = max(median(look.sharpness for look in looks), 1e-6)
        self.contrast = max(median(look.contrast for look in looks), 1e-6)
        self._log_brightness = median(self._log(look.brightness) for look in looks)

    @staticmethod
    def _log(brightness: float) -> float:
        return float(np.log2(max(brightness, 1e-3) ** 2.2))  # of light, not of sRGB

    def stops(self, copy: WorkingCopy) -> float:
        """How much brighter ``copy`` is, in exposure values."""
        return self._log(copy.look.brightness) - self._log_brightness


def _reason(
    copy: WorkingCopy, details: dict[str, int], links: dict[str, int], group: int, usual: _Usual
) -> Text:
    few = details.get(copy.copy, 0) < FEW_DETAILS
    spoilt = _spoilt(copy, details.get(copy.copy, 0), usual)
    if few:
        return spoilt or text("too few features")
    if group:
        return text(
            "belongs to another group of {n} photos that shares too little with the rest", n=group
        )
    if spoilt:
        return spoilt
    if abs(usual.stops(copy)) > _STOPS:
        stops = usual.stops(copy)
        if stops < 0:
            return text("{stops:.1f} stops darker than the others", stops=-stops)
        return text("{stops:.1f} stops brighter than the others", stops=stops)
    if max(links.values(), default=0) < FEW_SHARED:
        return text("no overlap with the other photos")
    return text("does not fit together with the other photos")


def _spoilt(copy: WorkingCopy, details: int, usual: _Usual) -> Text:
    """What of the picture itself keeps it from being placed, or nothing."""
    look = copy.look
    if details < FEW_DETAILS:
        if look.brightness < _DARK:
            return text("too dark")
        if look.brightness > _BRIGHT:
            return text("overexposed")
        if look.contrast < _PLAIN * usual.contrast:
            return text("too few features: nothing but a plain surface")
    return text("blurred") if look.sharpness < _SOFT * usual.sharpness else NO_TEXT


def read_database(database: Path) -> DatabaseContents:
    """Details, and links as far as what two photos share agrees on one geometry."""
    import pycolmap

    with open_database(database) as content:
        names = {image.image_id: image.name for image in content.read_all_images()}
        details = {name: content.num_keypoints_for_image(i) for i, name in names.items()}
        pair_ids, counts = content.read_two_view_geometry_num_inliers()
    links: Links = {}
    for pair_id, count in zip(pair_ids, counts):
        a, b = (names[i] for i in pycolmap.pair_id_to_image_pair(int(pair_id)))
        if count > 0:
            links.setdefault(a, {})[b] = links.setdefault(b, {})[a] = int(count)
    return DatabaseContents(details, links)


def _errors(model: Any) -> dict[str, float]:
    """Mean reprojection error of each photo, pixels of its working copy."""
    sums: dict[int, list[float]] = {}
    for point in model.points3D.values():
        for element in point.track.elements:
            sums.setdefault(element.image_id, []).append(point.error)
    return {model.images[i].name: round(float(np.mean(errors)), 3) for i, errors in sums.items()}


def _advice(
    photos: list[dict[str, Any]],
    groups: list[list[str]],
    used: int,
    links: Links,
    names: dict[str, str],
) -> list[Text]:
    """What to do, in sentences for people, the most important first."""
    said: list[Text] = []
    if len(groups) > 1:
        sizes = ", ".join(str(len(group)) for group in groups)
        a, b = _bridge(groups, links, names)
        said.append(
            text(
                "The photos fall into groups of {sizes} that share too little; group {group} is "
                "used. Shoot a few between {a} and {b} to join them",
                sizes=sizes,
                group=used + 1,
                a=a,
                b=b,
            )
        )
    reasons = [p["reason"] for p in photos if not p["used"]]
    for sign, fault, remedy in _REMEDIES:
        n = sum(sign in reason.template for reason in reasons)
        if n:
            said.append(
                plural(
                    "{n} photo cannot be used ({fault}): {remedy}",
                    "{n} photos cannot be used ({fault}): {remedy}",
                    n=n,
                    fault=fault,
                    remedy=remedy,
                )
            )
    return said


def _bridge(groups: list[list[str]], links: Links, names: dict[str, str]) -> tuple[str, str]:
    """A photo of the first group and one of the second: those that share most, else neighbours in
    shooting order."""
    first, second = set(groups[0]), set(groups[1])
    pairs = [
        (count, names[a], names[b])
        for a, to in links.items()
        for b, count in to.items()
        if a in names and b in names and names[a] in first and names[b] in second
    ]
    if pairs:
        _, a, b = max(pairs)
        return a, b
    order = sorted(names.values())
    at = {name: i for i, name in enumerate(order)}
    return min(((a, b) for a in first for b in second), key=lambda ab: abs(at[ab[0]] - at[ab[1]]))
