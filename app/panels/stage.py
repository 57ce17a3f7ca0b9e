"""From where the scene is looked at, and what is shown of it besides its surface."""

from __future__ import annotations

from app.platform.gui import dpg
from app.viewport.viewport import Viewport
from app.widgets.widgets import choice, choose, chosen, dim_text, section, show_text

FREE = "free"
"""From none of the sides in particular."""


class StagePanel:
    """Drives ``viewport``."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        with section("stage"):
            with dpg.group(horizontal=True):
                choice("side_seen", self._from_side, width=150)
                dpg.add_checkbox(tag="parallel", callback=self._project)
            with dpg.group(horizontal=True):
                for tag in ("cameras_shown", "points_shown", "ground_shown"):
                    dpg.add_checkbox(tag=tag, callback=self._show)
            dpg.add_checkbox(tag="mesh_colored", callback=self._show)
            dim_text("live_mesh", show=False)

    def _from_side(self) -> None:
        side = chosen("side_seen")
        if side != FREE:
            self._viewport.looking.from_side(side)
            choose("side_seen", FREE)

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
            ("cameras_shown", stage.cameras_shown),
            ("points_shown", stage.points_shown),
            ("ground_shown", stage.ground_shown),
        ):
            if dpg.get_value(tag) != value:
                dpg.set_value(tag, value)

    def tell(self, mesh: str) -> None:
        """Say what is shown of the ``mesh``."""
        show_text("live_mesh", mesh)
