"""Further attempts at solving poses where the first one places too few photos.

Part of the solving process (`process`). Each further attempt answers one cause of failure; it
is made only where that cause is likely and there is time, and the report lists it.
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
from core.capture.poses.checks import (
    MAX_MEAN_ERROR_PX,
    WIDE_VIEW,
    Links,
    lens_warnings,
    pose_warnings,
    view_angle,
)
from core.capture.poses.features import CAMERA_MODEL, find_features, with_lens
from core.capture.poses.mapping import map_photos
from core.capture.poses.matching import PairCounts, match_more, match_photos
from core.capture.poses.progress_estimate import ProgressEstimator
from core.capture.poses.quality import Quality
from core.capture.poses.report import (
    MIN_SHARED_FEATURES,
    exif_focals,
    read_database,
    usable,
)
from core.capture.poses.report_file import AttemptRecord
from core.capture.poses.working_copies import WorkingCopy

_ENOUGH_RATIO = 0.8
"""Fraction of the usable photos; where as many are placed, no other attempt is made."""
_FEW_FEATURES_RATIO = 0.5
"""Of the most features that a photo may have; where the median photo has fewer, fainter ones are
looked for."""
_DISTORTED_ERROR_PX = 0.8
"""Mean reprojection error from which on a wide lens may be a fisheye."""
_MAX_TIME_RATIO, _MIN_TIME_S = 1.2, 20.0
"""All further attempts together take at most so many times the first, or so long."""
_LENSES = {  # pycolmap's camera model, and focal length over the longer side
    "fisheye": ("SIMPLE_RADIAL_FISHEYE", 0.4, text("assuming a fisheye lens")),
    "wide": (CAMERA_MODEL, 0.6, text("assuming a wide lens")),
    "narrow": (CAMERA_MODEL, 3.0, text("assuming a long lens")),
}
_DESCRIPTIONS = {
    "pairs": text("matching more pairs"),
    "details": text("finding fainter features"),
    **{name: description for name, (_, _, description) in _LENSES.items()},
}


@dataclass(frozen=True)
class Outcome:
    """The result of an attempt."""

    tried: str
    """what was changed; "" for the first attempt"""
    database: Path
    pairs: PairCounts
    models: list[Any]
    """pycolmap Reconstructions, the best first"""
    seconds: float


@dataclass(frozen=True)
class AttemptFacts:
    """What decides about another attempt."""

    usable: int
    """number of usable photos"""
    placed: int
    """of these, in the best model"""
    placed_in_any: int
    """of these, in all models"""
    feature_ratio: float
    """features of the median photo over the most it may have"""
    all_matched: bool
    """all candidate pairs were matched"""
    any_links: bool
    """some two photos share enough features"""
    maybe_fisheye: bool
    unknown_focal: bool
    looks_distorted: bool
    """the best model looks distorted by a lens of another kind"""


def next_attempt(facts: AttemptFacts, tried: Iterable[str]) -> str:
    """Return what to try after ``tried``, or "" where nothing is likely to help."""
    enough = facts.placed >= _ENOUGH_RATIO * facts.usable
    # Photos that are in some model have good features: the models do not overlap.
    split = facts.placed_in_any >= _ENOUGH_RATIO * facts.usable and not enough
    missing = not enough and not split
    helps = {
        "pairs": not enough and not facts.all_matched,
        "details": missing and facts.feature_ratio < _FEW_FEATURES_RATIO,
        "fisheye": facts.maybe_fisheye and facts.any_links and (facts.looks_distorted or missing),
        "wide": facts.unknown_focal and facts.any_links and missing,
        "narrow": facts.unknown_focal and facts.any_links and missing,
    }
    return next((name for name, good in helps.items() if good and name not in tried), "")


@dataclass(frozen=True)
class Solver:
    """Solves the poses of working copies."""

    workspace: Path
    copies: list[WorkingCopy]
    quality: Quality
    seed: int
    progress: ProgressEstimator

    def solve(self) -> list[Outcome]:
        """Return all attempts in order; `best_attempt` chooses one."""
        outcomes = [self._from_photos("", self.quality.sift(), float("inf"))]
        first = dict(self.progress.seconds)
        limit_s = max(_MAX_TIME_RATIO * self.progress.total, _MIN_TIME_S)
        deadline = time.monotonic() + limit_s
        costs_s = {
            "pairs": first["matches"] + first["mapping"],
            "details": sum(first.values()) - first["copy"],
        }
        while True:
            name = next_attempt(self._facts(outcomes), [o.tried for o in outcomes])
            cost_s = costs_s.get(name, 0.3 * first["matches"] + first["mapping"])
            if not name or time.monotonic() + cost_s > deadline:
                return outcomes
            self.progress.attempt = _DESCRIPTIONS[name]
            outcomes.append(self._again(name, best_attempt(outcomes, self.copies), deadline))

    def _again(self, name: str, best: Outcome, deadline: float) -> Outcome:
        if name == "details":
            return self._from_photos(name, self.quality.sift(faint=True), deadline)
        start_s = self.progress.total
        if name == "pairs":
            pairs = match_more(
                best.database, self._names, best.pairs, self.seed, deadline, self.progress
            )
            return self._map(name, best.database, pairs, start_s, deadline)
        lens, focal, _ = _LENSES[name]
        database = self.workspace / f"{name}.db"
        self.progress.update("matches", 0, 1, text("matching photos"))
        with_lens(best.database, database, lens, focal, self.seed)
        self.progress.finish("matches")
        return self._map(name, database, best.pairs, start_s, deadline)

    def _from_photos(self, name: str, sift: dict[str, Any], deadline: float) -> Outcome:
        start_s = self.progress.total
        settings = hashlib.sha256(repr(sorted(sift.items())).encode()).hexdigest()[:8]
        database = self.workspace / f"features_{settings}.db"
        known = find_features(database, self._photos, self.copies, sift, self.progress)
        pairs = match_photos(
            database, self._names, known, self.quality.partners, self.seed, deadline, self.progress
        )
        return self._map(name, database, pairs, start_s, deadline)

    def _map(
        self, name: str, database: Path, pairs: PairCounts, start_s: float, deadline: float
    ) -> Outcome:
        limit_s = max(
            deadline - time.monotonic(), 2 * self.progress.seconds.get("mapping", 5.0), 1.0
        )
        models = map_photos(
            database, self._photos, len(self.copies), self.seed, limit_s, self.progress
        )
        links, focals = read_database(database).links, exif_focals(self.copies)
        models.sort(key=lambda m: _merit(m, links, focals), reverse=True)
        return Outcome(name, database, pairs, models, self.progress.total - start_s)

    def _facts(self, outcomes: list[Outcome]) -> AttemptFacts:
        best = best_attempt(outcomes, self.copies)
        contents = read_database(best.database)
        good = {c.copy for c in usable(self.copies, contents.n_features)}
        groups = [_placed_in(model) & good for model in best.models]
        views = [c.exif_view for c in self.copies]
        focals = exif_focals(self.copies)
        return AttemptFacts(
            usable=len(good),
            placed=len(groups[0]) if groups else 0,
            placed_in_any=len(set[str]().union(*groups)),
            feature_ratio=median([contents.n_features[c] for c in good] or [0])
            / self.quality.features,
            all_matched=best.pairs.matched >= best.pairs.candidates,
            any_links=any(
                n >= MIN_SHARED_FEATURES
                for shared in contents.links.values()
                for n in shared.values()
            ),
            maybe_fisheye=any(view is None or view > WIDE_VIEW for view in views),
            unknown_focal=any(view is None for view in views),
            looks_distorted=any(_looks_distorted(m, focals) for m in best.models[:1]),
        )

    @property
    def _names(self) -> list[str]:
        return [c.copy for c in self.copies]

    @property
    def _photos(self) -> Path:
        return self.workspace / "photos"


def _looks_distorted(model: Any, focals: dict[str, float]) -> bool:
    error = model.compute_mean_reprojection_error()
    view = max(view_angle(camera) for camera in model.cameras.values())
    return (
        error > MAX_MEAN_ERROR_PX
        or (error > _DISTORTED_ERROR_PX and view > WIDE_VIEW)
        or bool(lens_warnings(model, focals))
    )


def best_attempt(outcomes: list[Outcome], copies: list[WorkingCopy]) -> Outcome:
    """Return the attempt that placed most photos or, of such, the most plausible one."""
    focals = exif_focals(copies)
    return max(
        outcomes,
        key=lambda o: max(
            (_merit(m, read_database(o.database).links, focals) for m in o.models[:1]),
            default=(0, 0, 0.0),
        ),
    )


def _placed_in(model: Any) -> set[str]:
    return {image.name for image in model.images.values() if image.has_pose}


def _merit(model: Any, links: Links, focals: dict[str, float]) -> tuple[int, int, float]:
    n_warnings = len(pose_warnings(model, links, focals))
    return model.num_reg_images(), -n_warnings, -float(model.compute_mean_reprojection_error())


def describe_attempts(outcomes: list[Outcome], kept: Outcome, n_usable: int) -> list[AttemptRecord]:
    """Return the attempts as the report lists them."""
    records: list[AttemptRecord] = []
    for outcome in outcomes:
        sizes = [model.num_reg_images() for model in outcome.models]
        placed = max(sizes, default=0)
        result = (
            text("Another attempt, {attempt}, placed {placed} of {n} photos")
            if outcome.tried
            else text("The first attempt placed {placed} of {n} photos")
        )
        attempt = _DESCRIPTIONS.get(outcome.tried, NO_TEXT)
        result = result.filled(attempt=attempt, placed=placed, n=n_usable)
        if outcome is kept:
            result = text("{result}; it is used", result=result)
        records.append(
            AttemptRecord(
                text=result,
                tried=outcome.tried,
                kept=outcome is kept,
                photos_placed=placed,
                groups=sizes,
                seconds=round(outcome.seconds, 2),
                pairs_compared=outcome.pairs.matched,
                reprojection_error_px=round(
                    float(outcome.models[0].compute_mean_reprojection_error()), 3
                )
                if sizes
                else None,
            )
        )
    return records
