"""From photos to a mesh on the command line, and what a run does with bad input."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image
from safetensors import safe_open

from core.base.jobs import run_task
from core.base.outputs import MARKER
from core.sample import reference_mesh
from tests.core.bad_captures import BAD
from tests.core.cli.command_line import QUICK, STEPS, complaint, result


def test_reconstruct_leaves_everything(finished):
    report = json.loads((finished / "report.json").read_text())
    assert report["steps"] == int(STEPS)
    assert (report["photos"], report["photos_held_out"]) == (7, 2)
    assert report["held_out"]["photos"] == 2
    assert set(report["seconds"]) == {"open", "train", "mesh", "preview"}
    mesh = trimesh.load(finished / "mesh.obj", process=False)
    assert (len(mesh.vertices), len(mesh.faces)) == (report["vertices"], report["faces"])
    assert (finished / "mesh.obj").stat().st_size == report["bytes"]
    with Image.open(finished / "preview.png") as sheet:
        assert sheet.width > 4 * 400, "photo, field, mesh and mesh in colour"
    with safe_open(finished / "project" / "checkpoint.safetensors", "numpy") as checkpoint:
        assert "model.sdf_field.grid.table" in checkpoint.keys()  # noqa: SIM118, it is no dict
    assert {p.name for p in finished.rglob(".*") if p.is_file()} == {MARKER}, "nothing temporary"


@pytest.mark.slow
def test_resume_goes_on_with_the_same_curve(command, photos, tmp_path):
    out = tmp_path / "out"
    first = result(command("reconstruct", photos, "-o", out, "--seed", 7, "--json", *QUICK))
    again = result(
        command(
            "reconstruct",
            photos,
            "-o",
            out,
            "--resume",
            "--json",
            "--minutes",
            0.0005,
            "--mesh-resolution",
            24,
            "--format",
            "ply",
        )
    )
    assert again["steps"] > first["steps"]
    assert again["seed"] == 7
    assert again["config"] == first["config"]
    assert again["training_seconds"] > first["training_seconds"]
    assert (out / "mesh.ply").is_file()


def test_resume_of_what_is_finished_only_writes_again(command, finished, photos):
    before = (finished / "project" / "checkpoint.safetensors").read_bytes()
    report = result(command("reconstruct", photos, "-o", finished, "--resume", "--json", *QUICK))
    assert report["steps"] == int(STEPS)
    assert (finished / "project" / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.slow
def test_the_demo_states_its_true_error(process, tmp_path):
    report = result(
        process(
            "demo",
            "--headless",
            "--steps",
            20,
            "--mesh-resolution",
            48,
            "-o",
            tmp_path,
            "--json",
            "--device",
            "cpu",
        )
    )
    for name in ("mesh.obj", "preview.png", "report.json", "project/project.json"):
        assert (tmp_path / name).stat().st_size > 0
    assert report == json.loads((tmp_path / "report.json").read_text())
    truth = run_task(reference_mesh())
    assert report["extent"] == pytest.approx(np.ptp(truth.vertices[:, 2]), rel=1e-3)
    assert 0 < report["surface"]["distance"] < report["extent"]
    assert report["held_out"]["photos"] == 6


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_that_names_the_file(command, tmp_path, name):
    make, words, file = BAD[name]
    path = make(tmp_path / "input")
    text = complaint(command("reconstruct", path, "-o", tmp_path / "out", *QUICK))
    assert words in text
    assert (file or str(path)) in text
    assert text.count(". ") >= 1, "what is wrong, then the remedy"
    assert not list((tmp_path / "out").glob("*")), "nothing is left behind"


def test_an_output_that_cannot_be_written_is_found_before_the_work(command, photos, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    text = complaint(command("reconstruct", photos, "-o", blocked / "out", *QUICK))
    assert str(blocked / "out") in text
    assert "cannot be written" in text
