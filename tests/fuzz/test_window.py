"""A short run of the real window under random clicks, the same in every run."""

import shutil
import sys

import pytest

from tests.app.conftest import TOOLS
from tests.fuzz.window import WindowMachine, run, screen


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    sys.platform != "linux" or any(shutil.which(tool) is None for tool in TOOLS),
    reason=f"the window is tested on a virtual screen; wanted: {', '.join(TOOLS)}",
)
def test_a_window_survives_any_clicks_and_saves_what_it_shows():
    with screen():
        run(n_actions=60, seed=0)
    assert "are the same" in WindowMachine.report[0]
