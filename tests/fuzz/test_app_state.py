"""The window's state under any events with any content: it never fails and keeps its laws."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.state import (
    MAX_HISTORY,
    MAX_NOTICES,
    AppEvent,
    AppState,
    MessagesDismissed,
    OpenRequested,
    WorkerLost,
    WorkerStarted,
    reduce,
)
from app.text.status import phase_text, status_line, unsaved_text
from core import protocol as m
from tests.messages import TEXTS, values

own_events: st.SearchStrategy[AppEvent] = st.one_of(
    st.just(WorkerStarted()),
    st.builds(WorkerLost, st.none() | st.integers(-15, 127)),
    st.builds(OpenRequested, TEXTS),
    st.just(MessagesDismissed()),
)
events = {kind: values(kind) for kind in get_args(m.Event)}


class AppStateMachine(RuleBasedStateMachine):
    """The pure state, event after event."""

    def __init__(self) -> None:
        super().__init__()
        self.state = AppState()

    def after(self, event: AppEvent) -> None:
        """``event`` arrives; the state before it stays what it was."""
        before, copy = self.state, replace(self.state)
        self.state = reduce(before, event)
        assert before == copy

    @precondition(lambda self: self.state.engine != "lost")
    @rule(event=st.sampled_from(list(events)).flatmap(events.__getitem__))
    def any_event(self, event: m.Event) -> None:
        """From the worker, while there is one: `WorkerClient` drops what a lost one said."""
        self.after(event)

    @rule(event=own_events)
    def own_event(self, event: AppEvent) -> None:
        """From the window itself."""
        self.after(event)

    @precondition(lambda self: self.state.engine != "lost")
    @rule(stats=st.lists(events[m.TrainingStats], min_size=1, max_size=5), n=st.integers(1, 300))
    def a_run(self, stats: list[m.TrainingStats], n: int) -> None:
        """So much is told of a run that the history has to forget some."""
        for i in range(n):
            self.after(stats[i % len(stats)])

    @invariant()
    def histories_are_bounded_and_rise(self) -> None:
        """Whatever steps are told."""
        steps = self.state.history.steps
        assert len(steps) <= MAX_HISTORY
        assert list(steps) == sorted(set(steps))
        assert len(self.state.notices) <= MAX_NOTICES

    @invariant()
    def without_an_engine_only_opening_is_possible(self) -> None:
        """And there is nothing to lose."""
        if self.state.engine == "lost":
            assert self.state.may("open")
            assert self.state.opened is None
            assert not self.state.unsaved

    @invariant()
    def there_are_words_for_it(self) -> None:
        """The status is a line, and whatever is not allowed has a reason."""
        assert status_line(self.state)
        assert isinstance(phase_text(self.state), str)
        assert isinstance(unsaved_text(self.state), str)
        for action in get_args(m.Action):
            assert not (self.state.may(action) and self.state.reason(action))


AppStateMachine.TestCase.settings = settings(stateful_step_count=20)
TestAppState = AppStateMachine.TestCase


@given(st.lists(st.one_of(own_events, *events.values()), max_size=8), events[m.Opened])
def test_of_another_scene_nothing_is_left_when_one_opens(before, opened):
    state = AppState()
    for event in [*before, opened]:
        state = reduce(state, event)
    assert state.opened is opened
    assert (state.stats, state.preview, state.mesh, state.exported, state.poses) == (None,) * 5
    assert (state.failure, state.scores, state.history.steps) == ("", {}, ())
