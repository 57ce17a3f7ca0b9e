"""Camera poses of plain photos: drives the solving process and turns its model into a Scene."""

from __future__ import annotations

import hashlib
import queue
import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

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
from core.capture.poses.job import Job, Message, Snapshot
from core.capture.poses.report_file import PoseReportFile, read_report
from core.capture.readers.colmap import load_model, scene_from_model
from core.capture.region import propose_region
from core.capture.scene import Scene
from core.config.opening import PoseQuality

__all__ = ["PartialPoses", "solve_poses", "write_poses"]


@dataclass(frozen=True)
class PartialPoses:
    """What the solving process has placed so far, in an arbitrary frame."""

    cameras: np.ndarray
    """world_from_camera [N, 4, 4]"""
    points: np.ndarray
    """some points [P, 3]"""


def solve_poses(
    folder: Path,
    workspace: Path,
    seed: int = 0,
    *,
    recursive: bool = False,
    quality: PoseQuality = "normal",
    group: int = 0,
) -> Task[Scene]:
    """Solve the poses of the photos in a folder; the frame is upright (+Z) and of arbitrary scale.

    Photos without a pose are left out and named, with the reason, in the notices. While cameras are
    being placed, the progress carries `PartialPoses`. Closing the task ends the solving process.

    Args:
        folder: of the photos.
        workspace: keeps the working copies, log, the models of all groups in ``groups``, the chosen
            one in ``solved``, and ``report.json``. A solution that it already holds for these
            photos is reused; of one for some of them, or that was cut short, features and matches
            are. One process at a time solves there; others wait.
        seed: of the random numbers.
        recursive: also take the photos in subfolders.
        quality: how much work the poses are worth.
        group: where photos fall into groups that share too little, the one that becomes the Scene,
            counted as in the report's ``groups``; choosing another one does not solve again.

    Raises:
        UserError: there are too few photos, they do not fit together, or there is no such group.
    """
    folder, workspace = Path(folder), Path(workspace)
    photos = list_photos(folder, recursive)
    lock = yield from acquire_lock(workspace)
    try:
        fingerprint = _fingerprint(photos, seed, quality)
        solved = read_report(workspace / "report.json")
        if solved is None or solved.fingerprint != fingerprint:
            _clear(workspace)
            files = [str(p.resolve()) for p in photos]
            yield from _run_process(Job(files, str(workspace), seed, quality))
        report = _choose_group(workspace, group, fingerprint)
        yield Progress(
            1.0,
            text("{placed} of {n} photos placed", placed=report.photos_used, n=report.photos_in),
        )
        model = load_model(workspace / "solved")
        scene = scene_from_model(model, dict(zip(photo_names(photos), photos)))
        scene = replace(scene, kind=text("photos, poses solved"), frame_is_free=True)
        return (
            yield from run_in_thread(
                lambda: propose_region(scene, notices=_notices(report)),
                Progress(1.0, text("finding the subject")),
            )
        )
    finally:
        lock.release()


def _choose_group(workspace: Path, group: int, fingerprint: str) -> PoseReportFile:
    """Make ``group`` the solution of ``workspace``; returns its report. Raises UserError."""
    models = workspace / "groups"
    found = read_report(models / f"{group}.json")
    if found is None:
        n = len(list(models.glob("*.json")))
        raise UserError(
            text("There is no group {group} of photos: they form {n}", group=group, n=n),
            text("Choose a group from 0, the best one, to {last}.", last=n - 1),
        )
    report = msgspec.structs.replace(found, fingerprint=fingerprint)
    if read_report(workspace / "report.json") != report:
        (workspace / "report.json").unlink(missing_ok=True)
        shutil.rmtree(workspace / "solved", ignore_errors=True)
        shutil.copytree(models / str(group), workspace / "solved")
        content = msgspec.json.format(msgspec.json.encode(report), indent=1)
        (workspace / "report.json").write_bytes(content)
    return report


def _run_process(job: Job) -> Task[None]:
    """Run the solving process to its end; it is killed when the task is closed."""
    process = start_module("core.capture.poses.process", OMP_NUM_THREADS=str(usable_cores()))
    assert process.stdin is not None
    assert process.stdout is not None
    lines: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True).start()
    progress = Progress(0.0, text("starting"))
    try:
        # The input stays open: the child ends when it closes.
        process.stdin.write(msgspec.json.encode(job) + b"\n")
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
                    text("See {path}, then try again.", path=Path(job.workspace) / "solve.log"),
                )
            message = msgspec.json.decode(line, type=Message)
            if message.error:
                raise UserError(*message.error)
            if message.solved:
                return
            found = _partial_poses(message.found) if message.found else progress.partial_result
            progress = Progress(message.fraction, message.detail, found)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def _read_lines(stream: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    """Queue the lines of ``stream``, and None at its end, so that the task never blocks on it."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _partial_poses(found: Snapshot) -> PartialPoses:
    return PartialPoses(
        np.array(found.cameras).reshape(-1, 4, 4), np.array(found.points).reshape(-1, 3)
    )


def _fingerprint(photos: list[Path], seed: int, quality: PoseQuality) -> str:
    stats = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in photos]
    return hashlib.sha256(repr((stats, seed, quality)).encode()).hexdigest()


def _clear(workspace: Path) -> None:
    """Remove the results of an earlier solution, but not its features and matches."""
    (workspace / "report.json").unlink(missing_ok=True)
    for name in ("groups", "solved"):
        shutil.rmtree(workspace / name, ignore_errors=True)


def _notices(report: PoseReportFile) -> list[Text]:
    """Return which photos are not used and why, and what to do about it."""
    if not report.unused:
        return report.advice
    by_reason: dict[Text, list[str]] = {}
    for name, reason in report.unused.items():
        by_reason.setdefault(reason, []).append(name)
    photos = [
        text("{names} ({reason})", names=abbreviate_names(names), reason=reason)
        for reason, names in by_reason.items()
    ]
    notice = text(
        "{unused} of {n} photos are not used: {photos}",
        unused=len(report.unused),
        n=report.photos_in,
        photos=join("; ", photos),
    )
    return [notice, *report.advice]
