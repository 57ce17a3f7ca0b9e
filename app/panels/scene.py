"""Where the scene is: the region in numbers, what is up, and how long things are."""

from __future__ import annotations

import math

import numpy as np

from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import say
from app.viewport.viewport import Viewport
from app.widgets.widgets import BUTTON, Host, button, dim_text, enable, section, show_text
from core.geometry.box import Box
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit
from core.geometry.rigid import invert, rotation_about_z, transform_points
from core.geometry.view import Point
from core.protocol import Arrangement, EditScene, Opened, Picked

UNITS = ("m", "cm", "mm", "in", "ft")


class ScenePanel:
    """Numbers are in the upright frame and its unit."""

    def __init__(self, host: Host, viewport: Viewport) -> None:
        self._host, self._viewport = host, viewport
        self._opened: Opened | None = None
        self._arranged: Arrangement | None = None
        self._proposed: Box | None = None
        self._ends: tuple[Point, ...] = ()
        with section("scene"):
            self._build_region()
            self._build_frame()
            self._build_scale()

    def _build_region(self) -> None:
        with dpg.group(horizontal=True):
            dpg.add_checkbox(
                tag="region_shown",
                default_value=True,
                callback=lambda: self._viewport.show_region(dpg.get_value("region_shown")),
            )
            button("region_reset", self._reset, width=-1)
        dpg.add_input_floatx(tag="region_center", size=3, width=-76)
        dpg.add_input_floatx(tag="region_size", size=3, width=-76)
        dpg.add_input_float(tag="region_turn", width=-76, step=0, format="%.1f°")
        with dpg.item_handler_registry(tag="region_edited"):
            dpg.add_item_deactivated_after_edit_handler(callback=self._type)
        for field in ("region_center", "region_size", "region_turn"):
            dpg.bind_item_handler_registry(field, "region_edited")

    def _build_frame(self) -> None:
        with dpg.group(horizontal=True):
            dpg.add_text(say("scene.turn"))
            for axis in ("x", "y", "z"):
                button(f"turn_{axis}", lambda axis=axis: self._turn(axis), width=64)
            button("ground", self._ask_ground, width=-1)

    def _build_scale(self) -> None:
        with dpg.group(horizontal=True):
            button("measure", self._ask_ends, width=BUTTON)
            dpg.add_input_float(
                tag="known_length", width=84, step=0, format="%.4g", default_value=1.0
            )
            dpg.add_combo(UNITS, tag="unit", width=60, default_value="m")
            button("set_length", self._set_length, width=-1)
        dim_text("scene_words", show=False)

    # --- what the person does -------------------------------------------------------------

    def _send(self, edit: RegionEdit | QuarterTurn | GroundPlane | KnownLength) -> None:
        self._host.send(EditScene(edit))

    def _turn(self, axis: str) -> None:
        self._send(QuarterTurn(axis))  # type: ignore[arg-type]

    def _reset(self) -> None:
        if self._proposed is not None:
            self._send(RegionEdit(_numbers(self._proposed)))

    def _type(self) -> None:
        """The numbers became the region."""
        if self._arranged is None:
            return
        turn = rotation_about_z(math.radians(dpg.get_value("region_turn")))
        half = np.maximum(np.array(dpg.get_value("region_size")[:3]) / 2, 1e-9)
        box = Box.of(np.array(dpg.get_value("region_center")[:3]), half, turn)
        self._send(RegionEdit(_numbers(box.carried(invert(_upright(self._arranged))))))

    def _ask_ground(self) -> None:
        self._say(say("scene.click_ground"))
        self._viewport.pick(self._ground)

    def _ground(self, picked: Picked) -> None:
        if picked.point is None or picked.normal is None:
            self._say(say("scene.no_ground"))
            self._viewport.pick(self._ground)
            return
        self._say("")
        self._send(GroundPlane(picked.point, picked.normal))

    def _ask_ends(self) -> None:
        self._ends = ()
        self._viewport.mark(())
        self._say(say("scene.click_end"))
        self._viewport.pick(self._end)

    def _end(self, picked: Picked) -> None:
        if picked.point is None:
            self._say(say("scene.no_end"))
            self._viewport.pick(self._end)
            return
        self._ends = (*self._ends, picked.point)
        self._viewport.mark(self._ends)
        if len(self._ends) == 1:
            self._say(say("scene.click_other_end"))
            self._viewport.pick(self._end)
            return
        self._tell_length()

    def _tell_length(self) -> None:
        if len(self._ends) == 2 and self._arranged is not None:
            a, b = transform_points(_upright(self._arranged), np.array(self._ends))
            unit = self._arranged.unit or say("scene.units_of_input")
            self._say(say("scene.length", length=np.linalg.norm(a - b), unit=unit))

    def _set_length(self) -> None:
        if len(self._ends) < 2:
            self._ask_ends()
            return
        a, b = self._ends
        length = float(dpg.get_value("known_length"))
        self._send(KnownLength(a, b, length, dpg.get_value("unit")))

    def pick_nothing(self) -> None:
        """Whatever was to be picked, it no longer is."""
        self._viewport.pick(None)
        self._say("")

    def _say(self, words: str) -> None:
        show_text("scene_words", words)

    # --- what is so -----------------------------------------------------------------------

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        reason = state.reason("edit_scene")
        for tag in (
            "region_reset",
            "turn_x",
            "turn_y",
            "turn_z",
            "ground",
            "measure",
            "set_length",
        ):
            enable(tag, reason)
        for tag in ("region_center", "region_size", "region_turn", "known_length", "unit"):
            dpg.configure_item(tag, enabled=not reason)
        dpg.set_value("region_shown", self._viewport.stage.region.shown)
        if state.opened is not self._opened:
            self._opened, self._ends = state.opened, ()
            self._proposed = self._arranged = None
            self._viewport.mark(())
            self._say("")
        if state.arranged is self._arranged or state.arranged is None:
            return
        self._arranged = state.arranged
        box, moved = _region(state.arranged), np.reshape(state.arranged.moved, (4, 4))
        self._proposed = box if self._proposed is None else self._proposed.carried(moved)
        self._ends = self._viewport.stage.markers
        shown = box.carried(_upright(state.arranged))
        dpg.set_value("region_center", [*shown.center.tolist(), 0.0])
        dpg.set_value("region_size", [*(2 * shown.half).tolist(), 0.0])
        dpg.set_value("region_turn", math.degrees(math.atan2(shown.axes[1, 0], shown.axes[0, 0])))
        self._tell_length()


def _region(arranged: Arrangement) -> Box:
    return Box(np.reshape(arranged.region, (4, 4)))


def _upright(arranged: Arrangement) -> np.ndarray:
    return np.reshape(arranged.upright_from_scene, (4, 4))


def _numbers(box: Box) -> tuple[float, ...]:
    return tuple(box.frame_from_cube.ravel().tolist())
