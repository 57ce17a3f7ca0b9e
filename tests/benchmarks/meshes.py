"""What exports cost: ``python -m tests.benchmarks.meshes PROJECT… [--cells 512 1024 2048]
[--format ply]``.

Each is made as `main.py export` makes it, in a process of its own: its seconds, those of all cores
that it worked, which other work beside it changes less, and the most memory that was its own, and
with the files that it mapped. Linux alone tells these apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

POLL_S = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", type=Path, nargs="+")
    parser.add_argument("--cells", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--format", default="ply")
    arguments = parser.parse_args()
    print(
        "| project | cells | faces | seconds | of cores | own memory, GB | with mapped files | "
        "file, GB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for project in arguments.projects:
        for cells in arguments.cells:
            print(f"| {project} | {cells} | {row(project, cells, arguments.format)} |", flush=True)


def row(project: Path, cells: int, format: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        began, before = time.perf_counter(), worked()
        child = subprocess.Popen(
            [
                sys.executable,
                "main.py",
                "export",
                str(project),
                "-o",
                f"{folder}/m.{format}",
                "--mesh-resolution",
                str(cells),
                "--json",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        peak = {"RssAnon": 0, "VmRSS": 0}
        while child.poll() is None:
            watch(child.pid, peak)
            time.sleep(POLL_S)
        seconds = time.perf_counter() - began
        said, errors = child.communicate()
        cores = worked() - before
        if child.returncode:
            return errors.strip().splitlines()[-1]
        done = json.loads(said.splitlines()[-1])
    own, mapped = (peak[name] / 1e6 for name in peak)
    return (
        f"{done['faces']:,} | {seconds:.0f} | {cores:.0f} | {own:.2f} | {mapped:.2f} | "
        f"{done['bytes'] / 1e9:.2f}"
    )


def worked() -> float:
    """Seconds that ended processes of this one took of all cores."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch(pid: int, peak: dict[str, int]) -> None:
    """Raise ``peak``, kB by the names that Linux has for them, to what the process takes now."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return  # it has just ended
    for name, _, value in (line.partition(":") for line in lines):
        if name in peak:
            peak[name] = max(peak[name], int(value.split()[0]))


if __name__ == "__main__":
    main()
