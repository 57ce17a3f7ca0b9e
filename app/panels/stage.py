"""From where the scene is looked at, and what is shown of it besides its surface."""

from __future__ import annotations

from app.gui import dpg
from app.orbit_camera import SIDES
from app.panels.widgets import dim_text, explain, section, show_text
from app.state import AppState
from app.viewport import Viewport

FREE = "Look from…"


class StagePanel:
    """Drives ``viewport``."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        with section("Camera and stage", "stage"):
            with dpg.group(horizontal=True):
                dpg.add_combo(
                    [side.capitalize() for side in SIDES], tag="side_seen", default_value=FREE,
                    width=150, callback=self._from_side,
                )
                explain("side_seen", "The sides of the upright frame; keys 1, 3 and 7 of the "
                        "number pad, with Ctrl the opposite ones.")
                dpg.add_checkbox(label="Parallel", tag="parallel", callback=self._project)
                explain("parallel", "Without perspective, as on a drawing; P.")
            with dpg.group(horizontal=True):
                for tag, label in (("cameras_shown", "Cameras"), ("points_shown", "Points"),
                                   ("ground_shown", "Ground")):
                    dpg.add_checkbox(label=label, tag=tag, callback=self._show)
            dpg.add_checkbox(label="Mesh in its colours", tag="mesh_colored", callback=self._show)
            dim_text("live_mesh", show=False)

    def _from_side(self) -> None:
        self._viewport.looking.from_side(dpg.get_value("side_seen").lower())
        dpg.set_value("side_seen", FREE)

    def _project(self) -> None:
        camera = self._viewport.looking.camera
        if camera.parallel != dpg.get_value("parallel"):
            self._viewport.looking.toggle_projection()

    def _show(self) -> None:
        stage = self._viewport.stage
        stage.cameras_shown = dpg.get_value("cameras_shown")
        stage.points_shown = dpg.get_value("points_shown")
        stage.ground_shown = dpg.get_value("ground_shown")
        self._viewport.showing.mesh_colored = dpg.get_value("mesh_colored")
        self._viewport.redraw()

    def update(self) -> None:
        """Once per frame: keys and the life of the scene change these too."""
        stage = self._viewport.stage
        for tag, value in (
            ("parallel", self._viewport.looking.camera.parallel),
            ("cameras_shown", stage.cameras_shown), ("points_shown", stage.points_shown),
            ("ground_shown", stage.ground_shown),
        ):
            if dpg.get_value(tag) != value:
                dpg.set_value(tag, value)

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        mesh = state.mesh
        text = "" if mesh is None else (
            f"{mesh.n_faces:,} triangles, {mesh.cells} cells across"
            + (", as exported" if mesh.finished else ", a quick cut")
        )
        show_text("live_mesh", text)
