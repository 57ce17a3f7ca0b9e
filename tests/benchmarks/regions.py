"""How well the region is proposed: ``python -m tests.benchmarks.regions PATH [--reference FILE]
[--truth FILE] [--workspace FOLDER] [--pictures FOLDER]``.

PATH: any capture. FILE of the reference: a mesh or cloud of the true surface, in the frame of the
capture or, with ``--truth``, in that of the true cameras there (a JSON with ``frames`` as in
`tests.benchmarks.poses`), to which the cameras found are matched by a similarity. Prints the kind,
the box and the ball and, with a reference, which share of its points lies in both, and how many
times the box is as large as the reference's own bounding box, whose sides lie along the axes of the
reference's frame. Pictures show the box in photos: its bottom in red, the rest in yellow.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image, ImageDraw

from core.base.jobs import run_task
from core.capture.open import open_capture
from core.capture.photos import read_photo
from core.capture.scene import Photo, Scene
from core.geometry.box import Box
from core.geometry.cameras import project
from core.geometry.rigid import (
    invert,
    nearest_rigid,
    similarity,
    transform_points,
    world_from_opengl_camera,
)
from core.geometry.scene_ball import ball_from_scene

PICTURES, SIDE = 8, 520
EDGES = [(a, a | 1 << i) for a in range(8) for i in range(3) if not a >> i & 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    for name in ("--reference", "--truth", "--workspace", "--pictures"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scene = run_task(open_capture(arguments.path, arguments.workspace or Path(folder)))
        box, (center, radius) = scene.region, ball_from_scene(scene.scene_from_input)
        assert box is not None
        print(f"{arguments.path}: {scene.kind}, {scene.setting}")
        print(
            f"box about {box.center.round(3)}, sides {(2 * box.half).round(3)}; "
            f"ball about {center.round(3)}, radius {radius:.3f}"
        )
        print(
            f"up {scene.upright_from_input[2, :3].round(4)}; "
            f"ground at {-scene.upright_from_input[2, 3]:.3f}; "
            f"{scene.units_per_input:g} {scene.unit or 'units'} per unit"
        )
        if arguments.reference:
            points = np.asarray(trimesh.load(arguments.reference, process=False).vertices)
            own = np.ptp(points, axis=0)
            turn = input_from_truth(scene, arguments.truth) if arguments.truth else np.eye(4)
            points = transform_points(turn, points)
            in_ball = np.linalg.norm(points - center, axis=1) <= radius
            volume = own.prod() * np.linalg.det(turn[:3, :3])
            print(
                f"{100 * (box.contains(points) & in_ball).mean():.2f} % of the reference inside; "
                f"{8 * box.half.prod() / volume:.2f} times its bounding volume"
            )
        if arguments.pictures:
            arguments.pictures.mkdir(parents=True, exist_ok=True)
            sheet(scene, box).save(arguments.pictures / f"{arguments.path.resolve().name}.jpg")


def input_from_truth(scene: Scene, truth: Path) -> np.ndarray:
    """[4, 4] similarity from the frame of the true cameras (Umeyama 1991)."""
    frames = json.loads(truth.read_text(encoding="utf-8"))["frames"]
    true = {
        Path(f.get("file") or f["file_path"]).stem: world_from_opengl_camera(
            nearest_rigid(np.array(f.get("c2w_opengl") or f["transform_matrix"]))
        )[:3, 3]
        for f in frames
    }
    pairs = [
        (true[Path(p.name).stem], p.world_from_camera[:3, 3])
        for p in scene.photos
        if Path(p.name).stem in true
    ]
    a, b = (np.stack(centers) for centers in zip(*pairs))
    u, s, vt = np.linalg.svd((b - b.mean(0)).T @ (a - a.mean(0)))
    proper = np.diag([1, 1, np.linalg.det(u @ vt)])
    turn = u @ proper @ vt
    scale = (s * np.diag(proper)).sum() / ((a - a.mean(0)) ** 2).sum()
    return similarity(scale, turn, b.mean(0) - scale * turn @ a.mean(0))


def sheet(scene: Scene, box: Box) -> Image.Image:
    """Photos from all around with ``box`` (input frame) drawn into them."""
    chosen = np.linspace(0, len(scene.photos), PICTURES, endpoint=False).astype(int)
    pictures = [overlay(scene.photos[i], box) for i in chosen]
    width, height = (max(getattr(p, side) for p in pictures) for side in ("width", "height"))
    out = Image.new("RGB", (4 * width, -(-len(pictures) // 4) * height))
    for i, picture in enumerate(pictures):
        out.paste(picture, (i % 4 * width, i // 4 * height))
    return out


def overlay(photo: Photo, box: Box) -> Image.Image:
    lens = photo.intrinsics.shrunk(SIDE)
    pixels = read_photo(photo.path, (lens.width, lens.height))[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(picture)
    corners = transform_points(invert(photo.world_from_camera), box.corners())
    for a, b in EDGES:
        along = corners[a] + np.linspace(0, 1, 65)[:, None] * (corners[b] - corners[a])
        line = project(lens, along)
        for start, end in pairwise(line):
            if (np.abs([start, end]) < 10 * SIDE).all():  # NaN is not
                draw.line([*start, *end], "yellow" if (a | b) & 4 else "red", 2)
    return picture


if __name__ == "__main__":
    main()
