"""Finishing: the mesh to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from app.panels.finishing import FinishingOptions
from app.platform.gui import dpg
from app.state import AppState
from app.text.catalog import tr
from app.text.status import format_bytes, short_path
from app.widgets.widgets import (
    Host,
    add_button,
    add_choice,
    add_dim_text,
    get_choice,
    section,
    set_choice,
    set_enabled,
    set_shown,
    set_text,
)
from core.config.mesh import DENSITY_AT_LEVEL, TEXTURED_FACES, Axes, MeshFormat, MeshOptions
from core.geometry.view import MeshPreviewOptions
from core.protocol import EstimateExport, Export, ExportEstimate, MeshReady, Opened

FORMATS: dict[str, MeshFormat] = {
    "OBJ": "obj",
    "PLY": "ply",
    "GLB": "glb",
    "STL": "stl",
    "USDZ": "usdz",
}


def estimate_text(known: ExportEstimate, share: float, lods: int) -> str:
    """What the export would be with a ``share`` of the triangles ``known``, and ``lods`` levels."""
    if not known.n_faces:
        return tr("estimate.nothing")
    counts = [max(4, round(share * known.n_faces) // 4**i) for i in range(lods)]
    n_bytes = known.n_bytes * sum(counts) / known.n_faces
    if lods > 1:  # all of them are in one more file
        n_bytes *= 2
    triangles = ", ".join(f"{n if known.exact else _round_to_two_digits(n):,}" for n in counts)
    key = "rough" if not known.exact else "exact" if share == 1 and lods == 1 else "scaled"
    weight = format_bytes(round(n_bytes))
    if known.options.texture:
        weight = tr("estimate.plus_textures", size=weight)
    return tr(f"estimate.{key}", triangles=triangles, size=weight)


def preview_options_of(options: MeshOptions) -> MeshPreviewOptions:
    """Of a mesh that is shown as an export with ``options`` would cut it."""
    faces = options.faces or (TEXTURED_FACES if options.texture else None)
    return MeshPreviewOptions(
        options.resolution, faces, options.density, options.watertight, options.unseen
    )


def mesh_preview_text(mesh: MeshReady, step: int, wanted: MeshOptions) -> str:
    """What ``mesh`` is, and whether an export with the options ``wanted`` after training step
    ``step`` would be the same."""
    same = (preview_options_of(wanted), wanted.levels, step) == (mesh.look, mesh.levels, mesh.step)
    as_shown = same and not wanted.refine and wanted.max_bytes is None
    key = "as_exported" if as_shown else "not_as_exported"
    return tr(
        f"mesh_preview.{key if mesh.finished else 'draft'}",
        faces=mesh.n_faces,
        cells=mesh.look.cells,
    )


def _round_to_two_digits(n: int) -> int:
    """To two digits: more are not known."""
    unit = 10 ** max(len(str(n)) - 2, 0)
    return round(n / unit) * unit


class MeshPanel:
    """``levels`` gives the level of detail chosen in the view panel (None: all); ``look`` is called
    when what is to be shown of the mesh has changed."""

    def __init__(
        self, host: Host, levels: Callable[[], int | None], on_display_changed: Callable[[], None]
    ) -> None:
        self._host = host
        self._levels, self._on_display_changed = levels, on_display_changed
        self._state: AppState | None = None
        self._requested: MeshOptions | None = None
        self._opened: Opened | None = None
        with section("mesh"):
            with dpg.group(horizontal=True):
                dpg.add_slider_int(
                    tag="mesh_resolution",
                    width=166,
                    min_value=64,
                    max_value=1024,
                    default_value=256,
                    clamped=True,
                    callback=self._on_changed,
                )
                dpg.add_combo(
                    list(FORMATS),
                    tag="format",
                    width=66,
                    default_value="OBJ",
                    callback=self._format_changed,
                )
                add_choice("axes", width=-1)
            with dpg.group(horizontal=True):
                add_choice("mesh_triangles", self._on_changed, width=166)
                add_choice("mesh_lods", self._on_changed, width=-1)
            dpg.add_slider_float(
                tag="mesh_density",
                width=-1,
                min_value=1,
                max_value=200,
                clamped=True,
                show=False,
                default_value=DENSITY_AT_LEVEL,
                callback=self._on_changed,
            )
            self._finishing = FinishingOptions(self._on_purpose, self._on_changed)
            add_dim_text("export_estimate", show=False)
            with dpg.group(horizontal=True):
                dpg.add_input_text(tag="export_path", width=240)
                add_button("export_browse", self._browse, width=-1)
            add_button("export", self._export, width=-1)
            add_dim_text("export_result", show=False)
        dpg.bind_item_theme("export", "primary")

    def _suffix(self) -> str:
        return f".{FORMATS[dpg.get_value('format')]}"

    def _format_changed(self) -> None:
        path = dpg.get_value("export_path")
        if path:
            dpg.set_value("export_path", str(Path(path).with_suffix(self._suffix())))
        self._on_changed()

    def _on_purpose(self, options: MeshOptions) -> None:
        """A purpose was chosen, which wants these ``options``."""
        dpg.set_value("format", options.format.upper())
        set_choice("axes", options.axes)
        set_choice("mesh_lods", options.lods)
        dpg.set_value("mesh_resolution", options.resolution)
        self._format_changed()

    def _on_changed(self) -> None:
        self.refresh()
        self._on_display_changed()

    def refresh(self) -> None:
        """The level of detail may have changed."""
        if self._state is not None:
            self.draw_panel(self._state)

    @property
    def options(self) -> MeshOptions:
        """Of the export, all triangles that it may have and one file."""
        return self._finishing.apply_to(
            MeshOptions(
                int(dpg.get_value("mesh_resolution")),
                self._levels(),
                format=FORMATS[dpg.get_value("format")],
                axes=cast(Axes, get_choice("axes")),
                density=round(dpg.get_value("mesh_density"), 1),
            )
        )

    @property
    def preview_options(self) -> MeshPreviewOptions:
        """Of the mesh that is shown: as the export's."""
        return preview_options_of(self._export_options)

    @property
    def preview_text(self) -> str:
        """What is shown of the mesh, in words."""
        state = self._state
        return (
            ""
            if state is None or state.mesh is None
            else mesh_preview_text(
                state.mesh, state.stats.step if state.stats else 0, self._export_options
            )
        )

    @property
    def _export_options(self) -> MeshOptions:
        """Of the export, one file."""
        return replace(self.options, faces=self.faces)

    @property
    def faces(self) -> int | None:
        """So many are wanted at most; None for all."""
        share, known = self._kept_fraction, self._estimate
        if share < 1 and known:
            return max(4, round(share * known.n_faces))
        return self.options.faces

    @property
    def _kept_fraction(self) -> float:
        """Of the triangles that are left."""
        return int(get_choice("mesh_triangles")) / 100

    @property
    def _lods(self) -> int:
        """Files of a set of levels of detail."""
        return int(get_choice("mesh_lods"))

    @property
    def _estimate(self) -> ExportEstimate | None:
        """Of the export of all triangles."""
        size = self._state.export_estimate if self._state else None
        return size if size is not None and size.options == self._estimate_options else None

    @property
    def _estimate_options(self) -> MeshOptions:
        """Of that export in the scene's own unit: what it is long is no matter here."""
        return replace(self.options, unit="")

    def _browse(self) -> None:
        def picked(path: str) -> None:
            chosen = Path(path)
            known = chosen.suffix.lstrip(".").upper()
            if known in FORMATS:
                dpg.set_value("format", known)
            dpg.set_value("export_path", path if chosen.suffix else path + self._suffix())

        self._host.pick_path("save", dpg.get_value("export_path"), picked)

    def _export(self) -> None:
        path = str(Path(dpg.get_value("export_path") or f"mesh{self._suffix()}").expanduser())
        self._host.send(Export(path, replace(self._export_options, lods=self._lods)))

    def _request_estimate(self, state: AppState) -> None:
        """Of what would be exported, whenever that is something else."""
        wanted = self._estimate_options if state.may("export") else None
        if wanted != self._requested:
            self._requested = wanted
            if wanted is not None:
                self._host.send(EstimateExport(wanted))

    def draw_panel(self, state: AppState) -> None:
        """Show what ``state`` holds."""
        self._state = state
        radiance = state.stats is not None and state.stats.phase == "radiance"
        set_shown("mesh_density", radiance)
        self._request_estimate(state)
        known = self._estimate
        set_text(
            "export_estimate",
            ""
            if known is None or not state.may("export")
            else estimate_text(known, self._kept_fraction, self._lods),
        )
        if state.opened is not self._opened:
            self._opened = state.opened
            if state.opened is not None:
                name = Path(state.opened.path).stem or "mesh"
                dpg.set_value(
                    "export_path", short_path(str(Path.home() / f"{name}{self._suffix()}"))
                )
        set_enabled("export", state.reason("export"))
        done = state.exported
        set_text(
            "export_result",
            ""
            if done is None
            else tr(
                "estimate.exported",
                file=Path(done.path).name,
                vertices=done.n_vertices,
                faces=done.n_faces,
                size=format_bytes(done.n_bytes),
            ),
        )
