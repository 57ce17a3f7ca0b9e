"""Camera poses of plain photos: drives the solving process and turns its model into a Scene."""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from core.base.child_process import start_module
from core.base.cores import usable_cores
from core.base.errors import UserError
from core.base.jobs import Progress, Task, run_in_thread
from core.base.text import Text, join, text
from core.capture.file_lock import acquire_lock
from core.capture.photos import abbreviate_names, list_photos, photo_names
from core.capture.poses.export import write_poses
from core.capture.readers.colmap import load_model, scene_from_model
from core.capture.region import propose_region
from core.capture.scene import Scene
from core.config.opening import PoseQuality

__all__ = ["PartialPoses", "solve_poses", "write_poses"]


@dataclass(frozen=True)
class PartialPoses:
    """What the solving process has placed so far, in a frame that means nothing: ``cameras``
    [N, 4, 4] world_from_camera, and some ``points`` [P, 3]."""

    cameras: np.ndarray
    points: np.ndarray


def solve_poses(
    folder: Path,
    workspace: Path,
    seed: int = 0,
    *,
    recursive: bool = False,
    quality: PoseQuality = "normal",
    group: int = 0,
) -> Task[Scene]:
    """Solve the poses of the photos in ``folder`` (if ``recursive``, in its subfolders too); the
    frame is upright (+Z) and of arbitrary scale. Photos without a pose are left out and named, with
    the reason, in the notices. While cameras are being placed, the progress carries the
    `PartialPoses`.

    ``group``: where photos fall into groups that share too little, the one that becomes the Scene,
    counted as in the report's ``groups``; choosing another one does not solve again.

    ``workspace`` keeps the working copies, log, the models of all groups in ``groups``, the chosen
    one in ``solved``, and ``report.json``; a solution that it already holds for these photos is
    reused, and of one for some of them, or that was cut short, what it found in each photo and
    pair. One process at a time solves there; others wait. Closing the task ends the solving
    process. Raises UserError where there are too few photos, they do not fit together, or there is
    no such group.
    """
    folder, workspace = Path(folder), Path(workspace)
    photos = list_photos(folder, recursive)
    lock = yield from acquire_lock(workspace)
    try:
        solved_for = _fingerprint(photos, seed, quality)
        if _report(workspace).get("fingerprint") != solved_for:
            _clear(workspace)
            yield from _drive(
                {
                    "photos": [str(p.resolve()) for p in photos],
                    "seed": seed,
                    "workspace": str(workspace),
                    "quality": quality,
                }
            )
        report = _choose(workspace, group, solved_for)
        yield Progress(
            1.0,
            text(
                "{placed} of {n} photos placed",
                placed=report["photos_used"],
                n=report["photos_in"],
            ),
        )
        model = load_model(workspace / "solved")
        scene = scene_from_model(model, dict(zip(photo_names(photos), photos)))
        scene = replace(scene, kind=text("photos, poses solved"), frame_is_free=True)
        return (
            yield from run_in_thread(
                lambda: propose_region(scene, notices=_notices(report)),
                Progress(1.0, text("looking for the subject")),
            )
        )
    finally:
        lock.release()


def _choose(workspace: Path, group: int, solved_for: str) -> dict[str, Any]:
    """Make ``group`` the solution of ``workspace``; returns its report. Raises UserError."""
    models = workspace / "groups"
    try:
        report = json.loads((models / f"{group}.json").read_text(encoding="utf-8"))
    except OSError as error:
        n = len(list(models.glob("*.json")))
        raise UserError(
            text("There is no group {group} of photos: they form {n}", group=group, n=n),
            text("Choose a group from 0, the best one, to {n}.", n=n - 1),
        ) from error
    now = {"fingerprint": solved_for, "group": group}
    if {key: _report(workspace).get(key) for key in now} != now:
        (workspace / "report.json").unlink(missing_ok=True)
        shutil.rmtree(workspace / "solved", ignore_errors=True)
        shutil.copytree(models / str(group), workspace / "solved")
        report_file = workspace / "report.json"
        report_file.write_text(json.dumps(report | now, indent=1), encoding="utf-8")
    return report


def _drive(job: dict[str, Any]) -> Task[None]:
    """Run the solving process to its end; it is killed when the task is closed."""
    process = start_module("core.capture.poses.process", OMP_NUM_THREADS=str(usable_cores()))
    assert process.stdin is not None
    assert process.stdout is not None
    lines: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    progress = Progress(0.0, text("starting"))
    try:
        # The input stays open: its end is the child's end.
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
        while True:
            yield progress
            try:
                line = lines.get(timeout=0.1)
            except queue.Empty:
                continue
            if line is None:
                raise UserError(
                    text("The pose solver ended unexpectedly"),
                    text("See {path}, then try again.", path=Path(job["workspace"]) / "solve.log"),
                )
            message = json.loads(line)
            if "error" in message:
                raise UserError(*msgspec.convert(message["error"], list[Text]))
            if "solved" in message:
                return
            found = _found(message["found"]) or progress.partial_result
            progress = Progress(
                message["fraction"], msgspec.convert(message["detail"], Text), found
            )
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def _pump(stream: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    """Hand on what the process says, so that waiting for it never blocks the task."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _found(told: dict[str, Any] | None) -> PartialPoses | None:
    if told is None:
        return None
    return PartialPoses(
        np.array(told["cameras"]).reshape(-1, 4, 4), np.array(told["points"]).reshape(-1, 3)
    )


def _fingerprint(photos: list[Path], seed: int, quality: PoseQuality) -> str:
    stats = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in photos]
    return hashlib.sha256(repr((stats, seed, quality)).encode()).hexdigest()


def _report(workspace: Path) -> dict[str, Any]:
    """That of the solution which ``workspace`` holds, empty where there is none."""
    try:
        return json.loads((workspace / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _clear(workspace: Path) -> None:
    """Remove the results of an earlier solution; what it found in the photos is of use still."""
    (workspace / "report.json").unlink(missing_ok=True)
    for name in ("groups", "solved"):
        shutil.rmtree(workspace / name, ignore_errors=True)


def _notices(report: dict[str, Any]) -> list[Text]:
    """Which photos are not used and why, and what to do about it."""
    unused = msgspec.convert(report["unused"], dict[str, Text])
    advice = msgspec.convert(report["advice"], list[Text])
    if not unused:
        return advice
    by_reason: dict[Text, list[str]] = {}
    for name, reason in unused.items():
        by_reason.setdefault(reason, []).append(name)
    photos = [
        text("{names} ({reason})", names=abbreviate_names(names), reason=reason)
        for reason, names in by_reason.items()
    ]
    notice = text(
        "{unused} of {n} photos are not used: {photos}",
        unused=len(unused),
        n=report["photos_in"],
        photos=join("; ", photos),
    )
    return [notice, *advice]
