"""SIGTERM, SIGHUP and Ctrl+C save the work and say how to go on, in every stage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.base.interrupts import Interrupted, catch_signals, defer_signals
from core.base.jobs import Progress, run_task
from core.project.store import is_project, unfinished_step
from tests.app.screen import wait_until

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "assets" / "sample"
ENDING_S = 30
"""A process that is stopped ends long before; how fast is measured by benchmarks."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")


def _hear_hang_ups() -> None:
    """As in a terminal, even where the tests themselves run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Command:
    """``main.py`` with ``arguments`` as a process of its own, its error stream in a file."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._log = folder / "stderr"
        homes = {
            f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "DATA", "STATE")
        }
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "main.py", *map(str, arguments)],
                cwd=folder,
                stderr=log,
                stdout=log,
                env=os.environ | homes,
                start_new_session=True,
                preexec_fn=_hear_hang_ups,
            )

    def until(self, words: str) -> None:
        """Wait until it has said so."""
        wait_until(lambda: words in self.said() or self.process.poll() is not None, 60.0)
        assert words in self.said()

    def said(self) -> str:
        return self._log.read_text()

    def stopped(self, number: int) -> str:
        """Send the signal to the whole group, as terminals and service managers do; the last
        line."""
        os.killpg(self.process.pid, number)
        assert self.process.wait(ENDING_S) == 128 + number, self.said()
        assert "Traceback" not in self.said()
        assert "***" not in self.said(), "a native stack trace"
        return self.said().splitlines()[-1]


@pytest.fixture
def command(tmp_path):
    started = []

    def start(*arguments):
        started.append(Command(tmp_path, *arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


TRAIN = ("--steps", 100_000, "--device", "cpu", "--mesh-resolution", 48)


@pytest.mark.slow
def test_training_is_saved_and_goes_on(command, tmp_path):
    out = tmp_path / "out"
    training = command("reconstruct", SAMPLE, "-o", out, *TRAIN)
    training.until("train ")
    time.sleep(1.0)  # a few steps
    last = training.stopped(signal.SIGTERM)
    assert last.startswith("gradina: stopped by SIGTERM")
    assert "--resume goes on" in last
    step = unfinished_step(out / "project")
    assert step is not None
    assert step > 0

    again = command("reconstruct", SAMPLE, "-o", out, *TRAIN)
    assert again.process.wait(60) == 1
    assert f"was stopped at step {step}. Add --resume to go on with it" in again.said()
    assert unfinished_step(out / "project") == step

    resumed = command("reconstruct", SAMPLE, "-o", out, *TRAIN, "--resume")
    resumed.until("train ")
    time.sleep(1.0)
    assert "SIGHUP" in resumed.stopped(signal.SIGHUP)
    assert (unfinished_step(out / "project") or 0) >= step

    whole = command(
        "reconstruct",
        SAMPLE,
        "-o",
        tmp_path / "whole",
        "--steps",
        20,
        "--device",
        "cpu",
        "--mesh-resolution",
        32,
    )
    assert whole.process.wait(120) == 0
    project = tmp_path / "whole" / "project"
    before = set(tmp_path.iterdir())
    export = command(
        "export", project, "-o", tmp_path / "mesh.ply", "--mesh-resolution", 900, "--device", "cpu"
    )
    export.until("working")
    time.sleep(0.5)
    assert export.stopped(signal.SIGTERM).endswith("no mesh was written")
    assert set(tmp_path.iterdir()) == before, "no mesh, and nothing temporary"
    assert is_project(project)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_solving_stops_with_its_child(command, tmp_path, name):
    solving = command("poses", SAMPLE / "train", "-o", tmp_path / "poses")
    assert wait_until(lambda: len(children(solving.process.pid)) > 0, 60.0)
    time.sleep(1.0)
    (solver,) = children(solving.process.pid)
    last = solving.stopped(getattr(signal, name))
    assert f"stopped by {name}; no poses were written" in last
    assert wait_until(lambda: not Path(f"/proc/{solver}").exists(), 10.0)


@pytest.mark.slow
def test_opening_can_be_stopped(command, tmp_path):
    opening = command("reconstruct", SAMPLE, "-o", tmp_path / "out", *TRAIN)
    opening.until("open ")
    assert "nothing was trained yet" in opening.stopped(signal.SIGTERM)
    assert not list((tmp_path / "out").rglob("*.obj"))


def children(pid: int) -> list[int]:
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(line) for line in out.stdout.split()]


def test_a_signal_waits_for_work_that_is_not_to_be_cut():
    done = []

    def work():
        with defer_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("inner")
        done.append("after")

    with pytest.raises(Interrupted) as stopped, catch_signals():
        work()
    assert done == ["inner"]
    assert stopped.value.status == 143
    assert str(stopped.value) == "SIGTERM"


def test_a_signal_that_a_library_swallows_comes_again_with_the_next_slice():
    done = []

    def task():
        for i in range(3):
            try:
                if i == 0:
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(1.0)
            except BaseException:
                done.append("swallowed")
            yield Progress(0.5)
        done.append("worked on")

    with pytest.raises(Interrupted), catch_signals():
        run_task(task())
    assert done == ["swallowed"]


def test_but_not_for_ever(monkeypatch):
    monkeypatch.setattr("core.base.interrupts.GRACE_PERIOD_S", 0.05)

    @defer_signals()
    def work():
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            time.sleep(0.01)

    with pytest.raises(Interrupted), catch_signals():
        work()


SECOND = """
import os, signal, time
from core.base.interrupts import catch_signals
with catch_signals():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        print("saving", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
"""
IGNORED = """
import json, os, signal
from core.base.interrupts import catch_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
with catch_signals():
    os.kill(os.getpid(), signal.SIGHUP)
print(json.dumps("lived"))
"""


def test_a_second_signal_ends_at_once():
    done = subprocess.run(
        [sys.executable, "-c", SECOND], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 143
    assert done.stdout == "saving\n"


def test_a_signal_that_is_ignored_stays_so():
    done = subprocess.run(
        [sys.executable, "-c", IGNORED], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert json.loads(done.stdout) == "lived"
