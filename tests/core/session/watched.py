"""A session that keeps what it said and showed."""

from pathlib import Path

import numpy as np

from core import protocol as m
from core.config.run import RunOptions
from core.geometry.view import View
from core.session.session import Session
from tests.core.captures import look_at

STEPS = 40


class Watched:
    """A session, everything it said and every picture it showed."""

    def __init__(self, autosave: Path, **options):
        self.events: list[m.Event] = []
        self.pictures: list[tuple[int, tuple[int, ...], bool]] = []
        self.session = Session(
            self.events.append, self._show, "cpu", autosave_to=autosave, **options
        )

    def _show(self, image: np.ndarray, view: View, final: bool, *_: object) -> None:
        assert image.dtype == np.uint8
        self.pictures.append((view.view_id, image.shape, final))

    @property
    def state(self) -> str:
        return self.session.state

    def do(self, command: m.Command, until: str | None = None) -> list[m.Event]:
        """Send and, if ``until`` is given, work until in that state; the events on the way."""
        before = len(self.events)
        self.session.handle(command)
        if until is not None:
            self.work(lambda: self.state == until and not self.session.busy)
        return self.events[before:]

    def work(self, done) -> None:
        for _ in range(20000):
            if done():
                return
            self.session.work()
        raise AssertionError(f"still {self.state}: {self.events[-3:]}")

    def steps(self, n: int) -> None:
        trainer = self.session.trainer
        wanted = trainer.step_count + n
        self.work(lambda: trainer.step_count >= wanted)

    def train(self, photos: Path, steps: int = STEPS, until: str = "finished") -> None:
        self.do(m.Open(str(photos)), "ready")
        self.do(m.Start(RunOptions(steps=steps)), until)


def only(events, kind):
    found = [e for e in events if isinstance(e, kind)]
    assert len(found) == 1, events
    return found[0]


def failures(events):
    return [str(e.text) for e in events if isinstance(e, m.Failure)]


def view(view_id=1, width=64, height=48, moving=False):
    pose = look_at(np.array([0.0, -3, 0.5]), np.zeros(3))
    numbers = tuple(pose.ravel().tolist())
    return m.SetView(View(view_id, numbers, 0.8, width, height, moving=moving))
