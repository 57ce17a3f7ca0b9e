"""The command that solves camera poses only."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from core.cli import arguments as common
from core.cli.progress_bar import ProgressBar
from core.cli.results import note_on_interrupt, print_result


def add_poses(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `poses`."""
    parser.add_argument("path", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/poses"))
    common.add_seed(parser)
    common.add_capture(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what was detected there")
    common.add_json(parser)


def poses(arguments: argparse.Namespace) -> int:
    """Write the cameras of a capture as transforms.json and as a COLMAP model."""
    from core.base.jobs import run_task
    from core.base.outputs import check_writable, choose_results_folder, other_folder_notice
    from core.base.paths import pose_workspace
    from core.capture.open import describe_input, needs_poses, open_capture
    from core.capture.poses.solve import write_poses

    options = common.open_options(arguments)
    if arguments.dry_run:
        lines = describe_input(arguments.path, options)
        return print_result(arguments, {"recognised": [str(line) for line in lines]}, lines)
    out = choose_results_folder(arguments.output, arguments.path)
    check_writable(out, [out / "transforms.json", out / "report.json"])
    workspace = pose_workspace(arguments.path) if needs_poses(arguments.path) else None
    note = "no poses were written; the same command continues with the features found so far"
    with note_on_interrupt(note), ProgressBar() as bar:
        task = open_capture(arguments.path, workspace, arguments.seed, options=options)
        scene = run_task(task, bar.on_progress)
    write_poses(scene, out, workspace)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    lines = [
        *([] if out == arguments.output else [other_folder_notice(arguments.output, out)]),
        *scene.notices,
        f"{out}: {len(scene.photos)} cameras, {len(scene.points)} points",
    ]
    return print_result(arguments, report, lines)
