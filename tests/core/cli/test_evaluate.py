"""Figures of a saved project against photos and a reference."""

import trimesh

from tests.core.cli.command_line import ROOT, complaint, result


def test_evaluate_with_and_without_a_reference(command, finished, tmp_path):
    reference = tmp_path / "truth.ply"
    trimesh.creation.icosphere(3, 0.8).export(reference)
    told = result(
        command(
            "evaluate",
            finished / "project",
            "--reference",
            reference,
            "--json",
            "--mesh-resolution",
            32,
            "--threshold",
            0.5,
            "--device",
            "cpu",
            "--texture",
            "--texture-size",
            128,
            "--faces",
            800,
        )
    )
    assert told["views"] == "held out"
    assert 3 < told["psnr"] < 60
    assert len(told["per_view"]) == 2
    assert 0 < told["surface"]["distance"] < 0.5
    assert list(told["surface"]["f_scores"]) == ["0.5"]
    assert 0 < told["surface"]["normal_error_deg"] < 60
    mesh = told["mesh"]
    assert mesh["faces"] <= 800
    assert mesh["edge_manifold"]
    assert mesh["vertex_manifold"]
    assert mesh["psnr_levelled"] >= mesh["psnr"] - 0.1
    assert abs(mesh["field_psnr"] - told["psnr"]) < 0.01, "the same pictures, over all pixels"
    text = complaint(command("evaluate", finished / "project", "--reference", ROOT / "README.md"))
    assert "README.md" in text
