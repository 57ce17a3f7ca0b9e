"""Matching: pairs of photos are chosen, matched coarsely, then with all features.

Part of the solving process (`process`). Matching two photos costs the product of their
numbers of features. So the largest features of each, which survive a change of distance, are
matched first, and only pairs that share some are matched with all.
"""

# pyright: reportUnknownMemberType=false
# pycolmap is partly typed.

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.base.cores import usable_cores
from core.base.text import text
from core.capture.poses.database import copy_features, matched_pairs, open_database, set_aside
from core.capture.poses.progress_estimate import ProgressEstimator, batches, matching_items
from core.capture.poses.retrieval import keypoint_areas, similar_photos

_MAX_PHOTOS_EXHAUSTIVE = 300
"""Photos up to which all pairs are candidates."""
_NEIGHBOURS = 8
"""Photos on either side in shooting order that are candidates."""
_MAX_PHOTOS_WITHOUT_OVERVIEW = 15
"""Photos up to which all pairs are matched with all features at once."""
_COARSE_FEATURES = 800
"""Features of a photo for coarse matching, the largest."""
_MIN_COARSE_MATCHES = 15
"""Coarse matches that make a pair worth matching with all features."""
_NEAREST_NEIGHBOURS = 2
"""Photos on either side in shooting order that are always matched with all features."""
_MORE_PAIRS_RATIO = 2
"""Pairs after `match_more` over those before, at most."""
_COARSE_BATCH, _BATCH = 400, 60
"""Pairs between two reports of progress."""

Pair = tuple[int, int]
"""Positions of two photos, the smaller first."""


@dataclass(frozen=True)
class PairCounts:
    """Numbers of pairs of photos."""

    candidates: int
    matched: int
    """of these, with all features"""


def match_photos(
    database: Path,
    names: list[str],
    known: set[frozenset[str]],
    partners: int,
    seed: int,
    deadline: float,
    progress: ProgressEstimator,
) -> PairCounts:
    """Match photos, each with at most ``partners`` others.

    Args:
        database: holds their features, and receives the matches.
        names: of the photos, in shooting order.
        known: pairs whose matches the database holds already.
        partners: photos that each is matched with, at most.
        seed: of the geometric verification.
        deadline: monotonic time after which no pair is matched.
        progress: of the phases "overview" and "matches".
    """
    n = len(names)
    coarsely = n > _MAX_PHOTOS_WITHOUT_OVERVIEW
    progress.expect(overview=n * min(n, _MAX_PHOTOS_EXHAUSTIVE) / 2 if coarsely else 0)
    pairs = candidates = choose_pairs(n, lambda: similar_photos(database, names, seed))
    if coarsely:
        coarse = _overview(database)
        before = set_aside(coarse)
        _copy_largest_features(database, coarse)
        _, coarsely_known = copy_features(before, coarse)
        _match(
            coarse,
            names,
            _without(coarsely_known, candidates, names),
            None,
            progress,
            _COARSE_BATCH,
        )
        pairs = promising_pairs(candidates, _num_matches(coarse, names), partners)
    progress.finish("overview")
    _match_all_features(database, names, _without(known, pairs, names), seed, deadline, progress)
    return PairCounts(len(candidates), len(pairs))


def match_more(
    database: Path,
    names: list[str],
    counts: PairCounts,
    seed: int,
    deadline: float,
    progress: ProgressEstimator,
) -> PairCounts:
    """Match as many pairs again that `match_photos` left out, those with most coarse matches first.

    Args:
        database: holds the matches so far.
        names: of the photos, in shooting order.
        counts: what `match_photos` returned.
        seed: of the geometric verification.
        deadline: monotonic time after which no pair is matched.
        progress: of the phase "matches".
    """
    candidates = choose_pairs(len(names), lambda: similar_photos(database, names, seed))
    shared = _num_matches(_overview(database), names)
    with open_database(database) as content:
        ids = {image.image_id: image.name for image in content.read_all_images()}
    done = {frozenset((ids[a], ids[b])) for a, b in matched_pairs(database)}
    more = _without(done, candidates, names)
    more.sort(key=lambda pair: (-shared.get(pair, 0), pair[1] - pair[0], pair))
    more = more[: (_MORE_PAIRS_RATIO - 1) * counts.matched]
    _match_all_features(database, names, more, seed, deadline, progress)
    return PairCounts(len(candidates), counts.matched + len(more))


def _overview(database: Path) -> Path:
    return database.with_name(f"overview_{database.name}")


def _without(known: set[frozenset[str]], pairs: list[Pair], names: list[str]) -> list[Pair]:
    return [(i, j) for i, j in pairs if frozenset((names[i], names[j])) not in known]


