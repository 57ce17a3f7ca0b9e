"""Which photos see the same things: pairs are chosen, compared coarsely, then thoroughly.

Part of the solving process (`process`). Comparing two photos costs the product of their
numbers of features. So the largest features of each, which survive a change of distance, are
compared first, and only pairs that share some are compared with all.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.base.cores import usable_cores
from core.base.text import text
from core.capture.poses.database import compared_pairs, copy_features, open_database, set_aside
from core.capture.poses.progress_estimate import ProgressEstimator, batches, pair_work
from core.capture.poses.retrieval import detail_sizes, similar_photos

_EXHAUSTIVE_UP_TO = 300  # photos
_NEIGHBOURS = 8  # on either side in shooting order
_THOROUGH_UP_TO = 15  # photos, of which all pairs are compared thoroughly at once
_COARSE_FEATURES = 800
_COARSE_MATCHES = 15  # that make a pair worth comparing thoroughly
_ALWAYS_NEAR = 2  # in shooting order, compared thoroughly whatever they share
_MORE = 2  # times as many pairs, at most, when comparing again

Pair = tuple[int, int]


@dataclass(frozen=True)
class Compared:
    """Pairs of photos: how many were looked at, how many of those thoroughly."""

    looked_at: int
    thoroughly: int


def match_photos(
    database: Path,
    names: list[str],
    known: set[frozenset[str]],
    partners: int,
    seed: int,
    ends: float,
    clock: ProgressEstimator,
) -> Compared:
    """Find what the photos ``names`` (in shooting order) in ``database`` share, but for the pairs
    ``known``; each with at most ``partners`` others, and none after ``ends`` (monotonic time)."""
    n = len(names)
    clock.expect(overview=n * min(n, _EXHAUSTIVE_UP_TO) / 2 if n > _THOROUGH_UP_TO else 0)
    pairs = candidates = choose_pairs(n, lambda: similar_photos(database, names, seed))
    if n > _THOROUGH_UP_TO:
        coarse = _overview(database)
        before = set_aside(coarse)
        _copy_largest_features(database, coarse)
        _, seen = copy_features(before, coarse)
        _compare(coarse, names, _without(seen, candidates, names), None, clock, 400)
        pairs = promising_pairs(candidates, _shared(coarse, names), partners)
    clock.finish("overview")
    _compare_thoroughly(database, names, _without(known, pairs, names), seed, ends, clock)
    return Compared(len(candidates), len(pairs))


def match_more(
    database: Path,
    names: list[str],
    compared: Compared,
    seed: int,
    ends: float,
    clock: ProgressEstimator,
) -> Compared:
    """Compare thoroughly also those pairs that `match_photos` thought little of, up to as many
    again, those that share most first, and none after ``ends``."""
    candidates = choose_pairs(len(names), lambda: similar_photos(database, names, seed))
    shared = _shared(_overview(database), names)
    with open_database(database) as content:
        ids = {image.image_id: image.name for image in content.read_all_images()}
    done = {frozenset((ids[a], ids[b])) for a, b in compared_pairs(database)}
    more = _without(done, candidates, names)
    more.sort(key=lambda pair: (-shared.get(pair, 0), pair[1] - pair[0], pair))
    more = more[: (_MORE - 1) * compared.thoroughly]
    _compare_thoroughly(database, names, more, seed, ends, clock)
    return Compared(len(candidates), compared.thoroughly + len(more))


def _overview(database: Path) -> Path:
    return database.with_name(f"overview_{database.name}")


def _without(known: set[frozenset[str]], pairs: list[Pair], names: list[str]) -> list[Pair]:
    return [(i, j) for i, j in pairs if frozenset((names[i], names[j])) not in known]


def choose_pairs(n: int, similar: Callable[[], np.ndarray]) -> list[Pair]:
    """Which of ``n`` photos, in shooting order, may see the same things: all while they are few;
    else each with its neighbours and with those that ``similar`` says look alike: int [n, k]."""
    if n <= _EXHAUSTIVE_UP_TO:
        return list(itertools.combinations(range(n), 2))
    near = {(i, j) for i in range(n) for j in range(i + 1, min(i + 1 + _NEIGHBOURS, n))}
    alike = {(min(i, int(j)), max(i, int(j))) for i, row in enumerate(similar()) for j in row}
    return sorted(near | alike)


def promising_pairs(candidates: list[Pair], shared: dict[Pair, int], partners: int) -> list[Pair]:
    """The candidates worth a thorough comparison, given how many of their largest features agree:
    for each photo the ``partners`` it shares most with, and its neighbours in shooting order."""
    chosen = {(i, j) for i, j in candidates if j - i <= _ALWAYS_NEAR}
    by_photo: dict[int, list[tuple[int, Pair]]] = {}
    for pair in candidates:
        if shared.get(pair, 0) >= _COARSE_MATCHES:
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
            largest = np.sort(np.argsort(-detail_sizes(keypoints))[:_COARSE_FEATURES])
            target.write_keypoints(image.image_id, np.ascontiguousarray(keypoints[largest]))
            descriptors.data = np.ascontiguousarray(descriptors.data[largest])
            target.write_descriptors(image.image_id, descriptors)


def _compare_thoroughly(
    database: Path,
    names: list[str],
    pairs: list[Pair],
    seed: int,
    ends: float,
    clock: ProgressEstimator,
) -> None:
    with open_database(database) as content:
        details = content.num_keypoints() / max(len(names), 1)
    clock.expect(matches=pair_work(len(pairs), details))
    _compare(database, names, pairs, seed, clock, 60, ends)
    clock.finish("matches")


def _compare(
    database: Path,
    names: list[str],
    pairs: list[Pair],
    seed: int | None,
    clock: ProgressEstimator,
    lot: int,
    ends: float = float("inf"),
) -> None:
    """Match ``pairs``, ``lot`` at a time; with a ``seed``, check that the matches agree on one
    geometry, else (an overview) only count them."""
    import pycolmap

    phase = "overview" if seed is None else "matches"
    detail = (
        text("finding overlapping photos, pair {i} of {n}")
        if seed is None
        else text("matching photos, pair {i} of {n}")
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
    for part in batches(pairs, lot):
        if time.monotonic() > ends:
            return
        clock.update(phase, done, len(pairs), detail.filled(i=done, n=len(pairs)))
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


def _shared(database: Path, names: list[str]) -> dict[Pair, int]:
    """How many features each pair that was compared shares, by positions in ``names``."""
    import pycolmap

    with open_database(database) as content:
        at = {name: i for i, name in enumerate(names)}
        positions = {image.image_id: at[image.name] for image in content.read_all_images()}
        pair_ids, counts = content.read_num_matches()
    shared = {}
    for pair_id, count in zip(pair_ids, counts):
        i, j = sorted(positions[k] for k in pycolmap.pair_id_to_image_pair(int(pair_id)))
        shared[i, j] = int(count)
    return shared
