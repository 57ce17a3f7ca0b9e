"""From a text prompt to a mesh on the command line, and back to the project. A stand-in scores
the images, but where the messages about a missing network are tested."""

import json
import signal
import sys
from dataclasses import replace
from types import SimpleNamespace

import imageio.v3 as iio
import numpy as np
import pytest
import trimesh

import main
from core.base.interrupts import Interrupted
from core.config.prompt import read_prompt, write_prompt
from core.output import preview_sheet
from core.training.presets import PRESETS
from core.training.supervision import text as supervision
from tests.core.shaded_ball import WARM, quick_conversion
from tests.core.tiny_clip import red_in_the_middle, tiny_clip
from tests.files import results

QUICK = ("--steps", "90", "--mesh-resolution", "32", "--device", "cpu")


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path):
    train = replace(WARM.train, prompt_image_side=24, prompt_backgrounds=2)
    monkeypatch.setitem(PRESETS, "draft", replace(WARM, train=train))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(preview_sheet, "DRAFT_SIDE_PX", 24)
    quick_conversion(monkeypatch)


@pytest.fixture
def judged(monkeypatch):
    """By how red the middle is."""
    monkeypatch.setattr(
        supervision, "Clip", lambda prompt, device: SimpleNamespace(similarity=red_in_the_middle)
    )


def said(capsys, *words):
    code = main.main(list(map(str, words)))
    told = capsys.readouterr()
    assert code == 0, told.err
    return told.out


def complaint(capsys, *words):
    assert main.main(list(map(str, words))) == 1
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("gradina: ")]
    assert len(lines) == 1
    assert "unexpected" not in lines[0]
    return lines[0]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ngp", "surface"])
def test_a_prompt_becomes_a_mesh(judged, method, tmp_path, capsys):
    out = tmp_path / "out"
    told = said(
        capsys,
        "imagine",
        "a red ball",
        "--weights",
        tmp_path,
        "-o",
        out,
        "--method",
        method,
        "--format",
        "ply",
        "--purpose",
        "game",
        "--json",
        *QUICK,
    )
    report = json.loads(told.splitlines()[-1])
    assert report == json.loads((out / "report.json").read_text())
    assert report["sentence"] == "a red ball"
    assert report["psnr_training"] is None
    assert report["losses"]["sentence"] < 0.6
    assert "CLIP similarity" in told
    assert any("No texture" in note for note in report["mesh_notes"])
    mesh = trimesh.load(out / "mesh.ply")
    assert np.linalg.norm(mesh.vertices, axis=1).max() < 1
    assert mesh.volume > 0.001
    colors = np.asarray(mesh.visual.vertex_colors)[:, :3].mean(0)
    assert colors[0] > 2 * colors[1:].max(), "red"
    assert iio.imread(out / "preview.png").std() > 1

    again = tmp_path / "again.ply"
    (out / "prompt.json").unlink()
    said(
        capsys,
        "export",
        out / "project",
        "-o",
        again,
        "--mesh-resolution",
        32,
        "--unseen",
        "cut",
        "--device",
        "cpu",
    )
    assert len(trimesh.load(again).faces) > 50, "all that is there was looked at"
    said(
        capsys,
        "render",
        out / "project",
        "-o",
        tmp_path / "turn",
        "--frames",
        2,
        "--size",
        "40x30",
        "--device",
        "cpu",
    )
    assert len(list(results(tmp_path / "turn"))) == 2
    assert "no photos" in complaint(capsys, "evaluate", out / "project", "--device", "cpu")


@pytest.mark.slow
def test_pictures_are_written_while_it_goes_and_it_can_be_gone_on_with(
    judged, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(preview_sheet, "DRAFT_INTERVAL_S", 0.0)
    monkeypatch.setattr(preview_sheet, "DRAFT_DUTY_CYCLE", 1e9)
    steps, written, draw = [], [], preview_sheet.write_sheet

    def drawn(trainer, *more):
        draw(trainer, *more)
        steps.append(trainer.step_count)
        written.append((tmp_path / "out/preview.png").read_bytes())
        if len(steps) == 4:
            raise Interrupted(signal.SIGINT)

    monkeypatch.setattr(preview_sheet, "write_sheet", drawn)
    words = ("imagine", "a red ball", "--weights", tmp_path, "-o", tmp_path / "out", *QUICK)
    assert main.main(list(map(str, words))) == 130
    assert written[0] != written[-1]
    monkeypatch.setattr(preview_sheet, "write_sheet", draw)
    monkeypatch.setattr(preview_sheet, "DRAFT_INTERVAL_S", 1e9)
    report = json.loads(said(capsys, *words, "--resume", "--json").splitlines()[-1])
    assert report["steps"] == 90


def test_what_the_run_needs_and_has_not_is_said_in_one_line(tmp_path, capsys, monkeypatch):
    def words(weights, text="a vase"):
        return "imagine", text, "--weights", weights, "-o", tmp_path / "out", *QUICK

    assert "does not exist" in complaint(capsys, *words(tmp_path / "none"))
    assert "empty" in complaint(capsys, *words(tmp_path, "  "))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "transformers", None)
        assert "pip install 'gradina[text]'" in complaint(capsys, *words(tmp_path))
    pytest.importorskip("transformers")
    assert "holds no readable CLIP network" in complaint(capsys, *words(tmp_path))


@pytest.mark.slow
def test_a_network_is_read_from_its_folder_or_a_file_in_it(tmp_path, capsys):
    pytest.importorskip("transformers")
    weights = tiny_clip(tmp_path / "clip")
    few = ("--steps", 3, "--mesh-resolution", 16, "--device", "cpu", "--density", 0.5)
    for i, named in enumerate((weights, weights / "model.safetensors")):
        out = tmp_path / f"out{i}"
        said(capsys, "imagine", "a blue vase", "--weights", named, "-o", out, *few)
        assert read_prompt(out / "prompt.json").weights == str(weights)


def test_a_prompt_file_is_opened_like_photos(tmp_path, capsys):
    file = write_prompt("a ceramic vase", tmp_path, tmp_path / "one")
    assert "a ceramic vase" in said(capsys, "poses", file, "--dry-run")
