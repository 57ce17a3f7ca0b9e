"""``--strict-skips`` fails a run in which a test is skipped for want of something."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUNCTION = """
import pytest
def test_it():
    pytest.skip({reason!r})
"""
MODULE = """
import pytest
pytest.skip({reason!r}, allow_module_level=True)
"""
MARK = """
import pytest
@pytest.mark.skipif(True, reason={reason!r})
def test_it():
    pass
"""
XFAIL = """
import pytest
@pytest.mark.xfail(reason={reason!r})
def test_it():
    assert False
"""


def outcome(folder: Path, source: str, *options: str) -> str:
    """The last line of a run of pytest on a test file with ``source``."""
    (folder / "test_it.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.skips", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("source", [FUNCTION, MODULE, MARK], ids=["function", "module", "mark"])
def test_only_reasons_on_the_list_are_accepted(source, tmp_path):
    missing = source.format(reason="no OpenGL here")
    assert "1 skipped" in outcome(tmp_path, missing)
    assert "1 skipped" not in outcome(tmp_path, missing, "--strict-skips")
    no_gpu = source.format(reason="no NVIDIA GPU can be used by this torch")
    assert "1 skipped" in outcome(tmp_path, no_gpu, "--strict-skips")


def test_an_expected_failure_is_no_skip(tmp_path):
    source = XFAIL.format(reason="not yet")
    assert "1 xfailed" in outcome(tmp_path, source, "--strict-skips")
