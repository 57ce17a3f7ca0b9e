"""One place says how many cores may be used, and everybody asks it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.cores import THREADS_VARIABLE, cgroup_cores, describe_cores, usable_cores
from core.base.errors import UserError
from core.cli.parser import parse

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


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize(
    ("child", "parent", "cores"),
    [("400000", "150000", 2), ("100000", "-1", 1), ("-1", "300000", 3)],
)
def test_of_nested_cgroups_of_the_first_version_the_tightest_holds(
    group, mount, child, parent, cores
):
    files = {f"{mount}/a/b/cpu.cfs_quota_us": child, f"{mount}/a/cpu.cfs_quota_us": parent}
    files |= {f"{mount}/{folder}/cpu.cfs_period_us": "100000" for folder in ("a", "a/b")}
    assert cgroup_cores(*group("4:cpu,cpuacct:/a/b\n0::/\n", files)) == cores


def test_a_container_that_sees_only_its_own_cgroup(group):
    """Docker names the cgroup as the host has it, and mounts it as the root."""
    files = {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}
    assert cgroup_cores(*group("1:cpu:/docker/0123abcd\n", files)) == 2
    assert cgroup_cores(*group("0::/docker/0123abcd\n", {"cpu.max": "100000 100000"})) == 1


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
    monkeypatch.setenv(THREADS_VARIABLE, "1")
    assert usable_cores() == 1
    monkeypatch.setenv(THREADS_VARIABLE, "100000")
    assert usable_cores() < 100000, "never more than there are"
    monkeypatch.setenv(THREADS_VARIABLE, "many")
    with pytest.raises(UserError, match="GRADINA_THREADS=many is not a number"):
        usable_cores()


def test_what_limits_the_cores_is_named(monkeypatch):
    monkeypatch.delenv(THREADS_VARIABLE, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 32)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(32)), raising=False)
    monkeypatch.setattr("core.base.cores.cgroup_cores", lambda: None)
    assert str(describe_cores()) == "32"
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert str(describe_cores()) == "8 of 32 (CPU affinity)"
    monkeypatch.setattr("core.base.cores.cgroup_cores", lambda: 3)
    assert str(describe_cores()) == "3 of 32 (limit of the cgroup)"
    monkeypatch.setenv(THREADS_VARIABLE, "2")
    assert str(describe_cores()) == "2 of 32 (GRADINA_THREADS)"


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "reconstruct x -o y",
        "imagine x --weights w -o y",
        "poses x",
        "export x -o y",
        "render x -o y",
        "evaluate x",
        "bench",
        "doctor",
        "x",
    ],
)
def test_every_command_takes_the_number_of_threads(command, monkeypatch):
    monkeypatch.setenv(THREADS_VARIABLE, "5")
    parse([*command.split(), "--threads", "3"], lambda path, device: 0)
    assert os.environ[THREADS_VARIABLE] == "3", "which children inherit"


def gradina(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Those words on the command line, in a process that tells the threads of torch at its end."""
    clean = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    code = "import main, sys; status = main.main(sys.argv[1:])\n"
    code += "if status == 0: import torch; print(torch.get_num_threads())\n"
    code += "sys.exit(status)"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=clean | environment,
    )


def test_the_doctor_and_the_libraries_heed_the_number_of_threads():
    *_, told, torch_threads = gradina("doctor", "--json", "--threads", "1").stdout.splitlines()
    total = os.cpu_count()
    assert json.loads(told)["cores"] == ("1" if total == 1 else f"1 of {total} (GRADINA_THREADS)")
    assert torch_threads == "1"


def test_a_number_that_is_none_is_one_clear_line():
    done = gradina("doctor", **{THREADS_VARIABLE: "many"})
    assert done.returncode == 1
    assert done.stderr.startswith("gradina: GRADINA_THREADS=many is not a number of threads")
    assert len(done.stderr.splitlines()) == 1


def test_nobody_else_counts_cores():
    counts = re.compile(
        r"cpu_count|sched_getaffinity|^\w*THREADS *=|num_threads *= *[2-9]|NUM_THREADS\W+\d"
        r"|PoolExecutor\([2-9]",
        re.M,
    )
    sources = [ROOT / "main.py", *(ROOT / "core").rglob("*.py"), *(ROOT / "app").rglob("*.py")]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sources
        if counts.search(path.read_text("utf-8"))
    }
    assert found == {"core/base/cores.py"}
