"""How many processor cores this program may use: the one place that says so.

The machine may have more than the process is allowed: by its CPU affinity (taskset, job
schedulers), by a limit of its cgroup (containers), or by a person (``--threads``, GRADINA_THREADS).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from core.base.errors import UserError
from core.base.text import text

VARIABLE = "GRADINA_THREADS"
_CGROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def usable_cores() -> int:
    """At least 1. Raises UserError where GRADINA_THREADS is not a positive whole number."""
    return min(cores for cores, _ in _limits())


def describe_cores() -> str:
    """For people: the cores that are used, and why not more of them."""
    usable, why = min(_limits(), key=lambda limit: limit[0])
    total = os.cpu_count() or 1
    return str(total) if usable == total else f"{usable} of {total} ({why})"


def limit_libraries() -> None:
    """Tell numba and those that use OpenMP or OpenBLAS, which ask when they are loaded, how many
    threads to start; what the user has set is respected. Children inherit it."""
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(usable_cores()))


def _limits() -> Iterator[tuple[int, str]]:
    yield os.cpu_count() or 1, "this machine"
    if hasattr(os, "sched_getaffinity"):
        yield len(os.sched_getaffinity(0)), "CPU affinity"
    quota = cgroup_cores()
    if quota is not None:
        yield quota, "limit of the cgroup"
    wanted = os.environ.get(VARIABLE)
    if wanted:
        if not (wanted.isascii() and wanted.isdigit() and int(wanted) > 0):
            raise UserError(
                text(
                    "{variable}={wanted} is not a number of threads",
                    variable=VARIABLE,
                    wanted=wanted,
                ),
                text("Set it to 1 or more, or not at all"),
            )
        yield int(wanted), VARIABLE


def cgroup_cores(root: Path = _CGROUPS, own: Path = _OWN) -> int | None:
    """The cores' worth of time, rounded up, that the process's cgroup and all above it allow, of
    version 2 or 1; None where nothing limits it. ``root``: where cgroups are mounted; ``own``: the
    file that lists those of this process."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    quotas = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            quotas += [_quota_v2(folder) for folder in _with_parents(root, path)]
        elif "cpu" in controllers.split(","):
            mount = next(
                (root / name for name in (controllers, "cpu") if (root / name).is_dir()), root
            )
            quotas += [_quota_v1(folder) for folder in _with_parents(mount, path)]
    found = [quota for quota in quotas if quota is not None]
    return max(1, math.ceil(min(found))) if found else None


def _with_parents(root: Path, path: str) -> list[Path]:
    """The folder of the cgroup ``path`` and those above it, as far as ``root``."""
    folder = root / path.strip("/")
    return [folder, *(p for p in folder.parents if p.is_relative_to(root))]


def _quota_v2(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _quota_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        return quota / int((folder / "cpu.cfs_period_us").read_text()) if quota > 0 else None
    except (OSError, ValueError):
        return None
