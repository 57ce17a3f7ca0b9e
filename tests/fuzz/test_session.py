"""A short run of the session under random commands, the same in every run."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.session import SessionMachine, workplace


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_session_survives_any_commands_and_tells_what_is_so():
    with workplace():
        run_state_machine_as_test(SessionMachine, settings=settings.get_profile("session"))
        tally = SessionMachine.tally
    assert tally.n_commands > 100
    assert {"Opened", "TrainingStats"} <= set(tally.events), "it got somewhere"
