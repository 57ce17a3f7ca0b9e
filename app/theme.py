"""Colours, spacing and fonts of the window.

``theme.TEXT`` and so on are the colours of the palette in use.
"""

from __future__ import annotations

from importlib.resources import as_file, files

from app.palette import PALETTES, Color, Palette
from app.platform.gui import dpg
from core.base.colormaps import Gradient

CLEAR: Color = (0, 0, 0, 0)
FONT_SIZE = 16
PANEL_WIDTH = 376
"""Pixels before scaling, as all sizes in panels; see `app.platform.scaling`."""
GAP = 8
SERIES = ("psnr", "loss", "1", "2", "3", "4", "5", "6")
"""Curves of plots; their themes are "line_psnr" and so on."""

_palette: Palette = PALETTES["dark"]
_palette_items: list[tuple[int, str]] = []  # theme colours, and which of the palette they are


def __getattr__(name: str) -> Color:
    """Return the colour ``name``, in capitals, of the palette in use."""
    try:
        return getattr(_palette, name.lower())
    except AttributeError:
        raise AttributeError(f"module {__name__} has no colour {name}") from None


def apply_theme(name: str, scale: float) -> None:
    """Bind the global theme and font; call it once, after the context exists.

    It makes the fonts "font_regular", "font_bold" and "font_title", one theme for each of `SERIES`,
    and the item themes "primary", "link", "handle", "error_bar", "toast", "root_theme", "padded",
    "padded_window", "rows" and "canvas".

    Args:
        name: Of the palette.
        scale: Of the fonts.
    """
    global _palette
    _palette = PALETTES[name]
    _load_fonts(scale)
    dpg.bind_theme(_base_theme())
    with dpg.theme(tag="primary"), dpg.theme_component(dpg.mvButton):
        _add_palette_color(dpg.mvThemeCol_Button, "accent_dark")
        _add_palette_color(dpg.mvThemeCol_ButtonHovered, "accent_hovered")
        _add_palette_color(dpg.mvThemeCol_ButtonActive, "accent")
        _add_palette_color(dpg.mvThemeCol_Text, "on_accent")
    _bar_theme("error_bar", "error", "error_button", "on_error")
    _bar_theme("toast", "notice", "notice_button", "text")
    for series in SERIES:
        _line_theme(series)
    with dpg.theme(tag="link"), dpg.theme_component(dpg.mvButton):
        _add_palette_color(dpg.mvThemeCol_Button, "panel")
        dpg.add_theme_style(dpg.mvStyleVar_ButtonTextAlign, 0, 0.5)
    with dpg.theme(tag="handle"), dpg.theme_component(dpg.mvButton):
        for part in (dpg.mvThemeCol_Button, dpg.mvThemeCol_ButtonActive):
            dpg.add_theme_color(part, CLEAR)
        _add_palette_color(dpg.mvThemeCol_ButtonHovered, "frame")
    with dpg.theme(tag="root_theme"), dpg.theme_component(dpg.mvWindowAppItem):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 0, 0)
    with dpg.theme(tag="padded"), dpg.theme_component(dpg.mvChildWindow):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 12, 10)
    with dpg.theme(tag="padded_window"), dpg.theme_component(dpg.mvWindowAppItem):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 14, 12)
    with dpg.theme(tag="rows"):
        with dpg.theme_component(dpg.mvTable):
            dpg.add_theme_style(dpg.mvStyleVar_CellPadding, 6, 2)
        for usable in (True, False):
            with dpg.theme_component(dpg.mvSelectable, enabled_state=usable):
                dpg.add_theme_style(dpg.mvStyleVar_SelectableTextAlign, 0, 0.5)
    with dpg.theme(tag="canvas"), dpg.theme_component(dpg.mvChildWindow):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 0, 0)


def switch_palette(name: str) -> None:
    """Change to the palette ``name`` while the window is shown."""
    global _palette
    before, _palette = _palette, PALETTES[name]
    for item, field in _palette_items:
        dpg.set_value(item, getattr(_palette, field))
    fields = {getattr(before, f): f for f in Palette.__dataclass_fields__}
    for item in dpg.get_all_items():
        if dpg.get_item_type(item) == "mvAppItemType::mvText":
            shade = dpg.get_item_configuration(item)["color"]
            field = fields.get(tuple(round(255 * x) for x in shade))
            if field is not None:
                dpg.configure_item(item, color=getattr(_palette, field))
    dpg.set_viewport_clear_color(list(_palette.panel))


