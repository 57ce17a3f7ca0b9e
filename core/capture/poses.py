"""Camera poses of plain photos: drives the solving process and turns its model into a Scene."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from core.capture.colmap import load_model, scene_from_model
from core.capture.photos import list_photos, photo_names
from core.capture.pose_export import write_poses
from core.capture.region import place
from core.capture.scene import Scene
from core.errors import UserError
from core.tasks import Progress, Task

__all__ = ["solve_poses", "write_poses"]

WORKING_SIDE = 1000
"""Longest side, pixels, of the copies on which poses are solved."""

_NAMED = 5


def solve_poses(
    folder: Path, workspace: Path | None = None, seed: int = 0, max_side: int = WORKING_SIDE, *,
    recursive: bool = False,
) -> Task[Scene]:
    """Solve the poses of the photos in ``folder`` (if ``recursive``, in its subfolders too); the
    frame is upright (+Z) and of arbitrary scale. Photos without a pose are left out and named, with
    the reason, in the notices.

    ``workspace`` keeps the working copies, log, model and ``report.json``; a solution that it
    already holds for these photos is reused, and of one for some of them, or that was cut short,
    what it found in each photo and pair. Closing the task ends the solving process.
    Raises UserError where there are too few photos or they do not fit together.
    """
    folder = Path(folder)
    photos = list_photos(folder, recursive)
    temporary = None if workspace else tempfile.mkdtemp(prefix="gradina-poses-")
    workspace = Path(workspace or str(temporary))
    workspace.mkdir(parents=True, exist_ok=True)
    try:
        report = _solved_before(workspace, photos, seed, max_side)
        if report is None:
            _clear(workspace)
            job = {"photos": [str(p.resolve()) for p in photos], "workspace": str(workspace),
                   "seed": seed, "max_side": max_side}
            report = yield from _drive(job)
            report["fingerprint"] = _fingerprint(photos, seed, max_side)
            (workspace / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
        yield Progress(1.0, f"{report['photos_used']} of {report['photos_in']} photos placed")
        model = load_model(workspace / "solved")
        scene = scene_from_model(model, dict(zip(photo_names(photos), photos)))
        return place(replace(scene, kind="photos, poses solved"), notices=_notices(report))
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def _drive(job: dict[str, Any]) -> Task[dict[str, Any]]:
    """Run the solving process to its result; it is killed when the task is closed."""
    environment = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(
        filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))}
    process = subprocess.Popen(
        [sys.executable, "-m", "core.capture.pose_process"], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    progress = Progress(0.0, "starting")
    try:
        process.stdin.write(json.dumps(job) + "\n")  # stays open: its end is the child's end
        process.stdin.flush()
        while True:
            yield progress
            try:
                line = lines.get(timeout=0.1)
            except queue.Empty:
                continue
            if line is None:
                raise UserError(
                    "The pose solver ended unexpectedly",
                    f"See {Path(job['workspace']) / 'solve.log'}, then try again.",
                )
            message = json.loads(line)
            if "error" in message:
                raise UserError(*message["error"])
            if "result" in message:
                return message["result"]
            progress = Progress(message["fraction"], message["detail"])
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def _pump(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    """Hand on what the process says, so that waiting for it never blocks the task."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _fingerprint(photos: list[Path], seed: int, max_side: int) -> str:
    stats = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in photos]
    return hashlib.sha256(repr((stats, seed, max_side)).encode()).hexdigest()


def _solved_before(
    workspace: Path, photos: list[Path], seed: int, max_side: int
) -> dict[str, Any] | None:
    try:
        report = json.loads((workspace / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if report.get("fingerprint") == _fingerprint(photos, seed, max_side) else None


def _clear(workspace: Path) -> None:
    """Remove the results of an earlier solution; what it found in the photos is of use still."""
    for name in ("models", "solved"):
        shutil.rmtree(workspace / name, ignore_errors=True)
    (workspace / "report.json").unlink(missing_ok=True)


def _notices(report: dict[str, Any]) -> list[str]:
    """Which photos are not used and why, and what to do about it."""
    unused: dict[str, str] = report["unused"]
    if not unused:
        return report["advice"]
    by_reason: dict[str, list[str]] = {}
    for name, reason in unused.items():
        by_reason.setdefault(reason, []).append(name)
    parts = [
        f"{', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''} ({reason})"
        for reason, names in by_reason.items()
    ]
    said = f"{len(unused)} of {report['photos_in']} photos are not used: {'; '.join(parts)}"
    return [said, *report["advice"]]
