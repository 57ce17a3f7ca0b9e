"""Meshes, images and videos of a saved project."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from tests.core.cli.command_line import complaint, result
from tests.files import results


@pytest.mark.parametrize("suffix", ["obj", "ply", "glb", "stl"])
def test_export_by_the_file_s_name(command, finished, tmp_path, suffix):
    target = tmp_path / f"ball.{suffix}"
    told = result(
        command(
            "export",
            finished / "project",
            "-o",
            target,
            "--json",
            "--mesh-resolution",
            24,
            "--lod",
            4,
            "--device",
            "cpu",
        )
    )
    assert told["bytes"] == target.stat().st_size
    loaded = trimesh.load(target, process=False, force="mesh")
    assert len(loaded.faces) == told["faces"] > 100


def test_export_asks_before_it_replaces_what_it_did_not_write(command, finished, tmp_path):
    target = tmp_path / "ball.ply"
    words = ("export", finished / "project", "-o", target, "--mesh-resolution", 24)
    target.write_text("a person's own")
    assert "add --force" in complaint(command(*words, "--device", "cpu"))
    assert target.read_text() == "a person's own"
    assert command(*words, "--device", "cpu", "--force").returncode == 0
    assert command(*words, "--device", "cpu").returncode == 0, "an earlier export of its own"


def test_export_for_a_purpose(command, finished, tmp_path):
    told = result(
        command(
            "export",
            finished / "project",
            "-o",
            tmp_path / "g.glb",
            "--json",
            "--purpose",
            "web",
            "--mesh-resolution",
            24,
            "--faces",
            400,
            "--texture-size",
            128,
            "--lods",
            2,
            "--device",
            "cpu",
        )
    )
    assert {p.name for p in results(tmp_path)} == {
        "g.glb",
        "g_lod1.glb",
        "g_lods.glb",
        "g.glb.json",
    }
    assert told["faces"] <= 400
    assert any("efined" in note for note in told["notes"]), "tried, and told whether it is kept"
    about = json.loads((tmp_path / "g.glb.json").read_text())
    assert about["axes"] == "y"
    assert [lod["texture"] for lod in about["lods"]] == [128, 128]
    assert set(about["steps"]) == {"small parts", "repair", "holes", "simplified", "seen through"}
    text = complaint(
        command(
            "export",
            finished / "project",
            "-o",
            tmp_path / "p.stl",
            "--purpose",
            "print",
            "--device",
            "cpu",
        )
    )
    assert "cannot be in mm: nothing says how large the scene is" in text
    text = complaint(
        command(
            "export",
            finished / "project",
            "-o",
            tmp_path / "p.glb",
            "--max-bytes",
            2000,
            "--mesh-resolution",
            24,
            "--device",
            "cpu",
        )
    )
    assert "does not fit" in text
    assert not (tmp_path / "p.glb").exists()


def test_render_of_an_orbit_a_video_and_held_out_views(command, finished, tmp_path):
    project = finished / "project"
    told = result(
        command(
            "render",
            project,
            "-o",
            tmp_path / "turn",
            "--frames",
            3,
            "--size",
            "64x48",
            "--json",
            "--device",
            "cpu",
        )
    )
    assert told["frames"] == 3
    pictures = sorted(results(tmp_path / "turn"))
    assert [p.name for p in pictures] == ["0000.png", "0001.png", "0002.png"]
    with Image.open(pictures[0]) as image:
        assert image.size == (64, 48)
    result(
        command(
            "render",
            project,
            "-o",
            tmp_path / "clay",
            "--frames",
            3,
            "--mode",
            "clay",
            "--size",
            "64x48",
            "--json",
            "--device",
            "cpu",
        )
    )
    with Image.open(tmp_path / "clay/0000.png") as image:
        middle = np.asarray(image)[24, 32].astype(int)
    assert np.ptp(middle) < 20, "all clay is of one grey"
    result(
        command(
            "render",
            project,
            "-o",
            tmp_path / "turn.mp4",
            "--frames",
            3,
            "--size",
            "64x48",
            "--json",
            "--device",
            "cpu",
        )
    )
    assert (tmp_path / "turn.mp4").stat().st_size > 500
    told = result(
        command(
            "render",
            project,
            "-o",
            tmp_path / "test",
            "--split",
            "test",
            "--json",
            "--device",
            "cpu",
        )
    )
    assert told["frames"] == 2


def test_bad_words_about_meshes_and_views(command, finished, tmp_path):
    project = finished / "project"
    assert "xyz" in complaint(command("export", project, "-o", tmp_path / "x.xyz"))
    path = tmp_path / "path.json"
    path.write_text("[]")
    text = complaint(command("render", project, "-o", tmp_path / "r", "--path", path))
    assert str(path) in text


def test_commands_on_what_is_no_project(command, photos, tmp_path):
    for arguments in (
        ("export", photos, "-o", tmp_path / "x.obj"),
        ("evaluate", tmp_path),
        ("render", tmp_path / "none", "-o", tmp_path / "r"),
    ):
        text = complaint(command(*arguments))
        assert "project" in text
        assert str(arguments[1]) in text
