"""What the program knows of itself."""

import subprocess
import sys
import tomllib

from core.base.program import ROOT


def test_the_version_is_that_of_the_checkout():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    done = subprocess.run(
        [sys.executable, ROOT / "main.py", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"gradina {project['version']}\n"
