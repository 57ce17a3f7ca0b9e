"""Colours, spacing and fonts of the window. Call `apply` once, after the context exists."""

from __future__ import annotations

from importlib.resources import as_file, files

from app.gui import dpg

Color = tuple[int, int, int, int]

BACKGROUND: Color = (17, 19, 23, 255)
PANEL: Color = (25, 28, 33, 255)
FRAME: Color = (39, 43, 51, 255)
FRAME_HOVERED: Color = (50, 55, 65, 255)
FRAME_ACTIVE: Color = (60, 66, 78, 255)
TEXT: Color = (226, 229, 234, 255)
TEXT_DIM: Color = (146, 153, 165, 255)
TEXT_OFF: Color = (98, 104, 115, 255)
ACCENT: Color = (104, 186, 132, 255)
ACCENT_DARK: Color = (52, 110, 77, 255)
ACCENT_HOVERED: Color = (63, 130, 92, 255)
ERROR: Color = (110, 36, 38, 255)
NOTICE: Color = (70, 60, 30, 255)
PLOT_PSNR: Color = (122, 178, 246, 255)
PLOT_LOSS: Color = (240, 170, 96, 255)
CLEAR: Color = (0, 0, 0, 0)

FONT_SIZE = 16
PANEL_WIDTH = 376
GAP = 8


def apply() -> None:
    """Bind the global theme and font; make "font_regular", "font_bold" and "font_title", and the
    item themes "primary", "error_bar", "notice_bar", "root_theme", "padded", "padded_window",
    "rows", "canvas", "line_psnr" and "line_loss"."""
    _fonts()
    dpg.bind_theme(_base())
    _button_theme("primary", ACCENT_DARK, ACCENT_HOVERED)
    _bar_theme("error_bar", ERROR, (146, 58, 58, 255))
    _bar_theme("notice_bar", NOTICE, (104, 92, 52, 255))
    _line_theme("line_psnr", PLOT_PSNR)
    _line_theme("line_loss", PLOT_LOSS)
    with dpg.theme(tag="root_theme"), dpg.theme_component(dpg.mvWindowAppItem):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 0, 0)
    with dpg.theme(tag="padded"), dpg.theme_component(dpg.mvChildWindow):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 12, 10)
    with dpg.theme(tag="padded_window"), dpg.theme_component(dpg.mvWindowAppItem):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 14, 12)
    with dpg.theme(tag="rows"):
        for usable in (True, False):
            with dpg.theme_component(dpg.mvSelectable, enabled_state=usable):
                dpg.add_theme_style(dpg.mvStyleVar_SelectableTextAlign, 0, 0.5)
    with dpg.theme(tag="canvas"), dpg.theme_component(dpg.mvChildWindow):
        _color(dpg.mvThemeCol_ChildBg, CLEAR)  # software GL pays per layer
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 0, 0)


def _fonts() -> None:
    fonts = files("assets") / "fonts"
    with (
        as_file(fonts / "Inter-Regular.otf") as regular,
        as_file(fonts / "Inter-SemiBold.otf") as bold,
        dpg.font_registry(),
    ):
        dpg.bind_font(dpg.add_font(str(regular), FONT_SIZE, tag="font_regular"))
        dpg.add_font(str(bold), FONT_SIZE, tag="font_bold")
        dpg.add_font(str(bold), 26, tag="font_title")


def _base() -> int | str:
    with dpg.theme() as theme:
        with dpg.theme_component(dpg.mvAll):
            _base_colors()
            _base_spacing()
        for kind in (dpg.mvButton, dpg.mvCombo, dpg.mvSliderInt, dpg.mvInputText, dpg.mvInputFloat,
                     dpg.mvRadioButton):
            with dpg.theme_component(kind, enabled_state=False):
                for part in (dpg.mvThemeCol_Button, dpg.mvThemeCol_ButtonHovered,
                             dpg.mvThemeCol_ButtonActive, dpg.mvThemeCol_FrameBg,
                             dpg.mvThemeCol_FrameBgHovered, dpg.mvThemeCol_FrameBgActive):
                    _color(part, (31, 34, 40, 255))
                _color(dpg.mvThemeCol_Text, TEXT_OFF)
                _color(dpg.mvThemeCol_SliderGrab, FRAME_ACTIVE)
                _color(dpg.mvThemeCol_CheckMark, TEXT_OFF)
    return theme


