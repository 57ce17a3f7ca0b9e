"""What is ticked below the method is what a run is started with, and what an open one has."""

from types import SimpleNamespace

import pytest

from app import theme
from app.panels.training import TrainingPanel
from app.platform.gui import dpg
from core.config.run import RunOptions
from core.protocol import SetRunOptions, Start


@pytest.fixture
def sent():
    dpg.create_context()
    theme.apply_theme("dark", 1.0)
    yield []
    dpg.destroy_context()


def test_a_tick_is_sent_and_one_that_was_saved_is_shown(sent):
    with dpg.window():
        panel = TrainingPanel(SimpleNamespace(send=sent.append))
    panel._may_set_options = True
    for switch in ("wild", "unbounded"):
        dpg.set_value(switch, True)
        dpg.get_item_callback(switch)()
        panel.start()
        chosen = RunOptions("draft", 10.0, **{switch: True})
        assert [(type(c), c.choice) for c in sent] == [(SetRunOptions, chosen), (Start, chosen)]
        panel._show_options(RunOptions("draft"))
        assert not dpg.get_value(switch)
        panel._show_options(chosen)
        assert dpg.get_value(switch)
        dpg.set_value(switch, False)
        sent.clear()
