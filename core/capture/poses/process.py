"""The process that solves poses with pycolmap: ``python -m core.capture.poses.process``.

It is a process of its own, since pycolmap can abort. It reads one `Job` as a line of JSON from its
standard input and writes JSON lines, progress and at last the result or an error, to its standard
output; it ends as soon as its input closes, so it never outlives its parent.

Working copies, upright and of moderate size, are what pycolmap sees; the solved model is written
with the original names and scaled to the original size. Nothing opens the database while pycolmap
writes to it (that aborts): progress is reported between small batches.
"""

from __future__ import annotations

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
from core.base.text import plural, text
from core.capture.photo_file import PhotoFault
from core.capture.photos import MINIMUM_PHOTOS, require_enough
from core.capture.poses.attempts import Outcome, Solver, best_attempt, describe_attempts
from core.capture.poses.checks import triangulation_angle
from core.capture.poses.job import Job, Message
from core.capture.poses.mapping import refine_lenses, turn_upright
from core.capture.poses.progress_estimate import (
    ProgressCallback,
    ProgressEstimator,
    mapping_items,
    matching_items,
)
from core.capture.poses.quality import QUALITIES
from core.capture.poses.report import advise_on_few_features, diagnose, read_database, usable
from core.capture.poses.report_file import PoseReportFile
from core.capture.poses.working_copies import WorkingCopy, copy_photos


def solve(job: Job, on_progress: ProgressCallback) -> None:
    """Solve poses, and write a model and a report for each group of photos.

    These are ``groups/0`` (the best one) and ``groups/0.json``, and so on, below the workspace.

    Raises:
        UserError: too few photos are usable, or none can be placed.
    """
    workspace, quality = Path(job.workspace), QUALITIES[job.quality]
    progress = ProgressEstimator(on_progress)
    paths = [Path(p) for p in job.photos]
    _expect(len(paths), progress)
    copies, refused = copy_photos(
        paths,
        workspace / "photos",
        quality.side,
        lambda i: progress.update(
            "copy", i, len(paths), text("reading photo {i} of {n}", i=i + 1, n=len(paths))
        ),
    )
    progress.finish("copy")
    _require_enough(copies, refused, paths[0].parent)
    outcomes = Solver(workspace, copies, quality, job.seed, progress).solve()
    kept = best_attempt(outcomes, copies)
    if not kept.models:
        raise _nothing_placed(paths[0].parent, copies, outcomes)
    progress.update("mapping", 1, 1, text("refining the lens"))
    for model in kept.models:
        refine_lenses(model)
    progress.finish("mapping")
    contents = read_database(kept.database)
    attempts = describe_attempts(outcomes, kept, len(usable(copies, contents.n_features)))
    reports: list[PoseReportFile] = []
    for i, model in enumerate(kept.models):
        diagnosis = diagnose(contents, copies, refused, kept.models, i)
        reports.append(
            PoseReportFile(
                photos_in=len(paths),
                photos_used=model.num_reg_images(),
                points=model.num_points3D(),
                reprojection_error_px=round(float(model.compute_mean_reprojection_error()), 3),
                meeting_angle_deg=round(triangulation_angle(model), 1),
                working_size_px=quality.side,
                quality=job.quality,
                group=i,
                photos=diagnosis.photos,
                groups=diagnosis.groups,
                unused=diagnosis.unused,
                advice=diagnosis.advice,
                attempts=attempts,
                seconds=progress.seconds | {"total": round(progress.total, 2)},
            )
        )
    for i, (model, report) in enumerate(zip(kept.models, reports)):
        turn_upright(model)
        _restore_originals(model, copies)
        folder = workspace / "groups" / str(i)
        folder.mkdir(parents=True)
        model.write_binary(str(folder))
        folder.with_suffix(".json").write_bytes(msgspec.json.encode(report))


def _expect(n: int, progress: ProgressEstimator) -> None:
    """Expect what ``n`` photos usually take, until each phase knows better."""
    progress.expect(
        copy=n,
        features=n,
        overview=n * n / 2,
        matches=matching_items(8 * n, 4000),
        mapping=mapping_items(n, 4000),
    )


def _require_enough(
    copies: list[WorkingCopy], refused: dict[str, PhotoFault], folder: Path
) -> None:
    """Raise UserError, with the commonest fault, where too few photos are left."""
    if len(copies) >= MINIMUM_PHOTOS or not refused:
        return require_enough(len(copies), folder)
    fault, n = Counter(refused.values()).most_common(1)[0]
    name = next(name for name, other in refused.items() if other == fault)
    unused = text("{name} ({reason})", name=name, reason=fault.reason)
    if n > 1:
        unused = text("{photo}, and {n} more like it", photo=unused, n=n - 1)
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


def _nothing_placed(folder: Path, copies: list[WorkingCopy], outcomes: list[Outcome]) -> UserError:
    n, n_features = len(copies), read_database(outcomes[0].database).n_features
    return UserError(
        text(
            "No two of the {n} photos in {folder} could be placed relative to each other "
            "({features} features per photo, {pairs} pairs compared, attempts: {attempts})",
            n=n,
            folder=folder,
            features=sum(n_features.values()) // max(n, 1),
            pairs=outcomes[0].pairs.candidates,
            attempts=len(outcomes),
        ),
        advise_on_few_features(copies, n_features)
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
        import pycolmap  # noqa: F401  # pyright: ignore[reportUnusedImport]
    output = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    log = os.open(Path(job.workspace) / "solve.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the window and the preview come first

    def send(message: Message) -> None:
        output.write(msgspec.json.encode(message).decode() + "\n")

    try:
        solve(job, lambda fraction, detail, found: send(Message(fraction, detail, found)))
        send(Message(solved=True))
    except UserError as error:
        send(Message(error=(error.what, error.remedy)))
    output.flush()
    os._exit(0)  # pycolmap's own threads have been seen to abort during a regular exit


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