def _base_colors() -> None:
    for part, color in {
        dpg.mvThemeCol_WindowBg: BACKGROUND, dpg.mvThemeCol_ChildBg: PANEL,
        dpg.mvThemeCol_PopupBg: (32, 36, 42, 255), dpg.mvThemeCol_Border: (46, 51, 60, 255),
        dpg.mvThemeCol_FrameBg: FRAME, dpg.mvThemeCol_FrameBgHovered: FRAME_HOVERED,
        dpg.mvThemeCol_FrameBgActive: FRAME_ACTIVE, dpg.mvThemeCol_Text: TEXT,
        dpg.mvThemeCol_TextDisabled: TEXT_OFF, dpg.mvThemeCol_Button: FRAME,
        dpg.mvThemeCol_ButtonHovered: FRAME_HOVERED, dpg.mvThemeCol_ButtonActive: FRAME_ACTIVE,
        dpg.mvThemeCol_Header: PANEL, dpg.mvThemeCol_HeaderHovered: FRAME,
        dpg.mvThemeCol_HeaderActive: FRAME_HOVERED, dpg.mvThemeCol_SliderGrab: (78, 150, 106, 255),
        dpg.mvThemeCol_SliderGrabActive: ACCENT, dpg.mvThemeCol_CheckMark: ACCENT,
        dpg.mvThemeCol_PlotHistogram: ACCENT_HOVERED, dpg.mvThemeCol_Separator: (46, 51, 60, 255),
        dpg.mvThemeCol_ScrollbarBg: PANEL, dpg.mvThemeCol_ScrollbarGrab: FRAME,
        dpg.mvThemeCol_TitleBgActive: FRAME, dpg.mvThemeCol_TextSelectedBg: ACCENT_DARK,
    }.items():
        _color(part, color)
    for part, color in {
        dpg.mvPlotCol_FrameBg: PANEL, dpg.mvPlotCol_PlotBg: BACKGROUND,
        dpg.mvPlotCol_PlotBorder: CLEAR, dpg.mvPlotCol_AxisText: TEXT_DIM,
        dpg.mvPlotCol_AxisGrid: (52, 57, 66, 255),
    }.items():
        dpg.add_theme_color(part, color, category=dpg.mvThemeCat_Plots)


def _base_spacing() -> None:
    for var, x, y in (
        (dpg.mvStyleVar_WindowPadding, 12, 10), (dpg.mvStyleVar_FramePadding, 9, 5),
        (dpg.mvStyleVar_ItemSpacing, GAP, 6), (dpg.mvStyleVar_ItemInnerSpacing, 7, 5),
        (dpg.mvStyleVar_FrameRounding, 5, -1), (dpg.mvStyleVar_ChildRounding, 7, -1),
        (dpg.mvStyleVar_PopupRounding, 5, -1), (dpg.mvStyleVar_GrabRounding, 4, -1),
        (dpg.mvStyleVar_ScrollbarSize, 11, -1), (dpg.mvStyleVar_ChildBorderSize, 0, -1),
        (dpg.mvStyleVar_WindowBorderSize, 0, -1), (dpg.mvStyleVar_CellPadding, 0, 0),
        (dpg.mvStyleVar_GrabMinSize, 12, -1),
    ):
        dpg.add_theme_style(var, x, y)
    for var, x, y in (
        (dpg.mvPlotStyleVar_PlotPadding, 4, 6), (dpg.mvPlotStyleVar_LabelPadding, 4, 2),
    ):
        dpg.add_theme_style(var, x, y, category=dpg.mvThemeCat_Plots)


def _button_theme(tag: str, color: Color, hovered: Color) -> None:
    with dpg.theme(tag=tag), dpg.theme_component(dpg.mvButton):
        _color(dpg.mvThemeCol_Button, color)
        _color(dpg.mvThemeCol_ButtonHovered, hovered)
        _color(dpg.mvThemeCol_ButtonActive, ACCENT)


def _bar_theme(tag: str, color: Color, button: Color) -> None:
    with dpg.theme(tag=tag):
        with dpg.theme_component(dpg.mvChildWindow):
            _color(dpg.mvThemeCol_ChildBg, color)
            dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 12, 10)
        with dpg.theme_component(dpg.mvButton):
            _color(dpg.mvThemeCol_Button, button)


def _line_theme(tag: str, color: Color) -> None:
    with dpg.theme(tag=tag), dpg.theme_component(dpg.mvLineSeries):
        dpg.add_theme_color(dpg.mvPlotCol_Line, color, category=dpg.mvThemeCat_Plots)
        dpg.add_theme_style(dpg.mvPlotStyleVar_LineWeight, 2.0, category=dpg.mvThemeCat_Plots)


def _color(part: int, color: Color) -> None:
    dpg.add_theme_color(part, color)
