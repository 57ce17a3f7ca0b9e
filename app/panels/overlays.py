"""The camera, and what is drawn around the surface."""

from __future__ import annotations

from app.platform.gui import dpg
from app.viewport.viewport import Viewport
from app.widgets.widgets import add_choice, add_dim_text, get_choice, section, set_choice, set_text

NO_SIDE = "free"
"""The choice of none of the standard views."""


class OverlaysPanel:
    """Standard views, projection, and switches of the overlay."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        with section("overlays"):
            with dpg.group(horizontal=True):
                add_choice("standard_view", self._from_side, width=150)
                dpg.add_checkbox(tag="orthographic", callback=self._project)
            with dpg.group(horizontal=True):
                for tag in ("show_cameras", "show_points", "show_grid"):
                    dpg.add_checkbox(tag=tag, callback=self._show)
            dpg.add_checkbox(tag="mesh_colored", callback=self._show)
            add_dim_text("mesh_preview", show=False)

    def _from_side(self) -> None:
        side = get_choice("standard_view")
        if side != NO_SIDE:
            self._viewport.controller.look_from_side(side)
            set_choice("standard_view", NO_SIDE)

    def _project(self) -> None:
        camera = self._viewport.controller.camera
        if camera.parallel != dpg.get_value("orthographic"):
            self._viewport.controller.toggle_projection()

    def _show(self) -> None:
        overlay = self._viewport.overlay
        overlay.show_cameras = dpg.get_value("show_cameras")
        overlay.show_points = dpg.get_value("show_points")
        overlay.show_grid = dpg.get_value("show_grid")
        self._viewport.display.mesh_colored = dpg.get_value("mesh_colored")
        self._viewport.redraw()

    def sync(self) -> None:
        """Show changes that keys and the scene made; once per frame."""
        overlay = self._viewport.overlay
        for tag, value in (
            ("orthographic", self._viewport.controller.camera.parallel),
            ("show_cameras", overlay.show_cameras),
            ("show_points", overlay.show_points),
            ("show_grid", overlay.show_grid),
        ):
            if dpg.get_value(tag) != value:
                dpg.set_value(tag, value)

    def set_mesh_text(self, mesh: str) -> None:
        """Show the description of the mesh preview."""
        set_text("mesh_preview", mesh)
