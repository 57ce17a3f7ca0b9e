"""How well and how fast poses are solved: ``python -m tests.benchmarks.poses PATH [--truth FILE]
[--quality fast|normal|best]``.

PATH: a folder of photos or a video. FILE: a JSON of true cameras, ``frames`` with the photo's file
name and a camera-to-world matrix of OpenGL axes, as in a transforms.json. Prints one row of the
table in this folder's README. Found cameras are compared after the best similarity: the mean error
of their positions in percent of how far the true ones reach, and of their directions in degrees.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.poses.quality import QUALITIES
from core.capture.poses.report_file import in_english, read_report
from core.capture.poses.solve import solve_poses
from core.capture.scene import Scene
from core.geometry.rigid import nearest_rigid, world_from_opengl_camera


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--quality", choices=QUALITIES, help="plain photos only", default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scene = run_task(
            solve_poses(arguments.path, Path(folder), quality=arguments.quality)
            if arguments.quality
            else open_capture(arguments.path, Path(folder))
        )
        report = in_english(read_report(Path(folder) / "report.json"))
    print(*(a["text"] for a in report["attempts"]), sep="\n", file=sys.stderr)
    print(*scene.notices, sep="\n", file=sys.stderr)
    phases = ", ".join(f"{name} {taken:.0f}" for name, taken in report["seconds"].items())
    errors = "| | "
    if arguments.truth:
        position, rotation = pose_errors(scene, arguments.truth)
        errors = f"| {position:.3f} % | {rotation:.3f}° "
    print(
        f"| {arguments.path} | {scene.kind} | {report['photos_used']} of {report['photos_in']} | "
        f"{phases} | {report['reprojection_error_px']:.2f} {errors}|"
    )


def pose_errors(scene: Scene, truth: Path) -> tuple[float, float]:
    """Percent and degrees, over the photos that ``truth`` knows."""
    content = json.loads(truth.read_text(encoding="utf-8"))
    true = {
        Path(f.get("file") or f["file_path"]).stem: world_from_opengl_camera(
            nearest_rigid(np.array(f.get("c2w_opengl") or f["transform_matrix"]))
        )
        for f in content["frames"]
    }
    pairs = [
        (p.world_from_camera, true[Path(p.name).stem])
        for p in scene.photos
        if Path(p.name).stem in true
    ]
    found, wanted = (np.stack(poses) for poses in zip(*pairs))
    a = found[:, :3, 3] - found[:, :3, 3].mean(0)
    b = wanted[:, :3, 3] - wanted[:, :3, 3].mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)  # Umeyama 1991
    proper = np.diag([1, 1, np.linalg.det(u @ vt)])
    turn = u @ proper @ vt
    scale = (s * np.diag(proper)).sum() / (a**2).sum()
    away = np.linalg.norm(scale * a @ turn.T - b, axis=1)
    relative = np.einsum("nji,njk->nik", wanted[:, :3, :3], turn @ found[:, :3, :3])
    cosine = (np.trace(relative, axis1=1, axis2=2) - 1) / 2
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return 100 * float(away.mean() / np.linalg.norm(b, axis=1).max()), float(angles.mean())


if __name__ == "__main__":
    main()
