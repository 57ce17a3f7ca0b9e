"""Which photos see the same things: pairs are chosen, compared coarsely, then thoroughly.

Part of the solving process (`pose_process`). Comparing two photos costs the product of their
numbers of features. So the largest features of each, which survive a change of distance, are
compared first, and only pairs that share some are compared with all.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from core.capture.pose_reuse import opened, set_aside, take_over

_THREADS = 2
_EXHAUSTIVE_UP_TO = 300  # photos
_SEQUENTIAL_OVERLAP = 15
_LOOP_PHOTOS = 60  # spread over a long sequence and all matched with each other
_THOROUGH_UP_TO = 15  # photos, of which all pairs are compared thoroughly at once
_COARSE_FEATURES = 800
_COARSE_MATCHES = 15  # that make a pair worth comparing thoroughly
_PARTNERS = 16  # of a photo, at most, the most similar ones: more add time but little accuracy
_ALWAYS_NEAR = 2  # in shooting order, compared thoroughly whatever they share
_PHASES = {"copy": 0.03, "features": 0.22, "overview": 0.1, "matches": 0.35, "mapping": 0.3}

Pair = tuple[int, int]


class Clock:
    """Turns progress within phases into progress of the whole, and times the phases."""

    def __init__(self, report: Callable[[float, str], None]) -> None:
        self._report = report
        self._started = time.monotonic()
        self.seconds: dict[str, float] = {}

    def update(self, phase: str, done: int, total: int, detail: str) -> None:
        names = list(_PHASES)
        before = sum(_PHASES[n] for n in names[: names.index(phase)])
        self._report(before + _PHASES[phase] * min(done / max(total, 1), 1.0), detail)

    def finish(self, phase: str) -> None:
        now = time.monotonic()
        self.seconds[phase] = round(now - self._started, 2)
        self._started = now


def lots(items: list[Any], size: int) -> Iterable[list[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))


def match_photos(
    database: Path, names: list[str], known: set[frozenset[str]], seed: int, clock: Clock
) -> int:
    """Find what the photos ``names`` (in shooting order) in ``database`` share, but for the pairs
    ``known``. Returns how many pairs were looked at."""
    candidates = choose_pairs(len(names))
    pairs = candidates
    if len(names) > _THOROUGH_UP_TO:
        coarse = database.with_name("overview.db")
        before = set_aside(coarse)
        _copy_largest_features(database, coarse)
        _, seen = take_over(before, coarse)
        _compare(coarse, names, _without(seen, candidates, names), None, clock, 400)
        pairs = promising_pairs(candidates, _shared(coarse, names))
    clock.finish("overview")
    _compare(database, names, _without(known, pairs, names), seed, clock, 100)
    clock.finish("matches")
    return len(candidates)


def _without(known: set[frozenset[str]], pairs: list[Pair], names: list[str]) -> list[Pair]:
    return [(i, j) for i, j in pairs if frozenset((names[i], names[j])) not in known]


def choose_pairs(n: int) -> list[Pair]:
    """Which of ``n`` photos, in shooting order, may see the same things: all while they are few;
    else each with the next ones, with some at doubling distances, and photos spread evenly over
    the sequence all with each other, which closes loops."""
    if n <= _EXHAUSTIVE_UP_TO:
        return list(itertools.combinations(range(n), 2))
    near = {(i, j) for i in range(n) for j in range(i + 1, min(i + 1 + _SEQUENTIAL_OVERLAP, n))}
    far = {(i, i + 2**k) for i in range(n) for k in range(4, 10) if i + 2**k < n}
    spread = range(0, n, math.ceil(n / _LOOP_PHOTOS))
    return sorted(near | far | set(itertools.combinations(spread, 2)))


def promising_pairs(candidates: list[Pair], shared: dict[Pair, int]) -> list[Pair]:
    """The candidates worth a thorough comparison, given how many of their largest features agree:
    for each photo those it shares most with, and its neighbours in shooting order."""
    chosen = {(i, j) for i, j in candidates if j - i <= _ALWAYS_NEAR}
    by_photo: dict[int, list[tuple[int, Pair]]] = {}
    for pair in candidates:
        if shared.get(pair, 0) >= _COARSE_MATCHES:
            for i in pair:
                by_photo.setdefault(i, []).append((shared[pair], pair))
    for found in by_photo.values():
        chosen.update(pair for _, pair in sorted(found, reverse=True)[:_PARTNERS])
    return sorted(chosen)


def _copy_largest_features(database: Path, coarse: Path) -> None:
    with opened(database) as source, opened(coarse) as target:
        for camera in source.read_all_cameras():
            target.write_camera(camera, use_camera_id=True)
        for rig in source.read_all_rigs():
            target.write_rig(rig, use_rig_id=True)
        for frame in source.read_all_frames():
            target.write_frame(frame, use_frame_id=True)
        for image in source.read_all_images():
            target.write_image(image, use_image_id=True)
            keypoints = source.read_keypoints(image.image_id)  # x, y, 2x2 affine shape
            descriptors = source.read_descriptors(image.image_id)
            sizes = np.abs(keypoints[:, 2] * keypoints[:, 5] - keypoints[:, 3] * keypoints[:, 4])
            largest = np.sort(np.argsort(-sizes)[:_COARSE_FEATURES])
            target.write_keypoints(image.image_id, np.ascontiguousarray(keypoints[largest]))
            descriptors.data = np.ascontiguousarray(descriptors.data[largest])
            target.write_descriptors(image.image_id, descriptors)


def _compare(
    database: Path, names: list[str], pairs: list[Pair], seed: int | None, clock: Clock, lot: int
) -> None:
    """Match ``pairs``, ``lot`` at a time; with a ``seed``, check that the matches agree on one
    geometry, else (an overview) only count them."""
    import pycolmap

    phase, words = (("overview", "looking for overlap") if seed is None
                    else ("matches", "comparing photos"))
    checking = pycolmap.TwoViewGeometryOptions()
    checking.ransac.random_seed = -1 if seed is None else seed

    matching = pycolmap.FeatureMatchingOptions()
    matching.num_threads = 1 if seed is not None else _THREADS  # each draws its own numbers
    matching.skip_geometric_verification = seed is None
    pairing = pycolmap.ImportedPairingOptions()
    listed = database.with_name("pairs.txt")
    pairing.match_list_path = str(listed)
    done = 0
    for part in lots(pairs, lot):
        clock.update(phase, done, len(pairs), f"{words}: pair {done} of {len(pairs)}")
        lines = [f"{names[i]} {names[j]}\n" for i, j in part]
        listed.write_text("".join(lines), encoding="utf-8")
        pycolmap.match_image_pairs(
            str(database), matching_options=matching, pairing_options=pairing,
            verification_options=checking, device=pycolmap.Device.cpu,
        )
        done += len(part)


def _shared(coarse: Path, names: list[str]) -> dict[Pair, int]:
    """How many features each pair shares, by positions in ``names``."""
    import pycolmap

    with opened(coarse) as database:
        positions = {image.image_id: names.index(image.name)
                     for image in database.read_all_images()}
        pair_ids, counts = database.read_num_matches()
    shared = {}
    for pair_id, count in zip(pair_ids, counts):
        i, j = sorted(positions[k] for k in pycolmap.pair_id_to_image_pair(int(pair_id)))
        shared[i, j] = int(count)
    return shared
