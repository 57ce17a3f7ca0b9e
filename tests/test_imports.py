"""What each way in loads, seen from fresh interpreters."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "numba", "pycolmap", "trimesh")


def loaded(code: str) -> set[str]:
    """The top-level modules after ``code`` has run."""
    tell = "\nimport sys; print('\\nLOADED', *{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code + tell], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("name", ["app", "app.window", "app.state", "app.worker_client"])
def test_the_window_never_loads_torch(name):
    assert loaded(f"import {name}").isdisjoint(HEAVY)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_command_line_appears_before_anything_heavy_is_loaded(option):
    code = f"import main\ntry: main.main([{option!r}])\nexcept SystemExit: pass"
    assert loaded(code).isdisjoint({*HEAVY, "dearpygui"})


@pytest.mark.parametrize("command", [["doctor"], ["reconstruct", "/nowhere", "-o", "{out}"]])
def test_headless_commands_never_load_the_window(command, tmp_path):
    arguments = [part.format(out=tmp_path) for part in command]
    found = loaded(f"import main\nmain.main({arguments!r})")
    assert "torch" in found
    assert found.isdisjoint({"dearpygui", "app"})
