"""The command line: what can be asked, and what answers. Others script these words."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import platformdirs

from core import common_arguments as common
from core.config import PURPOSES, MeshFormat, MeshOptions
from core.errors import UserError
from core.progress_bar import ProgressBar

# Everything heavy (torch, readers, training) is imported by the command that needs it, so that
# the window and `--help` appear at once.

Window = Callable[[Path | None, str], int]
FORMATS: tuple[str, ...] = get_args(MeshFormat)


def parse(argv: list[str], window: Window) -> argparse.Namespace:
    """Arguments with ``run``, the function that carries them out; exits with 2 on wrong usage."""
    commands = ("demo", "reconstruct", "poses", "export", "render", "evaluate", "bench", "doctor")
    parser = argparse.ArgumentParser(
        prog="main.py", description="A folder of photos becomes a 3D surface.",
        epilog=f"commands: {', '.join(commands)}; `main.py COMMAND --help` explains each",
    )
    if not argv or argv[0] not in (*commands, "-h", "--help"):
        parser.add_argument("path", nargs="?", type=Path, help="photos, a posed capture, a project")
        common.device(parser)
        arguments = parser.parse_args(argv)
        arguments.run = lambda a: window(a.path, a.device)
        return arguments
    sub = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = sub.add_parser("demo", help="the embedded sample, in the window or to a mesh")
    demo.add_argument("--headless", action="store_true", help="no window: train and write a mesh")
    demo.add_argument("-o", "--output", type=Path, default=Path("out/demo"))
    common.budget(demo)
    common.mesh(demo)
    common.device(demo)
    common.json(demo)
    demo.set_defaults(run=lambda a: _demo(a, window))

    full = sub.add_parser("reconstruct", help="photos → poses → training → mesh, no window")
    full.add_argument("path", type=Path)
    full.add_argument("-o", "--output", type=Path, required=True)
    common.capture(full)
    how = full.add_mutually_exclusive_group()
    how.add_argument("--preset", choices=("draft", "standard", "high", "neuralangelo"))
    how.add_argument("--config", type=Path, metavar="FILE",
                     help="all settings, region and frame as in the config.json of a project")
    full.add_argument("--seed", type=int, default=0)
    full.add_argument("--resume", action="store_true", help="go on with DIR/project")
    full.add_argument("--hold-out", action="store_true", help="keep photos apart for evaluate")
    common.budget(full)
    common.mesh(full)
    common.moved(full)
    common.device(full)
    common.json(full)
    full.set_defaults(run=_reconstruct)

    poses = sub.add_parser("poses", help="only solve the cameras")
    poses.add_argument("path", type=Path)
    poses.add_argument("-o", "--output", type=Path, default=Path("out/poses"))
    poses.add_argument("--seed", type=int, default=0)
    common.capture(poses)
    poses.add_argument("--dry-run", action="store_true", help="only say what lies there")
    common.json(poses)
    poses.set_defaults(run=_poses)

    export = sub.add_parser("export", help="a mesh from a saved project")
    export.add_argument("project", type=Path)
    export.add_argument("-o", "--output", type=Path, required=True)
    common.mesh(export)
    common.moved(export)
    common.device(export)
    common.json(export)
    export.set_defaults(run=_export)

    render = sub.add_parser("render", help="pictures or a film of a saved project")
    render.add_argument("project", type=Path)
    render.add_argument("-o", "--output", type=Path, required=True, help="a folder, or FILE.mp4")
    what = render.add_mutually_exclusive_group()
    what.add_argument("--split", choices=("test", "train"))
    what.add_argument("--path", default="orbit", help="orbit, or a JSON file of cameras")
    render.add_argument("--frames", type=common.positive_int, default=90, help="of the orbit")
    render.add_argument("--size", type=common.size, default=(640, 480), help="WIDTHxHEIGHT")
    common.moved(render)
    common.device(render)
    common.json(render)
    render.set_defaults(run=_render)

    judge = sub.add_parser("evaluate", help="PSNR, SSIM; distances to a reference mesh")
    judge.add_argument("project", type=Path)
    judge.add_argument("--reference", type=Path)
    judge.add_argument("--threshold", type=float, action="append", help="of the F-score, a length")
    common.mesh(judge)
    common.moved(judge)
    common.device(judge)
    common.json(judge)
    judge.set_defaults(run=_evaluate)

    speed = sub.add_parser("bench", help="how fast this machine is")
    common.device(speed)
    common.json(speed)
    speed.set_defaults(run=_bench)

    doctor = sub.add_parser("doctor", help="what this machine has and what will be used")
    common.json(doctor)
    doctor.set_defaults(run=_doctor)
    return parser.parse_args(argv)


def log_failure() -> Path:
    """Write the exception being handled to the log; returns its path."""
    path = platformdirs.user_log_path("gradina", ensure_exists=True) / "gradina.log"
    logging.basicConfig(filename=path, format="%(asctime)s %(levelname)s %(message)s")
    logging.exception("a command failed")
    return path


# --- the commands ---------------------------------------------------------------------------


def _options(arguments: argparse.Namespace, path: Path | None = None) -> Any:
    """Mesh options: those named, else as the purpose has them. The format is the one named, else
    the file's suffix, else the purpose's."""
    base = PURPOSES[arguments.purpose] if arguments.purpose else MeshOptions()
    suffix = path.suffix.lstrip(".").lower() if path else ""
    chosen = arguments.format or suffix or base.format
    if chosen not in FORMATS:
        raise UserError(f"{path}: {chosen} is not a mesh format", f"Use {', '.join(FORMATS)}")
    named = {
        "resolution": arguments.mesh_resolution, "levels": arguments.lod,
        "min_component": arguments.min_part,
        "seen_through": False if arguments.keep_seen_through else None,
        **{name: getattr(arguments, name) for name in (
            "axes", "unit", "texture", "texture_size", "normal_map", "faces", "max_error", "lods",
            "unseen", "close_holes", "watertight", "max_bytes")},
    }
    given = {name: value for name, value in named.items() if value is not None}
    return replace(base, format=chosen, **given)


def _how(arguments: argparse.Namespace) -> Any:
    """Options of opening."""
    from core.config import OpenOptions

    return OpenOptions(
        arguments.recursive, arguments.pose_quality, arguments.group, arguments.frames,
        getattr(arguments, "photos", ""),
    )


def _tell(arguments: argparse.Namespace, result: dict[str, Any], lines: list[str]) -> int:
    """Results on stdout: lines for people, and one JSON object as the last line if asked."""
    print("\n".join(lines))
    if arguments.json:
        print(json.dumps(result, default=str))
    return 0


def _demo(arguments: argparse.Namespace, window: Window) -> int:
    from core.sample import FOLDER

    if not arguments.headless:
        try:
            return window(FOLDER, arguments.device)
        except UserError as error:
            print(f"gradina: {error.what}; going on without a window.", file=sys.stderr)
    from core.demo import demo

    with ProgressBar() as bar:
        report = demo(
            arguments.output, arguments.minutes, arguments.steps, arguments.device,
            _options(arguments), bar.event, bar.progress,
        )
    return _tell(arguments, report, [
        *_summary(report),
        f"true surface: mean two-way distance {report['surface']['distance'] * 1000:.1f} mm "
        f"(the owl is {report['extent'] * 100:.0f} cm tall)",
        f"held-out photos: PSNR {report['held_out']['psnr']:.1f} dB, "
        f"SSIM {report['held_out']['ssim']:.3f}",
    ])


def _reconstruct(arguments: argparse.Namespace) -> int:
    from core.recipe import read_recipe
    from core.reconstruct import reconstruct

    recipe = read_recipe(arguments.config) if arguments.config else None
    with ProgressBar() as bar:
        report = reconstruct(
            arguments.path, arguments.output, preset=arguments.preset, minutes=arguments.minutes,
            steps=arguments.steps, device=arguments.device, seed=arguments.seed,
            mesh=_options(arguments), hold_out=arguments.hold_out, resume=arguments.resume,
            how=_how(arguments), recipe=recipe, on_event=bar.event,
        )
    return _tell(arguments, report, _summary(report))


def _summary(report: dict[str, Any]) -> list[str]:
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in report["seconds"].items())
    return [
        f"{report['mesh']}: {report['vertices']} vertices, {report['faces']} faces",
        f"{report['photos']} photos, {report['steps']} steps, training PSNR "
        f"{report['psnr_training']:.1f} dB ({seconds})",
    ]


def _poses(arguments: argparse.Namespace) -> int:
    from core.capture.open import open_capture, recognise
    from core.capture.poses import write_poses
    from core.tasks import run

    if arguments.dry_run:
        lines = recognise(arguments.path, _how(arguments))
        return _tell(arguments, {"recognised": lines}, lines)
    workspace = arguments.output / "work"
    with ProgressBar() as bar:
        task = open_capture(
            arguments.path, workspace, arguments.seed, how=_how(arguments),
        )
        scene = run(task, bar.progress)
    write_poses(scene, arguments.output, workspace)
    report = json.loads((arguments.output / "report.json").read_text(encoding="utf-8"))
    return _tell(arguments, report, [
        *scene.notices, f"{arguments.output}: {len(scene.photos)} cameras, "
        f"{len(scene.points)} points",
    ])


def _export(arguments: argparse.Namespace) -> int:
    from core.meshing.from_model import export_model
    from core.reconstruct import open_project
    from core.tasks import run

    options = _options(arguments, arguments.output)
    with ProgressBar() as bar:
        session = open_project(arguments.project, arguments.device, bar.event, arguments.photos)
        try:
            trainer = session.trainer
            assert trainer is not None
            task = export_model(trainer.model, trainer.scene, options, arguments.output)
            done = run(task, bar.progress)
        finally:
            session.close()
    result = {"mesh": str(done.path), "vertices": done.n_vertices, "faces": done.n_faces,
              "bytes": done.n_bytes}
    return _tell(arguments, result, [
        f"{done.path}: {done.n_vertices} vertices, {done.n_faces} faces"
    ])


def _render(arguments: argparse.Namespace) -> int:
    from core.film import frame_writer
    from core.reconstruct import open_project
    from core.views import camera_path, orbit, render_split, render_views

    with ProgressBar() as bar:
        session = open_project(arguments.project, arguments.device, bar.event, arguments.photos)
        try:
            trainer = session.trainer
            assert trainer is not None
            if arguments.split:
                frames, total = render_split(trainer, arguments.split)
            elif arguments.path == "orbit":
                views, total = orbit(arguments.frames, *arguments.size), arguments.frames
                frames = render_views(trainer, views)
            else:
                pose = trainer.scene.scene_from_input
                views = camera_path(Path(arguments.path), pose, *arguments.size)
                frames, total = render_views(trainer, views), len(views)
            with frame_writer(arguments.output) as write:
                for image in bar.counted(frames, total, "rendering"):
                    write(image)
        finally:
            session.close()
    return _tell(arguments, {"output": str(arguments.output), "frames": total},
                 [f"{arguments.output}: {total} pictures"])


def _evaluate(arguments: argparse.Namespace) -> int:
    from core.evaluate import evaluate
    from core.reconstruct import open_project

    with ProgressBar() as bar:
        session = open_project(arguments.project, arguments.device, bar.event, arguments.photos)
        try:
            result = evaluate(
                session, arguments.reference, _options(arguments), arguments.threshold,
                bar.progress,
            )
        finally:
            session.close()
    lines = [f"{result['views']} photos: PSNR {result['psnr']:.2f} dB, SSIM {result['ssim']:.4f}"]
    if "mesh" in result:
        mesh = result["mesh"]
        sound = " and ".join(
            [("" if mesh["watertight"] else "not ") + "watertight",
             ("" if mesh["edge_manifold"] and mesh["vertex_manifold"] else "not ") + "manifold"])
        lines.append(f"mesh: {mesh['faces']} faces in {mesh['parts']} parts, {sound}")
        if "psnr" in mesh:
            lines.append(
                f"texture: PSNR {mesh['psnr']:.2f} dB, SSIM {mesh['ssim']:.4f} (the field over the "
                f"same pixels {mesh['field_psnr']:.2f}, {mesh['field_ssim']:.4f}; at the photos' "
                f"exposures {mesh['psnr_levelled']:.2f} and {mesh['field_psnr_levelled']:.2f} dB)"
            )
    if "surface" in result:
        surface = result["surface"]
        scores = ", ".join(f"F({at}) {score:.3f}" for at, score in surface["f_scores"].items())
        lines.append(
            f"surface: mean two-way distance {surface['distance']:.5f} (accuracy "
            f"{surface['accuracy']:.5f}, completeness {surface['completeness']:.5f}); {scores}"
        )
        if surface["normal_error_deg"] is not None:
            lines[-1] += f"; normals {surface['normal_error_deg']:.1f}° off"
    return _tell(arguments, result, lines)


def _bench(arguments: argparse.Namespace) -> int:
    from core.bench import bench

    return _tell_table(arguments, bench(arguments.device))


def _doctor(arguments: argparse.Namespace) -> int:
    from core.doctor import examine

    return _tell_table(arguments, examine())


def _tell_table(arguments: argparse.Namespace, result: dict[str, Any]) -> int:
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            lines += [f"{name}:"] + [f"  {k:28} {_plain(v)}" for k, v in value.items()]
        else:
            lines.append(f"{name + ':':30} {_plain(value)}")
    return _tell(arguments, result, lines)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
