"""A session in this process under random commands: ``python -m tests.fuzz.session [--minutes M]
[--seed S]``.

Every command with odd values of all that it carries, now and then one that is not allowed, and
after each as many slices of work as it comes. Fails where anything raises, or what was told is not
so, with the commands before it; ``--shrink`` looks for the fewest that do it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from core import protocol as m
from core.geometry.view import Matrix
from core.project.store import load_project
from core.session.session import Session
from core.training.presets import PRESETS
from tests.core.shaded_ball import TINY, WARM, quick_conversion, shaded_ball
from tests.fuzz.odd_commands import commands, one_of

MOST_SLICES = 20_000
"""Of work that a long task is waited for."""
slices = one_of(1, 0, 3, 10, 40, 150)
"""Of work after a command."""
waits = one_of(False, False, True)
"""Whether a long task under way is waited for."""
settings.register_profile(
    "session",
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


class Tally:
    """What a run of many examples did."""

    def __init__(self) -> None:
        self.n_commands = self.n_slices = 0
        self.events: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    def __str__(self) -> str:
        refused = "\n".join(f"{n} x {text}" for text, n in self.refusals.most_common(30))
        return (
            f"{self.n_commands} commands, {self.n_slices} slices of work\n"
            f"{dict(self.events)}\n{refused}"
        )


class SessionMachine(RuleBasedStateMachine):
    """A session in which something is open or nothing is. `workplace` prepares the class."""

    folder: Path
    captures: list[Path]
    tally = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(dir=self.folder))
        self.cameras: dict[str, Matrix] = {}
        self.told = m.StateChanged("empty", ("open",), {})
        self.step = 0
        """that was told last"""
        self._view_id = 0
        self.session = Session(self.hear, device="cpu", autosave_to=self.place / "autosave")

    def teardown(self) -> None:
        self.session.close()

    def hear(self, event: m.Event) -> None:
        """The window's part: every event passes the codec, and is remembered."""
        self.tally.events[type(event).__name__] += 1
        assert repr(m.decode_event(m.encode(event))) == repr(event)
        match event:
            case m.Opened():
                assert len(event.names) == event.n_photos + event.n_held_out
                self.cameras = dict(zip(event.names, event.arrangement.cameras))
            case m.Arrangement():
                assert np.isfinite(event.region).all()
                self.cameras = dict(zip(self.cameras, event.cameras))
            case m.StateChanged():
                self.told = event
            case m.TrainingStats():
                self.step = event.step
            case m.Failure():
                assert event.text
                self.tally.refusals[str(event.text).replace(str(self.place), "")] += 1
            case m.MeshReady():
                file = Path(event.path)
                assert file.exists()
                file.unlink()

    # --- what happens ----------------------------------------------------------------------

    @initialize(data=st.data(), opened=one_of(True, True, True, False), started=st.booleans())
    def begin(self, data: st.DataObject, opened: bool, started: bool) -> None:
        """Most examples have something open, and half of those train it."""
        for wanted, name in ((opened, "open"), (opened and started, "start")):
            if wanted:
                self.send(data.draw(self.commands()[name]))
                self.work(10, wait=True)

    @rule(data=st.data(), n=slices, wait=waits, anything=one_of(*[False] * 9, True))
    def command(self, data: st.DataObject, n: int, wait: bool, anything: bool) -> None:
        """A command that is allowed now, now and then one that need not be, and some work."""
        allowed = {*get_args(m.Action)} if anything else {*self.told.allowed, "view", "size"}
        self.draw_and_send(data, allowed)
        self.work(n, wait)

    @rule(n=slices, wait=waits)
    def only_work(self, n: int, wait: bool) -> None:
        """Nothing is asked for a while."""
        self.work(n, wait)

    @rule(data=st.data(), n=slices)
    def look(self, data: st.DataObject, n: int) -> None:
        """Another view, which can always be asked for."""
        self.draw_and_send(data, {"view"})
        self.work(n, wait=False)

    def commands(self) -> dict[str, st.SearchStrategy[m.Command]]:
        """What can be drawn now."""
        self._view_id += 1
        return commands(self.captures, self.place, self.cameras, self._view_id)

    def draw_and_send(self, data: st.DataObject, names: set[str]) -> None:
        """One of the named commands."""
        drawn = {name: make for name, make in self.commands().items() if name in names}
        if not self.cameras:
            drawn.pop("exclude_photos", None)
        self.send(data.draw(drawn[data.draw(st.sampled_from(sorted(drawn)))]))

    def send(self, command: m.Command) -> None:
        """Hand it to the session; what was saved is what is open."""
        self.tally.n_commands += 1
        step = self.session.trainer.step_count if self.session.trainer is not None else "-"
        note(f"{self.session.state}, step {step}: {type(command).__name__}")
        refused = self.tally.refusals.total()
        self.session.handle(command)
        if isinstance(command, m.Save) and self.tally.refusals.total() == refused:
            self.check_saved(Path(command.path))

    def check_saved(self, folder: Path) -> None:
        """The project on disk is the open one."""
        project, scene = load_project(folder), self.session.scene
        trainer = self.session.trainer
        assert scene is not None
        counters = project.tensors.get("counters")
        step = None if counters is None else int(counters[0])
        assert step == (None if trainer is None else trainer.step_count)
        saved = project.state.scene
        np.testing.assert_allclose(
            saved.region_in_scene.frame_from_cube, scene.region_in_scene.frame_from_cube, atol=1e-9
        )
        assert set(saved.excluded) == set(scene.excluded)

    def work(self, n: int, wait: bool) -> None:
        """``n`` slices, and then, where asked to ``wait``, until no long task is under way."""
        for _ in range(n):
            self.tally.n_slices += 1
            if not self.session.work():
                return
        for _ in range(MOST_SLICES):
            if not (wait and self.session.busy and self.session.work()):
                return
            self.tally.n_slices += 1
        raise AssertionError("the task does not end")

    # --- what holds ------------------------------------------------------------------------

    @invariant()
    def what_was_told_is_so(self) -> None:
        """The state, what can be done, and at rest the step."""
        session, told = self.session, self.told
        assert told.state == session.state
        assert (told.undo, told.redo) == (session.document.undo_name, session.document.redo_name)
        assert told.unsaved == session.document.is_dirty
        assert {*told.allowed} | {*told.reasons} == {*get_args(m.Action)}
        assert not {*told.allowed} & {*told.reasons}
        assert ("cancel" in told.allowed) == session.busy
        if session.state in ("training", "paused", "finished"):
            assert session.trainer is not None
        if session.state in ("paused", "finished") and session.trainer is not None:
            assert self.step == session.trainer.step_count


