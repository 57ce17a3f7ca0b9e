"""The worker process as the window starts it, with the toy session inside."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.engine import worker
from core.geometry.view import View
from core.protocol import (
    Failure,
    Open,
    Opened,
    Pause,
    PreviewReady,
    SetView,
    Shutdown,
    Start,
    StateChanged,
    TrainingStats,
    decode_event,
    encode,
)
from core.protocol.pixel_ring import PreviewRing

TOY = "tests.app.toy_session:ToySession"
ROOT = Path(__file__).parents[3]


class Running:
    """One worker process and both ends of its pipe and ring."""

    def __init__(self, session: str = TOY):
        context = multiprocessing.get_context("spawn")
        self.ring = PreviewRing.create()
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=worker.main, args=(theirs, self.ring.name, session, "cpu"), daemon=True
        )
        self.process.start()
        theirs.close()

    def send(self, *commands):
        for command in commands:
            self.pipe.send_bytes(encode(command))

    def until(self, kind, holds=lambda event: True, seconds=30.0):
        """The first event of ``kind`` that ``holds``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.pipe.poll(0.1):
                event = decode_event(self.pipe.recv_bytes())
                if isinstance(event, kind) and holds(event):
                    return event
        raise AssertionError(f"no {kind.__name__} came")

    def end(self):
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.pipe.close()
        self.ring.close()


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    runs = []

    def started(session=TOY):
        runs.append(Running(session))
        return runs[-1]

    yield started
    for run in runs:
        run.end()


def _view(view_id, moving=False):
    pose = np.eye(4)
    pose[2, 3] = -3.0
    numbers = tuple(pose.ravel().tolist())
    return SetView(View(view_id, numbers, 0.8, 96, 64, "color", None, moving))


def test_pixels_come_through_the_ring_and_the_last_view_wins(start, tmp_path):
    run = start()
    run.send(Open(str(tmp_path)))
    run.until(Opened)
    run.send(*(_view(i, moving=True) for i in range(1, 40)), _view(40))
    ready = run.until(PreviewReady, lambda event: event.view_id == 40 and event.final)
    slot = ready.slot, ready.sequence, ready.width, ready.height
    with run.ring.reading(*slot) as pixels:
        assert pixels is not None
        assert pixels.shape == (64, 96, 3)
        assert pixels.std() > 10
        del pixels


def test_it_runs_below_the_window_and_ends_when_told(start):
    run = start()
    run.until(StateChanged)
    assert os.getpriority(os.PRIO_PROCESS, run.process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
    run.send(Shutdown())
    run.process.join(5)
    assert run.process.exitcode == 0


def test_a_bug_is_reported_with_its_log_and_the_worker_carries_on(start, tmp_path):
    run = start()
    run.send(Open("/bug"))
    failure = run.until(Failure)
    assert "RuntimeError: a bug on purpose" in str(failure.text)
    assert "\n" not in str(failure.text)
    log = Path(str(failure.text).rpartition("see log ")[2])
    assert tmp_path in log.parents
    assert "Traceback" in log.read_text()
    run.send(Open(str(tmp_path)))
    run.until(Opened)


def test_a_bug_in_training_pauses_and_is_said_once(start, tmp_path):
    run = start("tests.core.engine.test_worker:BuggySession")
    run.send(Start())
    assert "while" not in str(run.until(Failure).text)
    run.until(StateChanged, lambda event: event.state == "paused")
    assert not run.pipe.poll(0.5), "the failure must not repeat"
    run.send(Start())
    run.until(Failure)


class BuggySession:
    """Its training fails at each slice of work."""

    def __init__(self, emit, show, device, show_photo):
        self._emit = emit
        self._state("ready")

    def _state(self, state):
        self.state = state
        self._emit(StateChanged(state, (), {}))

    def handle(self, command):
        self._state("paused" if isinstance(command, Pause) else "training")

    def work(self):
        if self.state != "ready":
            raise ValueError("a slice of work failed")
        return False

    def close(self):
        pass


def test_a_session_that_cannot_be_made_is_said_before_the_worker_ends(start):
    run = start("tests.core.engine.test_worker:nothing_of_this_name")
    assert "AttributeError" in str(run.until(Failure).text)
    run.process.join(5)
    assert run.process.exitcode == 1


def test_garbage_in_the_pipe_is_survived(start, tmp_path):
    run = start()
    run.until(StateChanged)
    run.pipe.send_bytes(b"\xff\x00 no message")
    run.send(Open(str(tmp_path)))
    run.until(Opened)


def test_it_saves_and_ends_when_the_pipe_closes(start, tmp_path):
    run = start()
    run.send(Open(str(tmp_path)))
    run.until(Opened)
    run.send(Start())
    run.until(TrainingStats)
    run.pipe.close()
    run.process.join(5)
    assert not run.process.is_alive()
    assert int((tmp_path / "closed").read_text()) > 0


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
def test_it_saves_and_ends_when_a_service_manager_says_so(start, tmp_path):
    run = start()
    run.send(Open(str(tmp_path)))
    run.until(Opened)
    run.send(Start())
    run.until(TrainingStats)
    os.kill(run.process.pid, signal.SIGTERM)
    run.process.join(5)
    assert run.process.exitcode == 0
    assert int((tmp_path / "closed").read_text()) > 0


STUCK = """
import multiprocessing, sys, time
from core.engine import worker
from core.protocol.pixel_ring import PreviewRing
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ring = PreviewRing.create()
    mine, theirs = context.Pipe()
    process = context.Process(
        target=worker.main,
        args=(theirs, ring.name, "tests.core.engine.test_worker:StuckSession", "cpu"))
    process.start()
    mine.recv_bytes()
    print(process.pid, flush=True)
    time.sleep(60)
"""


class StuckSession(BuggySession):
    """Its first slice of work never ends."""

    def work(self):
        self._emit(StateChanged("training", (), {}))
        time.sleep(60)
        return True


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_stuck_worker_ends_within_two_seconds_of_its_parent(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", STUCK],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline and _alive(pid):
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
