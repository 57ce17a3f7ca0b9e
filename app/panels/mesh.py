"""The export of the mesh to a file."""

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
    """Describe the size of an export.

    Args:
        known: Estimate of the export with all triangles.
        share: Fraction of the triangles that is kept.
        lods: Number of levels of detail.
    """
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
    """Return how the mesh preview is cut to look like an export with ``options``."""
    faces = options.faces or (TEXTURED_FACES if options.texture else None)
    return MeshPreviewOptions(
        options.resolution, faces, options.density, options.watertight, options.unseen
    )


def mesh_preview_text(mesh: MeshReady, step: int, wanted: MeshOptions) -> str:
    """Describe the mesh preview, and whether an export would be the same.

    Args:
        mesh: What is shown.
        step: Training step of the current model.
        wanted: Options of the export.
    """
    same = (preview_options_of(wanted), wanted.levels, step) == (
        mesh.options,
        mesh.levels,
        mesh.step,
    )
    as_shown = same and not wanted.refine and wanted.max_bytes is None
    key = "as_exported" if as_shown else "not_as_exported"
    return tr(
        f"mesh_preview.{key if mesh.finished else 'draft'}",
        faces=mesh.n_faces,
        cells=mesh.options.cells,
    )


def _round_to_two_digits(n: int) -> int:
    """Round ``n`` as precisely as estimates are."""
    unit = 10 ** max(len(str(n)) - 2, 0)
    return round(n / unit) * unit


class MeshPanel:
    """Options of the export, its estimated size, its file."""

    def __init__(
        self, host: Host, levels: Callable[[], int | None], on_display_changed: Callable[[], None]
    ) -> None:
        """Build the widgets.

        Args:
            host: What panels may ask for.
            levels: Returns the hash levels chosen in the view panel; None for all.
            on_display_changed: Called when the mesh preview is to change.
        """
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
        """Show the options of an export preset."""
        dpg.set_value("format", options.format.upper())
        set_choice("axes", options.axes)
        set_choice("mesh_lods", options.lods)
        dpg.set_value("mesh_resolution", options.resolution)
        self._format_changed()

    def _on_changed(self) -> None:
        self.refresh()
        self._on_display_changed()

    def refresh(self) -> None:
        """Update the panel after the level of detail may have changed."""
        if self._state is not None:
            self.draw_panel(self._state)

    @property
    def options(self) -> MeshOptions:
        """Options of the export with all triangles, in one file."""
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
        """How the mesh preview is cut: as the export."""
        return preview_options_of(self._export_options)

    @property
    def preview_text(self) -> str:
        """Description of the mesh preview; "" if there is none."""
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
        """Options of the export in one file."""
        return replace(self.options, faces=self.faces)

    @property
    def faces(self) -> int | None:
        """Maximum number of faces; None for all."""
        share, known = self._kept_fraction, self._estimate
        if share < 1 and known:
            return max(4, round(share * known.n_faces))
        return self.options.faces

    @property
    def _kept_fraction(self) -> float:
        """Fraction of the triangles that is kept."""
        return int(get_choice("mesh_triangles")) / 100

    @property
    def _lods(self) -> int:
        """Number of levels of detail."""
        return int(get_choice("mesh_lods"))

    @property
    def _estimate(self) -> ExportEstimate | None:
        """Estimated size of the export with all triangles; None if unknown."""
        size = self._state.export_estimate if self._state else None
        return size if size is not None and size.options == self._estimate_options else None

    @property
    def _estimate_options(self) -> MeshOptions:
        """Options of the estimate, in the scene's unit, which makes no difference."""
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
        """Ask for the size of the export whenever its options change."""
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