@contextmanager
def workplace() -> Iterator[None]:
    """A temporary folder with captures, and presets as small as they are."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))  # a left run is kept there
        quick_conversion(patch)
        for i, preset in enumerate(PRESETS):
            patch.setitem(PRESETS, preset, (WARM, TINY)[i % 2])
        SessionMachine.folder, SessionMachine.tally = folder, Tally()
        SessionMachine.captures = [
            shaded_ball(folder / "ball"),
            shaded_ball(folder / "other", n=9, masks=False),
            shaded_ball(folder / "few", n=5),
        ]
        yield


def main() -> int:
    """Examples with other seeds until the time is over; the first that fails ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=60, help="rules of an example")
    parser.add_argument("--shrink", action="store_true")
    arguments = parser.parse_args()
    phases = [Phase.generate, *([Phase.shrink] if arguments.shrink else [])]
    chosen = settings(
        settings.get_profile("session"),
        derandomize=False,
        stateful_step_count=arguments.steps,
        phases=phases,
        print_blob=True,
    )
    ends, seed = time.monotonic() + 60 * arguments.minutes, arguments.seed
    with workplace():
        while time.monotonic() < ends:
            machine = hypothesis.seed(seed)(SessionMachine)
            run_state_machine_as_test(machine, settings=chosen)
            seed += 1
    print(f"seeds {arguments.seed} to {seed - 1}: {SessionMachine.tally}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
