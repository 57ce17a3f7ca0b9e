import re
from typing import get_args

import pytest

from core.protocol import State
from core.session.states import ACTIONS, allowed_now


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("exporting", [False, True])
@pytest.mark.parametrize("edited", [False, True])
def test_each_command_is_allowed_or_there_is_a_reason(state, exporting, edited):
    allowed, reasons = allowed_now(state, exporting, undo=edited, redo=edited)
    assert sorted([*allowed, *reasons]) == sorted(ACTIONS)
    assert all(re.fullmatch(r"[A-Z].*[^.]", str(reason)) for reason in reasons.values())
    if exporting:
        assert "cancel" in allowed
        assert {"export", "write_video", "open", "discard"} <= set(reasons)
