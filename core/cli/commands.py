"""The commands: what each does with its arguments, and what it answers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from core.base.errors import UserError
from core.base.interrupts import Interrupted
from core.base.outputs import ForeignFileError, other_folder_notice
from core.base.text import Text, text
from core.cli.progress_bar import ProgressBar
from core.config.mesh import PURPOSES, MeshFormat, MeshOptions

# Everything heavy (torch, readers, training) is imported by the command that needs it, so that
# the window and `--help` appear at once.

Window = Callable[[Path | None, str], int]
FORMATS: tuple[str, ...] = get_args(MeshFormat)


def _options(arguments: argparse.Namespace, path: Path | None = None) -> Any:
    """Mesh options: those named, else as the purpose has them. The format is the one named, else
    the file's suffix, else the purpose's."""
    base = PURPOSES[arguments.purpose] if arguments.purpose else MeshOptions()
    suffix = path.suffix.lstrip(".").lower() if path else ""
    chosen = arguments.format or suffix or base.format
    if chosen not in FORMATS:
        raise UserError(
            text("{path}: {chosen} is not a mesh format", path=path, chosen=chosen),
            text("Use {formats}", formats=", ".join(FORMATS)),
        )
    named = {
        "resolution": arguments.mesh_resolution,
        "levels": arguments.lod,
        "density": arguments.density,
        "min_component": arguments.min_part,
        "seen_through": False if arguments.keep_seen_through else None,
        **{
            name: getattr(arguments, name)
            for name in (
                "axes",
                "unit",
                "refine",
                "texture",
                "texture_size",
                "normal_map",
                "faces",
                "max_error",
                "lods",
                "unseen",
                "close_holes",
                "watertight",
                "max_bytes",
            )
        },
    }
    given = {name: value for name, value in named.items() if value is not None}
    return replace(base, format=chosen, **given)


def _how(arguments: argparse.Namespace) -> Any:
    """Options of opening."""
    from core.config.opening import OpenOptions

    return OpenOptions(
        arguments.recursive,
        arguments.pose_quality,
        arguments.group,
        arguments.frames,
        getattr(arguments, "photos", ""),
    )


def _choice(arguments: argparse.Namespace) -> Any:
    """What was decided about the run."""
    from core.config.run import RunOptions

    return RunOptions(
        getattr(arguments, "preset", None),
        arguments.minutes,
        arguments.steps,
        arguments.method or "surface",
        arguments.wild,
        arguments.unbounded,
    )


def _tell(
    arguments: argparse.Namespace, result: dict[str, Any], lines: Sequence[str | Text]
) -> int:
    """Results on stdout: lines for people, and one JSON object as the last line if asked."""
    print("\n".join(map(str, lines)))
    if arguments.json:
        print(json.dumps(result, default=str))
    return 0


def demo(arguments: argparse.Namespace, window: Window) -> int:
    from core.sample import FOLDER

    if not arguments.headless:
        try:
            return window(FOLDER, arguments.device)
        except UserError as error:
            print(f"gradina: {error.what}; going on without a window.", file=sys.stderr)
    from core.cli.demo import demo

    with ProgressBar() as bar:
        report = demo(
            arguments.output,
            _choice(arguments),
            arguments.device,
            _options(arguments),
            bar.event,
            bar.progress,
            resume=arguments.resume,
        )
    return _tell(
        arguments,
        report,
        [
            *_summary(report),
            f"true surface: mean two-way distance {report['surface']['distance'] * 1000:.1f} mm "
            f"(the owl is {report['extent'] * 100:.0f} cm tall)",
            f"held-out photos: PSNR {report['held_out']['psnr']:.1f} dB, "
            f"SSIM {report['held_out']['ssim']:.3f}",
        ],
    )


def reconstruct(arguments: argparse.Namespace) -> int:
    from core.api import reconstruct
    from core.project.repeat import read_recipe

    if arguments.config and (arguments.method or arguments.wild or arguments.unbounded):
        raise UserError(
            text("{config} says by which method", config=arguments.config),
            text("Leave out --method, --wild and --unbounded"),
        )
    begun_from = arguments.begun_from
    if (arguments.path is None) == (begun_from is None):
        what = "Nothing" if begun_from is None else "More than one thing"
        raise UserError(
            text("{what} to begin with", what=what),
            text("Name photos, or a trained project with --from"),
        )
    recipe = read_recipe(arguments.config) if arguments.config else None
    with ProgressBar() as bar:
        report = reconstruct(
            arguments.path or begun_from,
            arguments.output,
            begins=begun_from is not None,
            choice=_choice(arguments),
            device=arguments.device,
            seed=arguments.seed,
            mesh=_options(arguments),
            hold_out=arguments.hold_out,
            resume=arguments.resume,
            how=_how(arguments),
            recipe=recipe,
            on_event=bar.event,
        )
    return _tell(arguments, report, _summary(report))


def imagine(arguments: argparse.Namespace) -> int:
    from core.api import reconstruct
    from core.config.prompt import write_prompt

    sentence = write_prompt(arguments.sentence, arguments.weights, arguments.output)
    with ProgressBar() as bar:
        report = reconstruct(
            sentence,
            arguments.output,
            choice=_choice(arguments),
            device=arguments.device,
            seed=arguments.seed,
            mesh=_options(arguments),
            resume=arguments.resume,
            on_event=bar.event,
        )
    return _tell(arguments, report, _summary(report))


def _summary(report: dict[str, Any]) -> list[str]:
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in report["seconds"].items())
    if report["sentence"]:
        came = f"likeness to the sentence {1 - report['losses'].get('sentence', 1):.3f}"
    else:
        came = f"{report['photos']} photos, training PSNR {report['psnr_training']:.1f} dB"
    return [
        f"{report['mesh']}: {report['vertices']} vertices, {report['faces']} faces",
        *report["mesh_notes"],
        f"{report['steps']} steps, {came} ({seconds})",
    ]


def poses(arguments: argparse.Namespace) -> int:
    from core.base.jobs import run_task
    from core.base.outputs import check_writable, choose_results_folder
    from core.base.paths import pose_workspace
    from core.capture.open import describe_input, needs_poses, open_capture
    from core.capture.poses.solve import write_poses

    if arguments.dry_run:
        lines = describe_input(arguments.path, _how(arguments))
        return _tell(arguments, {"recognised": [str(line) for line in lines]}, lines)
    out = choose_results_folder(arguments.output, arguments.path)
    check_writable(out, [out / "transforms.json", out / "report.json"])
    workspace = pose_workspace(arguments.path) if needs_poses(arguments.path) else None
    advice = "no poses were written; the same command goes on with what was found in the photos"
    with _advised(advice), ProgressBar() as bar:
        scene = run_task(
            open_capture(arguments.path, workspace, arguments.seed, how=_how(arguments)),
            bar.progress,
        )
    write_poses(scene, out, workspace)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return _tell(
        arguments,
        report,
        [
            *_moved(arguments.output, out),
            *scene.notices,
            f"{out}: {len(scene.photos)} cameras, {len(scene.points)} points",
        ],
    )


@contextmanager
def _advised(advice: str) -> Iterator[None]:
    """A command that is stopped gives this ``advice``."""
    try:
        yield
    except Interrupted as stop:
        stop.add_note(advice)
        raise


@contextmanager
def _force_offered() -> Iterator[None]:
    """A file in the way may be replaced where the person says so."""
    try:
        yield
    except ForeignFileError as error:
        raise ForeignFileError(error.path, text("Choose another name, or add --force")) from error


def _moved(asked: Path, out: Path) -> list[Text]:
    """That the results are not where they were asked for."""
    return [] if asked == out else [other_folder_notice(asked, out)]


def export(arguments: argparse.Namespace) -> int:
    from core.api import open_project
    from core.base.jobs import run_task
    from core.meshing.from_model import export_model, require_free

    options = _options(arguments, arguments.output)
    with _force_offered():
        require_free(arguments.output, options, force=arguments.force)
    with _advised("no mesh was written"), ProgressBar() as bar:
        session = open_project(arguments.project, arguments.device, bar.event, arguments.photos)
        try:
            trainer = session.trainer
            assert trainer is not None
            task = export_model(
                trainer.model, trainer.scene, options, arguments.output, force=arguments.force
            )
            done = run_task(task, bar.progress)
        finally:
            session.close()
    result = {
        "mesh": str(done.path),
        "vertices": done.n_vertices,
        "faces": done.n_faces,
        "bytes": done.n_bytes,
        "notes": done.notes,
    }
    return _tell(
        arguments,
        result,
        [f"{done.path}: {done.n_vertices} vertices, {done.n_faces} faces", *done.notes],
    )


def render(arguments: argparse.Namespace) -> int:
    from core.api import open_project
    from core.output.video import frame_outputs, frame_writer, is_single_file
    from core.output.views import camera_path, orbit, render_split, render_views

    outputs = frame_outputs(arguments.output, force=arguments.force)
    with _force_offered():
        outputs.require_free([arguments.output] if is_single_file(arguments.output) else [])
    with _advised("no picture was written"), ProgressBar() as bar:
        session = open_project(arguments.project, arguments.device, bar.event, arguments.photos)
        try:
            trainer = session.trainer
            assert trainer is not None
            if arguments.split:
                frames, total = render_split(trainer, arguments.split)
            elif arguments.path == "orbit":
                views, total = orbit(arguments.frames, *arguments.size), arguments.frames
                frames = render_views(trainer, views, arguments.mode)
            else:
                pose = trainer.scene.scene_from_input
                views = camera_path(Path(arguments.path), pose, *arguments.size)
                frames, total = render_views(trainer, views, arguments.mode), len(views)
            with outputs, frame_writer(arguments.output, outputs) as write:
                for image in bar.counted(frames, total, "rendering"):
                    write(image)
        finally:
            session.close()
    return _tell(
        arguments,
        {"output": str(arguments.output), "frames": total},
        [f"{arguments.output}: {total} pictures"],
    )


def evaluate(arguments: argparse.Namespace) -> int:
    from core.api import open_project
    from core.evaluation.evaluate import evaluate

    with ProgressBar() as bar:
        session = open_project(arguments.project, arguments.device, bar.event, arguments.photos)
        try:
            assert session.trainer is not None
            result = evaluate(
                session.trainer,
                session.source,
                arguments.reference,
                _options(arguments),
                arguments.threshold,
                bar.progress,
            )
        finally:
            session.close()
    lines = [f"{result['views']} photos: PSNR {result['psnr']:.2f} dB, SSIM {result['ssim']:.4f}"]
    if "mesh" in result:
        mesh = result["mesh"]
        sound = " and ".join(
            [
                ("" if mesh["watertight"] else "not ") + "watertight",
                ("" if mesh["edge_manifold"] and mesh["vertex_manifold"] else "not ") + "manifold",
            ]
        )
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
    if "dtu" in result:
        lines.append(
            "DTU: {distance:.3f} mm (accuracy {accuracy:.3f}, completeness "
            "{completeness:.3f})".format_map(result["dtu"])
        )
    return _tell(arguments, result, lines)


def bench(arguments: argparse.Namespace) -> int:
    from core.cli.bench import bench

    return _tell_table(arguments, bench(arguments.device))


def doctor(arguments: argparse.Namespace) -> int:
    from core.cli.doctor import examine

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
