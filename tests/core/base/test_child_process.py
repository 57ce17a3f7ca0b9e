"""Child processes import this program, and nothing that lies in the current directory."""

import math
import re
from pathlib import Path

import pytest

from app.worker_client import WorkerClient
from core.base.errors import UserError
from core.base.jobs import run_task
from core.base.subprocess_call import run_in_subprocess
from core.capture.poses.solve import solve_poses
from core.protocol import StateChanged
from tests.app.screen import wait_until
from tests.core.captures import noise_photo

ROOT = Path(__file__).parents[3]
DECOYS = ("core", "app", "numpy", "pycolmap", "pickle", "threading", "multiprocessing", "signal")


@pytest.fixture
def decoys(tmp_path, monkeypatch):
    """The current directory holds packages of common names, whose import leaves a trace. A person's
    PYTHONPATH names it, too."""
    folder = tmp_path / "photos"
    for name in DECOYS:
        package = folder / name / "__init__.py"
        package.parent.mkdir(parents=True)
        package.write_text(
            f"open({str(tmp_path / 'trace')!r}, 'a').write({name!r} + ' ')\n"
            "raise SystemExit('a decoy was imported')\n"
        )
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(folder)
    yield folder
    trace = tmp_path / "trace"
    assert not trace.exists(), f"imported from the current directory: {trace.read_text()}"


def test_the_process_for_one_call(decoys):
    assert run_task(run_in_subprocess(math.sqrt, 9.0, detail="a root", expected_s=1.0)) == 3.0


def test_the_pose_solver(decoys):
    for i in range(3):
        noise_photo(decoys / f"{i}.jpg", i, (400, 300))
        (decoys / f"{i}.jpg").write_bytes((decoys / f"{i}.jpg").read_bytes()[:1000])
    with pytest.raises(UserError, match="only 0 usable photos"):
        run_task(solve_poses(decoys, decoys / "work"))


def test_the_window_s_worker(decoys):
    client, events = WorkerClient("core.session.session:Session", "cpu"), []

    def is_ready() -> bool:
        events.extend(client.events())
        return any(isinstance(event, StateChanged) for event in events)

    client.start()
    try:
        assert wait_until(is_ready, 60.0)
    finally:
        client.stop(5.0)


def test_nothing_else_starts_processes():
    starts = re.compile(r"subprocess\.(Popen|run|call|check)|get_context\(|os\.(exec|spawn|fork)")
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("core", "app")
        for path in (ROOT / folder).rglob("*.py")
        if starts.search(path.read_text())
    }
    assert found == {"core/base/child_process.py", "app/platform/dialogs.py"}, (
        "the desktop's own dialogs"
    )
