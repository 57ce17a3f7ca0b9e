"""The words of the command line, and the status it ends with."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from core.base.errors import UserError
from core.cli.arguments import mesh_options
from core.cli.parser import parse
from core.config.mesh import PURPOSES, Unit
from core.config.run import PresetName
from core.meshing.export.frame import METRES_PER_UNIT
from core.training.presets import PRESETS
from tests.core.cli.command_line import complaint


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


def test_presets_and_units_are_those_that_the_code_knows():
    assert set(get_args(PresetName)) == set(PRESETS)
    assert set(get_args(Unit)) == set(METRES_PER_UNIT)


def test_mesh_options_are_those_given_and_else_those_of_the_purpose():
    words = ["export", "p", "-o", "mesh.glb", "--purpose", "web", "--faces", "9"]
    arguments = parse([*words, "--no-refine", "--keep-seen-through"], lambda path, device: 0)
    expected = replace(PURPOSES["web"], faces=9, refine=False, seen_through=False)
    assert mesh_options(arguments) == expected
    assert mesh_options(arguments, Path("mesh.PLY")) == replace(expected, format="ply")
    with pytest.raises(UserError, match="xyz is not a mesh format"):
        mesh_options(arguments, Path("mesh.xyz"))
