"""Region, orientation and scale of the scene."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np

from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import tr
from app.viewport.viewport import Viewport
from app.widgets.widgets import (
    BUTTON_WIDTH,
    Host,
    add_button,
    add_dim_text,
    section,
    set_enabled,
    set_text,
)
from core.config.mesh import Unit
from core.geometry.box import Box
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit
from core.geometry.rigid import invert, rotation_about_z, transform_points
from core.geometry.view import Point
from core.protocol import Arrangement, EditScene, Opened, Picked

UNITS: tuple[str, ...] = get_args(Unit)


class ScenePanel:
    """Numbers are in the upright frame and in its unit."""

    def __init__(self, host: Host, viewport: Viewport) -> None:
        self._host, self._viewport = host, viewport
        self._opened: Opened | None = None
        self._arrangement: Arrangement | None = None
        self._proposed: Box | None = None
        self._ends: tuple[Point, ...] = ()
        with section("scene"):
            self._build_region()
            self._build_frame()
            self._build_scale()

    def _build_region(self) -> None:
        with dpg.group(horizontal=True):
            dpg.add_checkbox(
                tag="show_region",
                default_value=True,
                callback=lambda: self._viewport.show_region(dpg.get_value("show_region")),
            )
            add_button("region_reset", self._reset, width=-1)
        dpg.add_input_floatx(tag="region_center", size=3, width=-76)
        dpg.add_input_floatx(tag="region_size", size=3, width=-76)
        dpg.add_input_float(tag="region_rotation", width=-76, step=0, format="%.1f°")
        with dpg.item_handler_registry(tag="region_edited"):
            dpg.add_item_deactivated_after_edit_handler(callback=self._on_region_typed)
        for field in ("region_center", "region_size", "region_rotation"):
            dpg.bind_item_handler_registry(field, "region_edited")

    def _build_frame(self) -> None:
        with dpg.group(horizontal=True):
            dpg.add_text(tr("scene.rotate"))
            for axis in ("x", "y", "z"):
                add_button(f"rotate_{axis}", lambda axis=axis: self._rotate(axis), width=64)
            add_button("pick_ground", self._start_ground_pick, width=-1)

    def _build_scale(self) -> None:
        with dpg.group(horizontal=True):
            add_button("measure", self._start_measure, width=BUTTON_WIDTH)
            dpg.add_input_float(
                tag="known_length", width=84, step=0, format="%.4g", default_value=1.0
            )
            dpg.add_combo(UNITS, tag="length_unit", width=60, default_value="m")
            add_button("set_scale", self._send_known_length, width=-1)
        add_dim_text("scene_hint", show=False)

    # --- what the person does -------------------------------------------------------------

    def _send(self, edit: RegionEdit | QuarterTurn | GroundPlane | KnownLength) -> None:
        self._host.send(EditScene(edit))

    def _rotate(self, axis: str) -> None:
        self._send(QuarterTurn(axis))  # type: ignore[arg-type]

    def _reset(self) -> None:
        if self._proposed is not None:
            self._send(RegionEdit(_matrix_of(self._proposed)))

    def _on_region_typed(self) -> None:
        """Send the region that was typed."""
        if self._arrangement is None:
            return
        turn = rotation_about_z(math.radians(dpg.get_value("region_rotation")))
        half = np.maximum(np.array(dpg.get_value("region_size")[:3]) / 2, 1e-9)
        box = Box.of(np.array(dpg.get_value("region_center")[:3]), half, turn)
        self._send(
            RegionEdit(_matrix_of(box.transformed(invert(_upright_matrix(self._arrangement)))))
        )

    def _start_ground_pick(self) -> None:
        self._show_hint(tr("scene.click_ground"))
        self._viewport.pick_point(self._on_ground_picked)

    def _on_ground_picked(self, picked: Picked) -> None:
        if picked.point is None or picked.normal is None:
            self._show_hint(tr("scene.no_ground"))
            self._viewport.pick_point(self._on_ground_picked)
            return
        self._show_hint("")
        self._send(GroundPlane(picked.point, picked.normal))

    def _start_measure(self) -> None:
        self._ends = ()
        self._viewport.set_markers(())
        self._show_hint(tr("scene.click_end"))
        self._viewport.pick_point(self._on_end_picked)

    def _on_end_picked(self, picked: Picked) -> None:
        if picked.point is None:
            self._show_hint(tr("scene.no_end"))
            self._viewport.pick_point(self._on_end_picked)
            return
        self._ends = (*self._ends, picked.point)
        self._viewport.set_markers(self._ends)
        if len(self._ends) == 1:
            self._show_hint(tr("scene.click_other_end"))
            self._viewport.pick_point(self._on_end_picked)
            return
        self._show_length()

    def _show_length(self) -> None:
        if len(self._ends) == 2 and self._arrangement is not None:
            a, b = transform_points(_upright_matrix(self._arrangement), np.array(self._ends))
            unit = self._arrangement.unit or tr("scene.units_of_input")
            self._show_hint(tr("scene.length", length=np.linalg.norm(a - b), unit=unit))

    def _send_known_length(self) -> None:
        if len(self._ends) < 2:
            self._start_measure()
            return
        a, b = self._ends
        length = float(dpg.get_value("known_length"))
        self._send(KnownLength(a, b, length, dpg.get_value("length_unit")))

    def cancel_picking(self) -> None:
        """Pick no point after all."""
        self._viewport.pick_point(None)
        self._show_hint("")

    def _show_hint(self, words: str) -> None:
        set_text("scene_hint", words)

    # --- what is so -----------------------------------------------------------------------

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        reason = state.reason("edit_scene")
        for tag in (
            "region_reset",
            "rotate_x",
            "rotate_y",
            "rotate_z",
            "pick_ground",
            "measure",
            "set_scale",
        ):
            set_enabled(tag, reason)
        for tag in (
            "region_center",
            "region_size",
            "region_rotation",
            "known_length",
            "length_unit",
        ):
            dpg.configure_item(tag, enabled=not reason)
        dpg.set_value("show_region", self._viewport.overlay.region.shown)
        if state.opened is not self._opened:
            self._opened, self._ends = state.opened, ()
            self._proposed = self._arrangement = None
            self._viewport.set_markers(())
            self._show_hint("")
        if state.arrangement is self._arrangement or state.arrangement is None:
            return
        self._arrangement = state.arrangement
        box = _region_box(state.arrangement)
        moved = np.reshape(state.arrangement.scene_from_old_scene, (4, 4))
        self._proposed = box if self._proposed is None else self._proposed.transformed(moved)
        self._ends = self._viewport.overlay.markers
        shown = box.transformed(_upright_matrix(state.arrangement))
        dpg.set_value("region_center", [*shown.center.tolist(), 0.0])
        dpg.set_value("region_size", [*(2 * shown.half).tolist(), 0.0])
        dpg.set_value(
            "region_rotation", math.degrees(math.atan2(shown.axes[1, 0], shown.axes[0, 0]))
        )
        self._show_length()


def _region_box(arranged: Arrangement) -> Box:
    return Box(np.reshape(arranged.region, (4, 4)))


def _upright_matrix(arranged: Arrangement) -> np.ndarray:
    return np.reshape(arranged.upright_from_scene, (4, 4))


def _matrix_of(box: Box) -> tuple[float, ...]:
    return tuple(box.frame_from_cube.ravel().tolist())
