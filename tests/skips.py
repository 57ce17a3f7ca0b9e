"""Which skipped tests CI accepts: with ``--strict-skips`` any other skip is a failure.

A pytest plugin that `tests.conftest` loads.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Generator

import pytest

_ELSEWHERE = {  # what Linux has and another system lacks
    "no such signals|kills with a signal|size of files as POSIX does": sys.platform == "win32",
    "NVIDIA has no compiler for macOS": sys.platform == "darwin",
    "elsewhere there is always a (display|desktop)": sys.platform != "linux",
    "the window is tested on a virtual screen": sys.platform != "linux",
    "looks into /dev/shm|counts processes by /proc": sys.platform != "linux",
    "this system has no affinity|a choice of GNU's C library": sys.platform != "linux",
}
ACCEPTED = {
    "no NVIDIA GPU can be used": True,  # few machines of CI have one
    "the shared captures are not here": True,  # too large for the repository
    "node is not installed|gltf-validator is not installed": shutil.which("npm") is None,
} | _ELSEWHERE
"""By a pattern of its reason, whether a skip is accepted on this machine."""


def is_accepted(reason: str) -> bool:
    return any(accepted and re.search(pattern, reason) for pattern, accepted in ACCEPTED.items())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips",
        action="store_true",
        help="fail tests that are skipped for a reason that tests/skips.py does not accept",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.config.getoption("strict_skips"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if collector.config.getoption("strict_skips"):
        _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if not is_accepted(reason):
            report.outcome = "failed"
            report.longrepr = f"{reason}\nThis skip is not accepted; see tests/skips.py"