def backdrop() -> Gradient:
    """Return the background of the viewport, sRGB in [0, 1]."""
    upper, lower = (tuple(c / 255 for c in shade[:3]) for shade in (_palette.sky, _palette.floor))
    return upper, lower  # type: ignore[return-value]


def palette_name() -> str:
    """Return the name of the palette in use."""
    return next(name for name, palette in PALETTES.items() if palette is _palette)


def _load_fonts(scale: float) -> None:
    fonts = files("assets") / "fonts"
    with (
        as_file(fonts / "Inter-Regular.otf") as regular,
        as_file(fonts / "Inter-SemiBold.otf") as bold,
        dpg.font_registry(),
    ):
        size = round(FONT_SIZE * scale)
        dpg.bind_font(dpg.add_font(str(regular), size, tag="font_regular"))
        dpg.add_font(str(bold), size, tag="font_bold")
        dpg.add_font(str(bold), round(26 * scale), tag="font_title")


def _base_theme() -> int | str:
    with dpg.theme() as theme:
        with dpg.theme_component(dpg.mvAll):
            _base_colors()
            _base_spacing()
        for kind in (
            dpg.mvButton,
            dpg.mvCombo,
            dpg.mvSliderInt,
            dpg.mvInputText,
            dpg.mvInputFloat,
            dpg.mvRadioButton,
        ):
            with dpg.theme_component(kind, enabled_state=False):
                for part in (
                    dpg.mvThemeCol_Button,
                    dpg.mvThemeCol_ButtonHovered,
                    dpg.mvThemeCol_ButtonActive,
                    dpg.mvThemeCol_FrameBg,
                    dpg.mvThemeCol_FrameBgHovered,
                    dpg.mvThemeCol_FrameBgActive,
                ):
                    _add_palette_color(part, "frame_off")
                _add_palette_color(dpg.mvThemeCol_Text, "text_off")
                _add_palette_color(dpg.mvThemeCol_SliderGrab, "frame_active")
                _add_palette_color(dpg.mvThemeCol_CheckMark, "text_off")
    return theme


def _base_colors() -> None:
    for part, field in {
        dpg.mvThemeCol_WindowBg: "panel",
        dpg.mvThemeCol_PopupBg: "popup",
        dpg.mvThemeCol_Border: "border",
        dpg.mvThemeCol_FrameBg: "frame",
        dpg.mvThemeCol_FrameBgHovered: "frame_hovered",
        dpg.mvThemeCol_FrameBgActive: "frame_active",
        dpg.mvThemeCol_Text: "text",
        dpg.mvThemeCol_TextDisabled: "text_off",
        dpg.mvThemeCol_Button: "frame",
        dpg.mvThemeCol_ButtonHovered: "frame_hovered",
        dpg.mvThemeCol_ButtonActive: "frame_active",
        dpg.mvThemeCol_Header: "panel",
        dpg.mvThemeCol_HeaderHovered: "frame",
        dpg.mvThemeCol_HeaderActive: "frame_hovered",
        dpg.mvThemeCol_SliderGrab: "grab",
        dpg.mvThemeCol_SliderGrabActive: "accent",
        dpg.mvThemeCol_CheckMark: "accent",
        dpg.mvThemeCol_PlotHistogram: "grab",
        dpg.mvThemeCol_Separator: "border",
        dpg.mvThemeCol_ScrollbarBg: "panel",
        dpg.mvThemeCol_ScrollbarGrab: "frame_active",
        dpg.mvThemeCol_ScrollbarGrabHovered: "text_off",
        dpg.mvThemeCol_ScrollbarGrabActive: "text_off",
        dpg.mvThemeCol_TitleBg: "frame",
        dpg.mvThemeCol_TitleBgActive: "frame",
        dpg.mvThemeCol_TitleBgCollapsed: "frame",
        dpg.mvThemeCol_TextSelectedBg: "grab",
        dpg.mvThemeCol_Tab: "panel",
        dpg.mvThemeCol_TabHovered: "frame_hovered",
        dpg.mvThemeCol_TabActive: "frame",
        dpg.mvThemeCol_TabUnfocused: "panel",
        dpg.mvThemeCol_TabUnfocusedActive: "frame",
        dpg.mvThemeCol_TableHeaderBg: "frame",
        dpg.mvThemeCol_TableBorderLight: "border",
        dpg.mvThemeCol_TableBorderStrong: "border",
        dpg.mvThemeCol_ResizeGrip: "frame",
        dpg.mvThemeCol_ResizeGripHovered: "frame_active",
        dpg.mvThemeCol_ResizeGripActive: "frame_active",
        dpg.mvThemeCol_NavHighlight: "grab",
        dpg.mvThemeCol_DragDropTarget: "accent",
    }.items():
        _add_palette_color(part, field)
    for part, field in {
        dpg.mvPlotCol_FrameBg: "panel",
        dpg.mvPlotCol_PlotBg: "background",
        dpg.mvPlotCol_AxisText: "text_dim",
        dpg.mvPlotCol_AxisGrid: "grid",
        dpg.mvPlotCol_LegendBg: "panel",
        dpg.mvPlotCol_LegendBorder: "border",
        dpg.mvPlotCol_LegendText: "text",
    }.items():
        _add_palette_color(part, field, dpg.mvThemeCat_Plots)
    # the window is cleared in the panels' colour; filling them took a fifth of a frame in software
    dpg.add_theme_color(dpg.mvThemeCol_ChildBg, CLEAR)
    dpg.add_theme_color(dpg.mvPlotCol_PlotBorder, CLEAR, category=dpg.mvThemeCat_Plots)


