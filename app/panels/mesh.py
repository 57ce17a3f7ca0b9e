"""Finishing: the mesh to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.gui import dpg
from app.panels.widgets import Host, button, dim_text, enable, section, show_text
from app.state import AppState
from app.status import size
from core.config import Axes, MeshFormat, MeshOptions
from core.messages import Export, Opened

FORMATS: dict[str, MeshFormat] = {
    "OBJ": "obj", "PLY": "ply", "GLB": "glb", "STL": "stl", "USDZ": "usdz",
}
AXES: dict[str, Axes] = {"as input": "input", "Z up": "z", "Y up": "y"}


class MeshPanel:
    """``levels`` gives the level of detail chosen in the view panel (None: all)."""

    def __init__(self, host: Host, levels: Callable[[], int | None]) -> None:
        self._host = host
        self._levels = levels
        self._opened: Opened | None = None
        with section("Mesh", "mesh"):
            with dpg.group(horizontal=True):
                dpg.add_slider_int(
                    tag="mesh_resolution", width=166, min_value=64, max_value=1024,
                    default_value=256, format="%d cells across", clamped=True,
                )
                dpg.add_combo(
                    list(FORMATS), tag="format", width=66, default_value="OBJ",
                    callback=self._format_changed,
                )
                dpg.add_combo(list(AXES), tag="axes", width=-1, default_value="as input")
                with dpg.tooltip("axes"):
                    dpg.add_text(
                        "The mesh lies as the photos' cameras do, or is turned upright with Z or Y "
                        "up. A file beside it says which, and its unit.", wrap=260,
                    )
            with dpg.group(horizontal=True):
                dpg.add_input_text(tag="export_path", width=240, hint="Where to write the mesh")
                button("Browse…", "export_browse", self._browse, width=-1)
            button("Export mesh", "export", self._export, width=-1)
            dim_text("export_result", show=False)
        dpg.bind_item_theme("export", "primary")

    def _suffix(self) -> str:
        return f".{FORMATS[dpg.get_value('format')]}"

    def _format_changed(self) -> None:
        path = dpg.get_value("export_path")
        if path:
            dpg.set_value("export_path", str(Path(path).with_suffix(self._suffix())))

    def _browse(self) -> None:
        def picked(path: str) -> None:
            chosen = Path(path)
            known = chosen.suffix.lstrip(".").upper()
            if known in FORMATS:
                dpg.set_value("format", known)
            dpg.set_value("export_path", path if chosen.suffix else path + self._suffix())

        self._host.pick("save", dpg.get_value("export_path"), picked)

    def _export(self) -> None:
        path = str(Path(dpg.get_value("export_path") or f"mesh{self._suffix()}").expanduser())
        resolution = int(dpg.get_value("mesh_resolution"))
        options = MeshOptions(resolution, self._levels(), FORMATS[dpg.get_value("format")],
                              AXES[dpg.get_value("axes")])
        self._host.send(Export(path, options))

    def draw(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        if state.opened is not self._opened:
            self._opened = state.opened
            if state.opened is not None:
                name = Path(state.opened.path).stem or "mesh"
                dpg.set_value("export_path", str(Path.home() / f"{name}{self._suffix()}"))
        enable("export", state.reason("export"))
        done = state.exported
        show_text("export_result", "" if done is None else (
            f"{Path(done.path).name}: {done.n_vertices:,} vertices, {done.n_faces:,} faces, "
            f"{size(done.n_bytes)}"
        ))
