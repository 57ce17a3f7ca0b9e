"""What a mesh is for sets its options, which can then be changed one by one."""

from collections.abc import Iterator

import pytest

from app.gui import dpg
from app.panels.finishing import Finishing
from app.panels.widgets import choose
from core.config import PURPOSES, MeshOptions


@pytest.fixture
def filled() -> Iterator[list[MeshOptions]]:
    dpg.create_context()
    yield []
    dpg.destroy_context()


def finishing(filled):
    with dpg.window():
        return Finishing(filled.append)


def decide(use):
    choose("purpose", use)
    dpg.get_item_callback("purpose")()


def test_without_a_purpose_a_mesh_is_as_the_panel_says(filled):
    asked = MeshOptions(300, 7, "ply", "y")
    assert finishing(filled).finished(asked, None, 1) == asked


def test_a_purpose_fills_in_all_and_each_can_be_changed(filled):
    panel = finishing(filled)
    decide("game")
    game = PURPOSES["game"]
    assert filled == [game]
    assert panel.finished(game, None, game.lods) == game
    assert panel.finished(game, 500, 2).faces == 500, "fewer than the purpose has"
    dpg.set_value("texture", False)
    plain = panel.finished(game, None, 1)
    assert not plain.texture
    assert not plain.normal_map, "it would lie on the texture"
    decide("print")
    assert dpg.get_value("watertight")
    assert panel.finished(PURPOSES["print"], None, 1) == PURPOSES["print"]
    decide("any")
    assert filled[-1] == MeshOptions()
    assert panel.finished(MeshOptions(), None, 1) == MeshOptions()
