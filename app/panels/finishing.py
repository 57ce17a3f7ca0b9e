"""Export presets of a mesh, its unit, and its switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from app.platform.gui import dpg
from app.widgets.widgets import add_choice, get_choice, set_choice
from core.config.mesh import PURPOSES, MeshOptions, Purpose

SCENE_UNIT = "own"
"""The choice of the unit that the scene itself has."""


class FinishingOptions:
    """The export preset, the unit and the switches of a mesh export."""

    def __init__(
        self, on_purpose: Callable[[MeshOptions], None], on_changed: Callable[[], None]
    ) -> None:
        """Build the widgets.

        Args:
            on_purpose: Gets the options of an export preset that was chosen.
            on_changed: Called after any other change.
        """
        self._on_purpose = on_purpose
        self._base = MeshOptions()
        with dpg.group(horizontal=True):
            add_choice("purpose", self._apply_purpose, width=166)
            add_choice("mesh_unit", on_changed, width=-1)
        for row in (("texture", "normal_map"), ("watertight", "refine")):
            with dpg.group(horizontal=True):
                for tag in row:
                    dpg.add_checkbox(tag=tag, callback=lambda: on_changed())

    def _apply_purpose(self) -> None:
        base = self._base = PURPOSES.get(cast(Purpose, get_choice("purpose")), MeshOptions())
        set_choice("mesh_unit", base.unit or SCENE_UNIT)
        for tag, value in (
            ("texture", base.texture),
            ("normal_map", base.normal_map),
            ("watertight", base.watertight),
            ("refine", base.refine),
        ):
            dpg.set_value(tag, value)
        self._on_purpose(base)

    def apply_to(self, options: MeshOptions) -> MeshOptions:
        """Return ``options`` with the choices made here, for a single file."""
        base, unit = self._base, get_choice("mesh_unit")
        texture = dpg.get_value("texture")
        return replace(
            base,
            resolution=options.resolution,
            levels=options.levels,
            format=options.format,
            axes=options.axes,
            density=options.density,
            lods=1,
            texture=texture,
            normal_map=texture and dpg.get_value("normal_map"),
            watertight=dpg.get_value("watertight"),
            refine=dpg.get_value("refine"),
            unit="" if unit == SCENE_UNIT else unit,
        )
