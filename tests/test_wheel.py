"""What `pip install` puts into an environment, seen from another directory."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from core.base.program import ROOT, version

INSTALLED = ("app", "core", "assets", "shaders")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, since setuptools takes up again what an earlier build left behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in INSTALLED:
        shutil.copytree(ROOT / name, folder / "source" / name)
    for name in ("main.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    pip("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, folder / "source")
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """Its programs. The libraries are those of this environment."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    bin = folder / ("Scripts" if sys.platform == "win32" else "bin")
    libraries = next(folder.rglob("site-packages"))
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    pip("--python", bin / "python", "install", "-q", "--no-deps", "--ignore-installed", wheel)
    return bin


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A folder with packages named as Gradina's."""
    for name in INSTALLED:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not Gradina')")
    return tmp_path


def pip(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "pip", *map(str, arguments)], check=True)


def test_a_wheel_holds_all_of_the_program_in_one_folder(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    files = [
        path.relative_to(ROOT)
        for name in INSTALLED
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    ]
    wanted = {f"gradina/{path.as_posix()}" for path in [*files, Path("main.py")]}
    about = f"gradina-{version()}.dist-info/"
    assert {name for name in names if not name.startswith(about)} == wanted


def test_it_runs_from_a_folder_with_packages_of_the_same_names(environment, elsewhere):
    def run(*words: object) -> str:
        done = subprocess.run(words, cwd=elsewhere, capture_output=True, text=True, check=True)
        return done.stdout

    assert run(environment / "gradina", "--version") == f"gradina {version()}\n"
    assert "usage: gradina " in run(environment / "gradina", "export", "--help")
    child = (
        "import gradina.main, operator\n"
        "from core.base.jobs import run_task\n"
        "from core.base.subprocess_call import run_in_subprocess\n"
        "import core.cli.demo\n"
        "print(run_task(run_in_subprocess(operator.add, 1, 2, detail='adding', expected_s=1.0)))"
    )
    assert run(environment / "python", "-c", child) == "3\n"
