"""How a mesh is finished: what it is for, and what is chosen apart from that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.platform.gui import dpg
from app.widgets.widgets import choice, choose, chosen
from core.config.run import PURPOSES, MeshOptions

OWN = "own"
"""The unit of the scene itself."""


class Finishing:
    """``filled`` gets the options of the purpose that was chosen; ``changed`` is called after
    anything else was."""

    def __init__(self, filled: Callable[[MeshOptions], None], changed: Callable[[], None]) -> None:
        self._filled = filled
        self._base = MeshOptions()
        with dpg.group(horizontal=True):
            choice("purpose", self._chosen, width=166)
            choice("mesh_unit", changed, width=-1)
        for row in (("texture", "normal_map"), ("watertight", "refine")):
            with dpg.group(horizontal=True):
                for tag in row:
                    dpg.add_checkbox(tag=tag, callback=lambda: changed())

    def _chosen(self) -> None:
        base = self._base = PURPOSES.get(chosen("purpose"), MeshOptions())  # type: ignore[call-overload]
        choose("mesh_unit", base.unit or OWN)
        for tag, value in (
            ("texture", base.texture),
            ("normal_map", base.normal_map),
            ("watertight", base.watertight),
            ("refine", base.refine),
        ):
            dpg.set_value(tag, value)
        self._filled(base)

    def finished(self, options: MeshOptions) -> MeshOptions:
        """``options`` with what is chosen here, in one file."""
        base, unit = self._base, chosen("mesh_unit")
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
            unit="" if unit == OWN else unit,
        )
