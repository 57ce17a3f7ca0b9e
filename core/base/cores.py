"""How many processor cores this program may use; all else asks here.

The machine may have more than the process is allowed: by its CPU affinity (taskset, job
schedulers), by a limit of its cgroup (containers), or by a person (``--threads``, GRADINA_THREADS).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from core.base.errors import UserError
from core.base.text import Text, text, verbatim

THREADS_VARIABLE = "GRADINA_THREADS"
"""Environment variable that limits the number of threads."""
_CGROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def usable_cores() -> int:
    """Return the number of cores to use, at least 1.

    Raises:
        UserError: where GRADINA_THREADS is not a positive whole number.
    """
    return min(cores for cores, _ in _limits())


def describe_cores() -> Text:
    """Describe how many cores are used, and what limits them."""
    usable, reason = min(_limits(), key=lambda limit: limit[0])
    total = os.cpu_count() or 1
    if usable == total:
        return verbatim(total)
    return text("{usable} of {total} ({reason})", usable=usable, total=total, reason=reason)


def limit_library_threads() -> None:
    """Limit the threads of numba and of libraries that use OpenMP or OpenBLAS.

    They read these environment variables when they are loaded. What the user has set is kept; child
    processes inherit the variables.
    """
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(usable_cores()))


def _limits() -> Iterator[tuple[int, Text]]:
    """Yield each limit of the number of cores, and what sets it."""
    yield os.cpu_count() or 1, text("this machine")
    if hasattr(os, "sched_getaffinity"):
        yield len(os.sched_getaffinity(0)), text("CPU affinity")
    quota = cgroup_cores()
    if quota is not None:
        yield quota, text("limit of the cgroup")
    wanted = os.environ.get(THREADS_VARIABLE)
    if wanted:
        if not (wanted.isascii() and wanted.isdigit() and int(wanted) > 0):
            raise UserError(
                text(
                    "{variable}={value} is not a number of threads",
                    variable=THREADS_VARIABLE,
                    value=wanted,
                ),
                text("Set it to 1 or more, or not at all"),
            )
        yield int(wanted), verbatim(THREADS_VARIABLE)


def cgroup_cores(root: Path = _CGROUPS, own: Path = _OWN) -> int | None:
    """Return the CPU quota of this process's cgroup and its parents, version 2 or 1.

    Args:
        root: folder where cgroups are mounted.
        own: file that lists the cgroups of this process.

    Returns:
        The number of cores, rounded up; None where there is no quota.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    quotas: list[float | None] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            quotas += [_quota_v2(folder) for folder in _with_parents(root, path)]
        elif "cpu" in controllers.split(","):
            mount = next(
                (root / name for name in (controllers, "cpu") if (root / name).is_dir()), root
            )
            quotas += [_quota_v1(folder) for folder in _with_parents(mount, path)]
    limits = [quota for quota in quotas if quota is not None]
    return max(1, math.ceil(min(limits))) if limits else None


def _with_parents(root: Path, path: str) -> list[Path]:
    """Return the folder of the cgroup ``path`` and its parents, up to ``root``."""
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
