"""The command that measures the quality of a trained project."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.cli import arguments as common
from core.cli.progress_bar import ProgressBar
from core.cli.results import open_trainer, print_result


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `evaluate`."""
    parser.add_argument("project", type=Path)
    parser.add_argument("--reference", type=Path, help="a mesh, or a folder of the DTU benchmark")
    parser.add_argument(
        "--threshold", type=float, action="append", help="distance of the F-score; may be repeated"
    )
    common.add_mesh(parser)
    common.add_photos_folder(parser)
    common.add_device(parser)
    common.add_json(parser)


def evaluate(arguments: argparse.Namespace) -> int:
    """Print PSNR and SSIM of photos and, with a reference, the errors of the surface."""
    from core.evaluation.evaluate import evaluate

    with ProgressBar() as bar, open_trainer(arguments, bar.on_event) as (trainer, source):
        result = evaluate(
            trainer,
            source,
            arguments.reference,
            common.mesh_options(arguments),
            arguments.threshold,
            bar.on_progress,
        )
    return print_result(arguments, result, _summary(result))


def _summary(result: dict[str, Any]) -> list[str]:
    """Return the lines that a person reads of an evaluation."""
    lines = [f"{result['views']} photos: PSNR {result['psnr']:.2f} dB, SSIM {result['ssim']:.4f}"]
    if "mesh" in result:
        lines += _mesh_lines(result["mesh"])
    if "surface" in result:
        lines.append(_surface_line(result["surface"]))
    if "dtu" in result:
        lines.append(
            "DTU: {distance:.3f} mm (accuracy {accuracy:.3f}, completeness "
            "{completeness:.3f})".format_map(result["dtu"])
        )
    return lines


def _mesh_lines(mesh: dict[str, Any]) -> list[str]:
    watertight = "watertight" if mesh["watertight"] else "not watertight"
    is_manifold = mesh["edge_manifold"] and mesh["vertex_manifold"]
    manifold = "manifold" if is_manifold else "not manifold"
    lines = [f"mesh: {mesh['faces']} faces in {mesh['parts']} parts, {watertight} and {manifold}"]
    if "psnr" in mesh:
        lines.append(
            f"texture: PSNR {mesh['psnr']:.2f} dB, SSIM {mesh['ssim']:.4f} (the field over the "
            f"same pixels {mesh['field_psnr']:.2f}, {mesh['field_ssim']:.4f}; at the photos' "
            f"exposures {mesh['psnr_levelled']:.2f} and {mesh['field_psnr_levelled']:.2f} dB)"
        )
    return lines


def _surface_line(surface: dict[str, Any]) -> str:
    scores = ", ".join(f"F({at}) {score:.3f}" for at, score in surface["f_scores"].items())
    line = (
        f"surface: mean two-way distance {surface['distance']:.5f} (accuracy "
        f"{surface['accuracy']:.5f}, completeness {surface['completeness']:.5f}); {scores}"
    )
    if surface["normal_error_deg"] is not None:
        line += f"; normal error {surface['normal_error_deg']:.1f}°"
    return line
