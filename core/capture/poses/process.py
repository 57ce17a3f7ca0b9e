"""The process that solves poses with pycolmap: ``python -m core.capture.poses.process``.

It is a process of its own, since pycolmap can abort. It reads one JSON job from its standard
input and writes JSON lines, progress and at last the result or an error, to its standard output;
it ends as soon as its input closes, so it never outlives the one who started it.

Working copies, upright and of moderate size, are what pycolmap sees; the solved model is written
with the original names and scaled to the original size. Nothing opens the database while pycolmap
writes to it (that aborts): progress comes from handing out the work in small lots.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.base.child_process import ignore_signals
from core.base.errors import UserError
from core.base.interrupts import preserve_handlers
from core.base.text import Text, plural, text
from core.capture.photos import MINIMUM_PHOTOS, require_enough
from core.capture.poses.attempts import Outcome, Solver, best_attempt, describe_attempts
from core.capture.poses.checks import meeting_angle
from core.capture.poses.mapping import free_lenses, turn_upright
from core.capture.poses.progress_estimate import (
    ProgressCallback,
    ProgressEstimator,
    mapping_work,
    pair_work,
)
from core.capture.poses.quality import QUALITIES
from core.capture.poses.report import build_report, read_database, too_little, usable
from core.capture.poses.working_copies import WorkingCopy, copy_photos


def solve(job: dict[str, Any], tell: ProgressCallback) -> None:
    """Solve the poses of ``job["photos"]`` (paths) within ``job["workspace"]``; each group of
    photos becomes a model ``groups/0`` (the best one), ``groups/1``, … and a report
    ``groups/0.json``, …, as `poses.solve_poses` has it. Raises UserError."""
    workspace, quality = Path(job["workspace"]), QUALITIES[job["quality"]]
    clock = ProgressEstimator(tell)
    paths = [Path(p) for p in job["photos"]]
    _expect(len(paths), clock)
    copies, refused = copy_photos(
        paths,
        workspace / "photos",
        quality.side,
        lambda i: clock.update(
            "copy", i, len(paths), text("reading photo {i} of {n}", i=i + 1, n=len(paths))
        ),
    )
    clock.finish("copy")
    _require_enough(copies, refused, paths[0].parent)
    made = Solver(workspace, copies, quality, int(job["seed"]), clock).solve()
    kept = best_attempt(made, copies)
    if not kept.models:
        raise _nothing_registered(paths[0].parent, copies, made)
    clock.update("mapping", 1, 1, text("refining the lens"))
    for model in kept.models:
        free_lenses(model)
    clock.finish("mapping")
    known = read_database(kept.database)
    common = {
        "photos_in": len(paths),
        "working_size_px": quality.side,
        "quality": job["quality"],
        "attempts": describe_attempts(made, kept, len(usable(copies, known.details))),
        "seconds": clock.seconds | {"total": round(clock.total, 2)},
    }
    reports = [
        common
        | {
            "group": i,
            "photos_used": model.num_reg_images(),
            "points": model.num_points3D(),
            "reprojection_error_px": round(float(model.compute_mean_reprojection_error()), 3),
            "meeting_angle_deg": round(meeting_angle(model), 1),
            **build_report(known, copies, refused, kept.models, i),
        }
        for i, model in enumerate(kept.models)
    ]
    for i, (model, report) in enumerate(zip(kept.models, reports)):
        turn_upright(model)
        _restore_originals(model, copies)
        folder = workspace / "groups" / str(i)
        folder.mkdir(parents=True)
        model.write_binary(str(folder))
        folder.with_suffix(".json").write_bytes(msgspec.json.encode(report))


def _expect(n: int, clock: ProgressEstimator) -> None:
    """Tell the clock what ``n`` photos usually take, until each phase says so itself."""
    clock.expect(
        copy=n,
        features=n,
        overview=n * n / 2,
        matches=pair_work(8 * n, 4000),
        mapping=mapping_work(n, 4000),
    )


def _require_enough(copies: list[WorkingCopy], refused: dict[str, Text], folder: Path) -> None:
    """Raises UserError, with the commonest reason, where too few photos are left."""
    if len(copies) >= MINIMUM_PHOTOS or not refused:
        return require_enough(len(copies), folder)
    reason, n = Counter(refused.values()).most_common(1)[0]
    name = next(name for name, why in refused.items() if why == reason)
    unused = text("{name} ({reason})", name=name, reason=reason)
    if n > 1:
        unused = text("{photo}, and {n} more alike", photo=unused, n=n - 1)
    raise UserError(
        plural(
            "{folder} has only {n} usable photo: {unused}",
            "{folder} has only {n} usable photos: {unused}",
            n=len(copies),
            folder=folder,
            unused=unused,
        ),
        text("At least {minimum} are needed.", minimum=MINIMUM_PHOTOS),
    )


def _nothing_registered(folder: Path, copies: list[WorkingCopy], made: list[Outcome]) -> UserError:
    n, found = len(copies), read_database(made[0].database).details
    details = sum(found.values()) // max(n, 1)
    return UserError(
        text(
            "No two of the {n} photos in {folder} could be placed relative to each other "
            "({features} features per photo, {pairs} pairs compared, attempts: {attempts})",
            n=n,
            folder=folder,
            features=details,
            pairs=made[0].compared.looked_at,
            attempts=len(made),
        ),
        too_little(copies, found)
        or text(
            "Shoot 30 or more sharp photos of one still subject, each overlapping the next by "
            "two thirds, moving around it rather than turning on the spot."
        ),
    )


def _restore_originals(model: Any, copies: list[WorkingCopy]) -> None:
    """Give the model the original names, and lenses and pixel positions the original size."""
    by_copy = {copy.copy: copy for copy in copies}
    rescaled: set[int] = set()
    for image in model.images.values():
        copy = by_copy[image.name]
        camera = model.cameras[image.camera_id]
        if image.camera_id not in rescaled:
            camera.rescale(*copy.size)
            rescaled.add(image.camera_id)
        scale = np.array(copy.size) / np.array(copy.copy_size)
        for point in image.points2D:
            point.xy = point.xy * scale
        image.name = copy.name
    model.update_point_3d_errors()


def main() -> None:
    """Read a job, write messages; everything else that is printed goes to the log."""
    ignore_signals()
    with preserve_handlers():
        import pycolmap  # noqa: F401
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    job = json.loads(sys.stdin.readline())
    log = os.open(Path(job["workspace"]) / "solve.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the window and the preview come first

    def send(message: dict[str, Any]) -> None:
        messages.write(msgspec.json.encode(message).decode() + "\n")

    try:
        solve(
            job,
            lambda fraction, detail, found: send(
                {"fraction": fraction, "detail": detail, "found": found}
            ),
        )
        send({"solved": True})
    except UserError as error:
        send({"error": [error.what, error.remedy]})
    messages.flush()
    os._exit(0)  # pycolmap's own threads have been seen to abort during a regular exit


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
