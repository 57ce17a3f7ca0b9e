"""The command line as a person or a script uses it: processes, files, exit codes."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from safetensors import safe_open

import main
from core.base.jobs import run_task as run_task
from core.base.outputs import MARKER
from core.sample import reference_mesh
from core.training.presets import PRESETS
from tests.core.bad_captures import BAD
from tests.core.captures import noise_photo
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball
from tests.files import results

ROOT = Path(__file__).parents[3]
STEPS = "150"
QUICK = ("--steps", STEPS, "--mesh-resolution", "32", "--device", "cpu")


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator[Path]:
    """No display, no GPU, a tiny draft, and nothing of the user's; commands run in this folder."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("CACHE", "DATA", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", str(folder / kind.lower()))
        patch.delenv("DISPLAY", raising=False)
        patch.delenv("WAYLAND_DISPLAY", raising=False)
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        patch.setattr("torch.cuda.is_available", lambda: False)
        patch.setitem(PRESETS, "draft", WARM)
        quick_conversion(patch)
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def command(home):
    """Runs the command line with arguments, in this process, which spares loading torch anew."""

    def run(*arguments: object) -> Done:
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                code = main.main(list(map(str, arguments)))
            except SystemExit as stop:
                code = int(stop.code or 0)
        return Done(code, out.getvalue(), errors.getvalue())

    return run


@pytest.fixture(scope="module")
def process(home):
    """Runs ``main.py`` with arguments as a process of its own."""

    def run(*arguments: object) -> Done:
        done = subprocess.run(
            [sys.executable, ROOT / "main.py", *map(str, arguments)],
            cwd=home,
            capture_output=True,
            text=True,
            timeout=280,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def result(done: Done) -> dict:
    """The JSON object in the last line of a command that went well."""
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def complaint(done: Done) -> str:
    """The one line by which a command failed."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("gradina: ")]
    assert len(lines) == 1, done.stderr
    assert done.stderr.rstrip().endswith(lines[0]), "it is the last word"
    assert "unexpected" not in lines[0]
    return lines[0]


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return shaded_ball(tmp_path_factory.mktemp("ball"), n=9)


@pytest.fixture(scope="module")
def finished(command, photos, tmp_path_factory) -> Path:
    """What `reconstruct` left of the ball; later tests read it."""
    out = tmp_path_factory.mktemp("out")
    report = result(command("reconstruct", photos, "-o", out, "--hold-out", "--json", *QUICK))
    assert report == json.loads((out / "report.json").read_text())
    return out


# --- reconstruct and what works on its project ------------------------------------------------


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


def test_render_of_an_orbit_a_film_and_held_out_views(command, finished, tmp_path):
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


# --- small commands ---------------------------------------------------------------------------


def test_doctor_names_what_will_be_used(command):
    told = result(command("doctor", "--json"))
    assert told["device"].startswith("cpu")
    assert told["gpus"] == []
    assert told["preset"] == "draft"
    assert told["display"].startswith("none") or sys.platform != "linux"
    assert all(version != "missing" for version in told["versions"].values())
    plain = command("doctor")
    assert plain.returncode == 0
    assert "torch" in plain.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["reconstruct"],
        ["reconstruct", "x"],
        ["reconstruct", "x", "-o", "y", "--preset", "best"],
        ["reconstruct", "x", "-o", "y", "--steps", "0"],
        ["export", "x"],
        ["render", "x", "-o", "y", "--size", "big"],
        ["reconstruct", "x", "-o", "y", "--minutes", "1", "--steps", "1"],
        ["reconstruct", "x", "-o", "y", "--minutes", "nan"],
        ["demo", "--device", "tpu"],
        ["doctor", "--loud"],
        ["--unknown"],
        ["one", "two"],
    ],
)
def test_wrong_usage_is_explained(command, arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: main.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_help(command):
    done = command("--help")
    assert done.returncode == 0
    for name in (
        "demo",
        "reconstruct",
        "imagine",
        "poses",
        "export",
        "render",
        "evaluate",
        "bench",
        "doctor",
    ):
        assert name in done.stdout
        assert f"main.py {name}" in command(name, "--help").stdout


@pytest.mark.slow
def test_a_process_ends_with_the_status(process, tmp_path):
    assert "does not exist" in complaint(process("reconstruct", tmp_path / "none", "-o", tmp_path))
    assert process("reconstruct").returncode == 2
    assert process("doctor").returncode == 0


# --- bad input --------------------------------------------------------------------------------


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


def test_a_gpu_that_is_not_there_is_said(command, photos, finished, tmp_path):
    for arguments in (
        ("reconstruct", photos, "-o", tmp_path),
        ("bench",),
        ("export", finished / "project", "-o", tmp_path / "x.obj"),
    ):
        text = complaint(command(*arguments, "--device", "cuda"))
        assert "GPU" in text
        assert "--device cpu" in text


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a desktop")
def test_without_a_display_the_window_says_so(command, photos):
    assert "display" in complaint(command(photos)).lower()


def test_commands_on_what_is_no_project(command, photos, tmp_path):
    for arguments in (
        ("export", photos, "-o", tmp_path / "x.obj"),
        ("evaluate", tmp_path),
        ("render", tmp_path / "none", "-o", tmp_path / "r"),
    ):
        text = complaint(command(*arguments))
        assert "project" in text
        assert str(arguments[1]) in text


def test_a_dry_run_only_says_what_lies_there(command, tmp_path):
    for folder in ("a", "b"):
        for i in range(2):
            noise_photo(tmp_path / "shots" / folder / f"{i}.png", i)
    done = command("poses", tmp_path / "shots", "--dry-run")
    assert done.returncode == 1
    assert "in its subfolders only" in done.stderr
    done = command("poses", tmp_path / "shots", "--dry-run", "--recursive", "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout.splitlines()[-1])["recognised"]
    assert told[0].startswith("shots: a folder of 4 photos without poses")
    assert not (tmp_path / "out").exists()


def test_bad_words_about_meshes_and_views(command, finished, tmp_path):
    project = finished / "project"
    assert "xyz" in complaint(command("export", project, "-o", tmp_path / "x.xyz"))
    path = tmp_path / "path.json"
    path.write_text("[]")
    text = complaint(command("render", project, "-o", tmp_path / "r", "--path", path))
    assert str(path) in text