def choose_pairs(n: int, similar: Callable[[], np.ndarray]) -> list[Pair]:
    """Return the candidate pairs of ``n`` photos in shooting order.

    These are all pairs of few photos; else each with its neighbours and with those that ``similar``
    returns, int [n, k].
    """
    if n <= _MAX_PHOTOS_EXHAUSTIVE:
        return list(itertools.combinations(range(n), 2))
    near = {(i, j) for i in range(n) for j in range(i + 1, min(i + 1 + _NEIGHBOURS, n))}
    similar_pairs = {
        (min(i, int(j)), max(i, int(j))) for i, row in enumerate(similar()) for j in row
    }
    return sorted(near | similar_pairs)


def promising_pairs(candidates: list[Pair], shared: dict[Pair, int], partners: int) -> list[Pair]:
    """Return the candidates worth matching with all features.

    Args:
        candidates: pairs of photos in shooting order.
        shared: number of coarse matches of each.
        partners: photos that each is matched with, at most, besides its nearest neighbours.
    """
    chosen = {(i, j) for i, j in candidates if j - i <= _NEAREST_NEIGHBOURS}
    by_photo: dict[int, list[tuple[int, Pair]]] = {}
    for pair in candidates:
        if shared.get(pair, 0) >= _MIN_COARSE_MATCHES:
            for i in pair:
                by_photo.setdefault(i, []).append((shared[pair], pair))
    for found in by_photo.values():
        chosen.update(pair for _, pair in sorted(found, reverse=True)[:partners])
    return sorted(chosen)


def _copy_largest_features(database: Path, coarse: Path) -> None:
    with open_database(database) as source, open_database(coarse) as target:
        for camera in source.read_all_cameras():
            target.write_camera(camera, use_camera_id=True)
        for rig in source.read_all_rigs():
            target.write_rig(rig, use_rig_id=True)
        for frame in source.read_all_frames():
            target.write_frame(frame, use_frame_id=True)
        for image in source.read_all_images():
            target.write_image(image, use_image_id=True)
            keypoints = source.read_keypoints(image.image_id)
            descriptors = source.read_descriptors(image.image_id)
            largest = np.sort(np.argsort(-keypoint_areas(keypoints))[:_COARSE_FEATURES])
            target.write_keypoints(image.image_id, np.ascontiguousarray(keypoints[largest]))
            descriptors.data = np.ascontiguousarray(descriptors.data[largest])
            target.write_descriptors(image.image_id, descriptors)


def _match_all_features(
    database: Path,
    names: list[str],
    pairs: list[Pair],
    seed: int,
    deadline: float,
    progress: ProgressEstimator,
) -> None:
    with open_database(database) as content:
        features = content.num_keypoints() / max(len(names), 1)
    progress.expect(matches=matching_items(len(pairs), features))
    _match(database, names, pairs, seed, progress, _BATCH, deadline)
    progress.finish("matches")


def _match(
    database: Path,
    names: list[str],
    pairs: list[Pair],
    seed: int | None,
    progress: ProgressEstimator,
    batch: int,
    deadline: float = float("inf"),
) -> None:
    """Match ``pairs``, a ``batch`` at a time.

    There is geometric verification with a ``seed``; without, it is the overview.
    """
    import pycolmap

    phase = "overview" if seed is None else "matches"
    detail = (
        text("finding overlapping photos: pair {i} of {n}")
        if seed is None
        else text("matching photos: pair {i} of {n}")
    )
    checking = pycolmap.TwoViewGeometryOptions()
    checking.ransac.random_seed = -1 if seed is None else seed
    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads = usable_cores()
    matching.skip_geometric_verification = seed is None
    pairing = pycolmap.ImportedPairingOptions()
    listed = database.with_name("pairs.txt")
    pairing.match_list_path = str(listed)
    done = 0
    for part in batches(pairs, batch):
        if time.monotonic() > deadline:
            return
        progress.update(phase, done, len(pairs), detail.filled(i=done, n=len(pairs)))
        lines = [f"{names[i]} {names[j]}\n" for i, j in part]
        listed.write_text("".join(lines), encoding="utf-8")
        pycolmap.match_image_pairs(
            str(database),
            matching_options=matching,
            pairing_options=pairing,
            verification_options=checking,
            device=pycolmap.Device.cpu,
        )
        done += len(part)


def _num_matches(database: Path, names: list[str]) -> dict[Pair, int]:
    """Return the number of matches of each pair, by positions in ``names``."""
    import pycolmap

    with open_database(database) as content:
        order = {name: i for i, name in enumerate(names)}
        positions = {image.image_id: order[image.name] for image in content.read_all_images()}
        pair_ids, counts = content.read_num_matches()
    shared: dict[Pair, int] = {}
    for pair_id, count in zip(pair_ids, counts):
        i, j = sorted(positions[k] for k in pycolmap.pair_id_to_image_pair(int(pair_id)))
        shared[i, j] = int(count)
    return shared