def _base_spacing() -> None:
    for var, x, y in (
        (dpg.mvStyleVar_WindowPadding, 12, 10),
        (dpg.mvStyleVar_FramePadding, 9, 5),
        (dpg.mvStyleVar_ItemSpacing, GAP, 6),
        (dpg.mvStyleVar_ItemInnerSpacing, 7, 5),
        (dpg.mvStyleVar_FrameRounding, 5, -1),
        (dpg.mvStyleVar_ChildRounding, 7, -1),
        (dpg.mvStyleVar_WindowRounding, 7, -1),
        (dpg.mvStyleVar_TabRounding, 5, -1),
        (dpg.mvStyleVar_PopupRounding, 5, -1),
        (dpg.mvStyleVar_GrabRounding, 4, -1),
        (dpg.mvStyleVar_ScrollbarSize, 11, -1),
        (dpg.mvStyleVar_ChildBorderSize, 0, -1),
        (dpg.mvStyleVar_WindowBorderSize, 0, -1),
        (dpg.mvStyleVar_CellPadding, 0, 0),
        (dpg.mvStyleVar_GrabMinSize, 12, -1),
    ):
        dpg.add_theme_style(var, x, y)
    for var, x, y in (
        (dpg.mvPlotStyleVar_PlotPadding, 4, 6),
        (dpg.mvPlotStyleVar_LabelPadding, 4, 2),
        (dpg.mvPlotStyleVar_LegendPadding, 4, 4),
        (dpg.mvPlotStyleVar_LegendInnerPadding, 6, 4),
    ):
        dpg.add_theme_style(var, x, y, category=dpg.mvThemeCat_Plots)


def _bar_theme(tag: str, field: str, button: str, text: str) -> None:
    with dpg.theme(tag=tag):
        for kind in (dpg.mvChildWindow, dpg.mvWindowAppItem):
            with dpg.theme_component(kind):
                _add_palette_color(dpg.mvThemeCol_ChildBg, field)
                _add_palette_color(dpg.mvThemeCol_WindowBg, field)
                dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 12, 10)
        with dpg.theme_component(dpg.mvAll):
            _add_palette_color(dpg.mvThemeCol_Text, text)
        with dpg.theme_component(dpg.mvButton):
            _add_palette_color(dpg.mvThemeCol_Button, button)


def _line_theme(series: str) -> None:
    with dpg.theme(tag=f"line_{series}"), dpg.theme_component(dpg.mvLineSeries):
        _add_palette_color(dpg.mvPlotCol_Line, f"plot_{series}", dpg.mvThemeCat_Plots)
        dpg.add_theme_style(dpg.mvPlotStyleVar_LineWeight, 2.0, category=dpg.mvThemeCat_Plots)


def _add_palette_color(part: int, field: str, category: int = 0) -> None:
    """Theme ``part`` with a colour of the palette, now and after each `switch_palette`."""
    item = dpg.add_theme_color(part, getattr(_palette, field), category=category)
    _palette_items.append((item, field))
