"""The command line as a person or a script uses it: in this process or in one of its own."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import main
from core.training.presets import PRESETS
from tests.core.cli.command_line import QUICK, ROOT, Done, result
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball

Command = Callable[..., Done]


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No display, no GPU, a tiny draft, and nothing of the user's; commands run in ``folder``."""
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
        yield


def run_main(*arguments: object) -> Done:
    """Run the command line in this process, which spares loading torch anew."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            code = main.main(list(map(str, arguments)))
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Done(code, out.getvalue(), errors.getvalue())


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with alone(folder):
        yield folder


@pytest.fixture(scope="module")
def command(home) -> Command:
    """Runs the command line with arguments, `alone`."""
    return run_main


@pytest.fixture(scope="module")
def process(home) -> Command:
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


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    return shaded_ball(tmp_path_factory.mktemp("ball"), n=9)


@pytest.fixture(scope="session")
def finished(photos, tmp_path_factory) -> Path:
    """What `reconstruct` left of the ball; tests of several files read it."""
    out = tmp_path_factory.mktemp("out")
    with alone(tmp_path_factory.mktemp("home")):
        done = run_main("reconstruct", photos, "-o", out, "--hold-out", "--json", *QUICK)
    assert result(done) == json.loads((out / "report.json").read_text())
    return out
