"""How a mesh is finished: what it is for, and what is chosen apart from that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.gui import dpg
from app.panels.widgets import explain
from core.config import PURPOSES, MeshOptions, Purpose

USES: dict[str, Purpose | None] = {
    "For any use": None, "For a game": "game", "For an archive": "archive",
    "For 3D printing": "print", "For a web page": "web",
}
UNITS = {"its own unit": "", "mm": "mm", "cm": "cm", "m": "m", "inches": "in", "feet": "ft"}


class Finishing:
    """``filled`` gets the options of the purpose that was chosen."""

    def __init__(self, filled: Callable[[MeshOptions], None]) -> None:
        self._filled = filled
        self._base = MeshOptions()
        with dpg.group(horizontal=True):
            dpg.add_combo(
                list(USES), tag="purpose", width=166, default_value=next(iter(USES)),
                callback=self._chosen,
            )
            explain("purpose", "Sets all of this as that use wants it. A print is closed and in "
                    "millimetres, which needs a known length; a web page wants few bytes.")
            dpg.add_combo(list(UNITS), tag="mesh_unit", width=-1, default_value=next(iter(UNITS)))
            explain("mesh_unit", "Lengths of the mesh; other units need a known scale, see Region "
                    "and frame.")
        with dpg.group(horizontal=True):
            for tag, label, words in (
                ("texture", "Texture", "Painted from the photos, instead of a colour for each "
                 "vertex. Takes minutes."),
                ("normal_map", "Relief", "Fine relief of the full mesh as a normal map; wants a "
                 "texture."),
                ("watertight", "Closed", "Closed where the region cuts it, at its base above all."),
            ):
                dpg.add_checkbox(label=label, tag=tag)
                explain(tag, words)

    def _chosen(self) -> None:
        purpose = USES[dpg.get_value("purpose")]
        base = self._base = PURPOSES[purpose] if purpose else MeshOptions()
        unit = next(words for words, unit in UNITS.items() if unit == base.unit)
        for tag, value in (("mesh_unit", unit), ("texture", base.texture),
                           ("normal_map", base.normal_map), ("watertight", base.watertight)):
            dpg.set_value(tag, value)
        self._filled(base)

    def finished(self, options: MeshOptions, faces: int | None, lods: int) -> MeshOptions:
        """``options`` with what is chosen here; at most so many ``faces``, None for as many as the
        purpose has."""
        base = self._base
        texture = dpg.get_value("texture")
        return replace(
            base, resolution=options.resolution, levels=options.levels, format=options.format,
            axes=options.axes, lods=lods, texture=texture,
            faces=min(filter(None, (faces, base.faces)), default=None),
            normal_map=texture and dpg.get_value("normal_map"),
            watertight=dpg.get_value("watertight"), unit=UNITS[dpg.get_value("mesh_unit")],
        )
