"""One place says how many cores may be used, and everybody asks it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.cores import VARIABLE, cgroup_cores, usable_cores
from core.base.errors import UserError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def group(tmp_path):
    """Writes the files of a cgroup below a folder like /sys/fs/cgroup; its root, and the file that
    names the cgroup of this process."""

    def write(listed: str, files: dict[str, str]):
        for name, text in files.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (tmp_path / "own").write_text(listed)
        return tmp_path / "cgroup", tmp_path / "own"

    return write


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"a/b/cpu.max": "150000 100000\n"}, 2),
        ({"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3),
        ({"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "100000 100000\n"}, 1),
        ({"a/b/cpu.max": "1000 100000\n"}, 1),
        ({"a/b/cpu.max": "max 100000\n"}, None),
        ({}, None),
        ({"cpu.max": "200000 100000\n"}, 2),
    ],
)
def test_limits_of_a_cgroup_and_of_those_above_it_hold(group, files, cores):
    assert cgroup_cores(*group("0::/a/b\n", files)) == cores


@pytest.mark.parametrize(("quota", "cores"), [("250000", 3), ("-1", None)])
def test_the_first_version_of_cgroups(group, quota, cores):
    files = {"cpu,cpuacct/a/cpu.cfs_quota_us": quota, "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}
    assert cgroup_cores(*group("5:memory:/x\n4:cpu,cpuacct:/a\n", files)) == cores


def test_elsewhere_there_are_no_cgroups(tmp_path):
    assert cgroup_cores(tmp_path, tmp_path / "none") is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_affinity_counts():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from core.base.cores import describe_cores, usable_cores\n"
        "print(usable_cores(), describe_cores())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    total = os.cpu_count()
    assert done.stdout.strip() in ("1 1", f"1 1 of {total} (CPU affinity)")


def test_a_person_says_so(monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    assert usable_cores() == 1
    monkeypatch.setenv(VARIABLE, "100000")
    assert usable_cores() < 100000, "never more than there are"
    monkeypatch.setenv(VARIABLE, "many")
    with pytest.raises(UserError, match="GRADINA_THREADS=many is not a number"):
        usable_cores()


def test_nobody_else_counts_cores():
    counts = re.compile(r"cpu_count|sched_getaffinity|^_?THREADS *=|num_threads *= *[2-9]", re.M)
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "app")
        for path in (ROOT / folder).rglob("*.py")
        if counts.search(path.read_text())
    }
    assert found == {"core/base/cores.py"}
