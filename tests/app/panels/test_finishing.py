"""What a mesh is for sets its options, which can then be changed one by one."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.panels.finishing import FinishingOptions
from app.panels.mesh import MeshPanel, mesh_preview_text, preview_options_of
from app.platform.gui import dpg
from app.state import AppState, reduce
from app.widgets.widgets import set_choice, set_tip
from core.config.mesh import PURPOSES, TEXTURED_FACES, MeshOptions
from core.geometry.view import IDENTITY, MeshPreviewOptions
from core.protocol import Arrangement, ExcludedPhotos, MeshReady


@pytest.fixture
def filled() -> Iterator[list[MeshOptions]]:
    dpg.create_context()
    yield []
    dpg.destroy_context()


def finishing(filled):
    with dpg.window():
        return FinishingOptions(filled.append, lambda: None)


def decide(use):
    set_choice("purpose", use)
    dpg.get_item_callback("purpose")()


def test_without_a_purpose_a_mesh_is_as_the_panel_says(filled):
    asked = MeshOptions(300, 7, "ply", "y")
    assert finishing(filled).apply_to(asked) == asked


def test_a_purpose_fills_in_all_and_each_can_be_changed(filled):
    panel = finishing(filled)
    decide("game")
    game = PURPOSES["game"]
    assert filled == [game]
    assert panel.apply_to(game) == replace(game, lods=1)
    dpg.set_value("texture", False)
    plain = panel.apply_to(game)
    assert not plain.texture
    assert not plain.normal_map, "it would lie on the texture"
    decide("print")
    assert dpg.get_value("watertight")
    assert panel.apply_to(PURPOSES["print"]) == PURPOSES["print"]
    decide("any")
    assert filled[-1] == MeshOptions()
    assert panel.apply_to(MeshOptions()) == MeshOptions()


class Worker:
    """Keeps what it is sent."""

    def __init__(self):
        self.sent = []
        self.send = self.sent.append


def test_what_is_weighed_is_the_export_whatever_its_unit(filled):
    """What there is no size for in millimetres still has triangles."""
    dpg.add_theme(tag="primary")
    worker = Worker()
    with dpg.window():
        panel = MeshPanel(worker, lambda: None, lambda: None)  # type: ignore[arg-type]
    set_tip("mesh_density", "")
    panel.draw_panel(replace(AppState(), allowed=("export",)))
    decide("print")
    dpg.get_item_callback("export")()
    *_, asked, export = worker.sent
    assert export.options.unit == "mm"
    assert asked.options == replace(export.options, unit="")
    assert asked.options.watertight


def test_the_mesh_that_is_shown_is_cut_as_the_export_is():
    assert preview_options_of(MeshOptions()) == MeshPreviewOptions()
    assert preview_options_of(MeshOptions(texture=True)).faces == TEXTURED_FACES
    assert preview_options_of(PURPOSES["game"]).faces == PURPOSES["game"].faces
    assert preview_options_of(PURPOSES["print"]).watertight
    assert preview_options_of(PURPOSES["archive"]) == MeshPreviewOptions(
        512, 200_000, unseen="keep"
    )


@pytest.mark.parametrize(
    ("wanted", "step", "same"),
    [
        (MeshOptions(), 7, True),
        (MeshOptions(format="glb", axes="y"), 7, True),
        (MeshOptions(), 8, False),
        (MeshOptions(levels=3), 7, False),
        (MeshOptions(resolution=300), 7, False),
        (MeshOptions(faces=100), 7, False),
        (MeshOptions(watertight=True), 7, False),
        (MeshOptions(refine=True), 7, False),
        (MeshOptions(format="glb", max_bytes=5_000_000), 7, False),
    ],
)
def test_it_says_whether_an_export_would_be_the_same(wanted, step, same):
    shown = MeshReady("", 3, 1, MeshPreviewOptions(), None, 7, finished=True)
    assert mesh_preview_text(shown, step, wanted).endswith("same as the export") is same


@pytest.mark.parametrize(
    "edit",
    [
        Arrangement((IDENTITY,), IDENTITY, IDENTITY, "", IDENTITY),
        ExcludedPhotos(("a.png",)),
    ],
)
def test_after_an_edit_nothing_is_said_of_the_mesh_before(edit):
    shown = MeshReady("", 3, 1, MeshPreviewOptions(), None, 7, finished=True)
    assert reduce(AppState(mesh=shown), edit).mesh is None
