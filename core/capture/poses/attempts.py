"""Poses at the first attempt or, where too few photos find their place, after others.

Part of the solving process (`process`). Each further attempt answers one cause of failure; it
is made only where that cause is likely and there is time, and it is told.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from core.base.text import NO_TEXT, text
from core.capture.poses.checks import LOOSE, WIDE_VIEW, lens_warnings, pose_warnings, view_angle
from core.capture.poses.features import LENS, find_features, with_lens
from core.capture.poses.mapping import map_photos
from core.capture.poses.matching import Compared, match_more, match_photos
from core.capture.poses.progress_estimate import ProgressEstimator
from core.capture.poses.quality import Quality
from core.capture.poses.report import FEW_SHARED, exif_focals, read_database, usable
from core.capture.poses.working_copies import WorkingCopy

_ENOUGH = 0.8
"""Of the usable photos; where as many are placed, no other attempt is made."""
_FEW_DETAILS = 0.5
"""Of the most that a photo may have; where the usual photo has fewer, more are looked for."""
_BENT = 0.8
"""Pixels of reprojection error from which on a lens that was found to be wide may be a fisheye."""
_LONGER, _AT_LEAST_S = 1.2, 20.0
"""All further attempts together take no longer than so many times the first, or so long."""
_LENSES = {  # pycolmap's camera model, and focal length over the longer side
    "fisheye": ("SIMPLE_RADIAL_FISHEYE", 0.4, text("assuming a fisheye lens")),
    "wide": (LENS, 0.6, text("assuming a wide lens")),
    "narrow": (LENS, 3.0, text("assuming a long lens")),
}
_WORDS = {
    "pairs": text("matching more pairs"),
    "details": text("finding fainter features"),
    **{name: words for name, (_, _, words) in _LENSES.items()},
}


@dataclass(frozen=True)
class Outcome:
    """What an attempt came to: ``models`` (pycolmap Reconstructions), the best first, of what
    ``database`` holds. ``tried`` is "" for the first attempt."""

    tried: str
    database: Path
    compared: Compared
    models: list[Any]
    seconds: float


@dataclass(frozen=True)
class Facts:
    """What decides about another attempt: how many photos are ``usable``, ``placed`` in one group,
    and placed ``together`` in all groups; ``details`` of the usual photo over the most it may have;
    whether all pairs were compared thoroughly; whether any two photos are ``linked``; whether the
    lens may be a ``fisheye`` or of an ``unknown_focal`` length; whether what is placed looks
    ``bent`` by a lens of another kind."""

    usable: int
    placed: int
    together: int
    details: float
    all_compared: bool
    linked: bool
    fisheye: bool
    unknown_focal: bool
    bent: bool


def next_attempt(facts: Facts, tried: Iterable[str]) -> str:
    """What to try after ``tried``, or "" where nothing is likely to help."""
    enough = facts.placed >= _ENOUGH * facts.usable
    # what is in groups already was seen well: the groups share nothing
    split = facts.together >= _ENOUGH * facts.usable and not enough
    helps = {
        "pairs": not enough and not facts.all_compared,
        "details": not enough and not split and facts.details < _FEW_DETAILS,
        "fisheye": facts.fisheye and facts.linked and (facts.bent or not (enough or split)),
        "wide": facts.unknown_focal and facts.linked and not enough and not split,
        "narrow": facts.unknown_focal and facts.linked and not enough and not split,
    }
    return next((name for name, good in helps.items() if good and name not in tried), "")


@dataclass(frozen=True)
class Solver:
    """Solves the poses of ``copies`` within ``workspace``."""

    workspace: Path
    copies: list[WorkingCopy]
    quality: Quality
    seed: int
    clock: ProgressEstimator

    def solve(self) -> list[Outcome]:
        """All attempts, in the order made; `best_attempt` says which one counts."""
        made = [self._first()]
        first = dict(self.clock.seconds)
        ends = time.monotonic() + max(_LONGER * self.clock.total, _AT_LEAST_S)
        costs = {
            "pairs": first["matches"] + first["mapping"],
            "details": sum(first.values()) - first["copy"],
        }
        while True:
            name = next_attempt(self._facts(made), [o.tried for o in made])
            usual = costs.get(name, 0.3 * first["matches"] + first["mapping"])
            if not name or time.monotonic() + usual > ends:
                return made
            self.clock.attempt = _WORDS[name]
            made.append(self._again(name, best_attempt(made, self.copies), ends))

    def _first(self) -> Outcome:
        return self._from_photos("", self.quality.sift(), float("inf"))

    def _again(self, name: str, so_far: Outcome, ends: float) -> Outcome:
        if name == "details":
            return self._from_photos(name, self.quality.sift(faint=True), ends)
        before = self.clock.total
        if name == "pairs":
            compared = match_more(
                so_far.database, self._names, so_far.compared, self.seed, ends, self.clock
            )
            return self._mapped(name, so_far.database, compared, before, ends)
        lens, focal, _ = _LENSES[name]
        database = self.workspace / f"{name}.db"
        self.clock.update("matches", 0, 1, text("matching photos"))
        with_lens(so_far.database, database, lens, focal, self.seed)
        self.clock.finish("matches")
        return self._mapped(name, database, so_far.compared, before, ends)

    def _from_photos(self, name: str, sift: dict[str, Any], ends: float) -> Outcome:
        before = self.clock.total
        settings = hashlib.sha256(repr(sorted(sift.items())).encode()).hexdigest()[:8]
        database = self.workspace / f"details_{settings}.db"
        known = find_features(database, self._photos, self.copies, sift, self.clock)
        compared = match_photos(
            database, self._names, known, self.quality.partners, self.seed, ends, self.clock
        )
        return self._mapped(name, database, compared, before, ends)

    def _mapped(
        self, name: str, database: Path, compared: Compared, before: float, ends: float
    ) -> Outcome:
        limit = max(ends - time.monotonic(), 2 * self.clock.seconds.get("mapping", 5.0), 1.0)
        models = map_photos(database, self._photos, len(self.copies), self.seed, limit, self.clock)
        links, focals = read_database(database).links, exif_focals(self.copies)
        models.sort(key=lambda m: _merit(m, links, focals), reverse=True)
        return Outcome(name, database, compared, models, self.clock.total - before)

    def _facts(self, made: list[Outcome]) -> Facts:
        outcome = best_attempt(made, self.copies)
        known = read_database(outcome.database)
        good = {c.copy for c in usable(self.copies, known.details)}
        groups = [placed_in(model) & good for model in outcome.models]
        views = [c.exif_view for c in self.copies]
        return Facts(
            usable=len(good),
            placed=len(groups[0]) if groups else 0,
            together=len(set().union(*groups)),
            details=median([known.details[c] for c in good] or [0]) / self.quality.features,
            all_compared=outcome.compared.thoroughly >= outcome.compared.looked_at,
            linked=any(n >= FEW_SHARED for mine in known.links.values() for n in mine.values()),
            fisheye=any(view is None or view > WIDE_VIEW for view in views),
            unknown_focal=any(view is None for view in views),
            bent=any(_looks_bent(m, exif_focals(self.copies)) for m in outcome.models[:1]),
        )

    @property
    def _names(self) -> list[str]:
        return [c.copy for c in self.copies]

    @property
    def _photos(self) -> Path:
        return self.workspace / "photos"


def _looks_bent(model: Any, focals: dict[str, float]) -> bool:
    error = model.compute_mean_reprojection_error()
    view = max(view_angle(camera) for camera in model.cameras.values())
    return (
        error > LOOSE or (error > _BENT and view > WIDE_VIEW) or bool(lens_warnings(model, focals))
    )


def best_attempt(made: list[Outcome], copies: list[WorkingCopy]) -> Outcome:
    """The attempt that placed most photos or, of such, the most plausible one."""
    focals = exif_focals(copies)
    return max(
        made,
        key=lambda o: max(
            (_merit(m, read_database(o.database).links, focals) for m in o.models[:1]),
            default=(0, 0, 0.0),
        ),
    )


def placed_in(model: Any) -> set[str]:
    return {image.name for image in model.images.values() if image.has_pose}


def _merit(model: Any, links: Any, focals: dict[str, float]) -> tuple[int, int, float]:
    doubts = len(pose_warnings(model, links, focals))
    return model.num_reg_images(), -doubts, -float(model.compute_mean_reprojection_error())


def describe_attempts(made: list[Outcome], kept: Outcome, n: int) -> list[dict[str, Any]]:
    """The attempts for the report, ``n`` photos being usable: each with a sentence for people."""
    said: list[dict[str, Any]] = []
    for outcome in made:
        sizes = [model.num_reg_images() for model in outcome.models]
        placed = max(sizes, default=0)
        result = (
            text("Another attempt, {attempt}, placed {placed} of {n} photos")
            if outcome.tried
            else text("The first attempt placed {placed} of {n} photos")
        )
        result = result.filled(attempt=_WORDS.get(outcome.tried, NO_TEXT), placed=placed, n=n)
        if outcome is kept:
            result = text("{result}; it is used", result=result)
        said.append(
            {
                "text": result,
                "tried": outcome.tried,
                "kept": outcome is kept,
                "photos_placed": placed,
                "groups": sizes,
                "seconds": round(outcome.seconds, 2),
                "pairs_compared": outcome.compared.thoroughly,
                "reprojection_error_px": round(
                    float(outcome.models[0].compute_mean_reprojection_error()), 3
                )
                if sizes
                else None,
            }
        )
    return said
