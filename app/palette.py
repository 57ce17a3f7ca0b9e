"""The colours of the window, dark and light. Values only."""

from __future__ import annotations

from dataclasses import dataclass

Color = tuple[int, int, int, int]


@dataclass(frozen=True)
class Palette:
    """sRGB and opacity, 0 to 255, of everything in the window."""

    background: Color
    panel: Color
    popup: Color
    border: Color
    frame: Color
    frame_hovered: Color
    frame_active: Color
    frame_off: Color
    """Of disabled widgets."""
    text: Color
    text_dim: Color
    text_off: Color
    accent: Color
    accent_dark: Color
    accent_hovered: Color
    on_accent: Color
    grab: Color
    error: Color
    error_button: Color
    on_error: Color
    notice: Color
    notice_button: Color
    grid: Color
    plot_psnr: Color
    plot_loss: Color
    plot_1: Color
    plot_2: Color
    plot_3: Color
    plot_4: Color
    plot_5: Color
    plot_6: Color
    sky: Color
    """Of the viewport, at its upper edge."""
    floor: Color
    """Of the viewport, at its lower edge."""
    ground: Color
    frustum: Color


DARK = Palette(
    background=(17, 19, 23, 255),
    panel=(25, 28, 33, 255),
    popup=(32, 36, 42, 255),
    border=(46, 51, 60, 255),
    frame=(39, 43, 51, 255),
    frame_hovered=(50, 55, 65, 255),
    frame_active=(60, 66, 78, 255),
    frame_off=(31, 34, 40, 255),
    text=(226, 229, 234, 255),
    text_dim=(146, 153, 165, 255),
    text_off=(98, 104, 115, 255),
    accent=(104, 186, 132, 255),
    accent_dark=(52, 110, 77, 255),
    accent_hovered=(63, 130, 92, 255),
    on_accent=(240, 246, 242, 255),
    grab=(78, 150, 106, 255),
    error=(110, 36, 38, 255),
    error_button=(146, 58, 58, 255),
    on_error=(246, 234, 234, 255),
    notice=(38, 46, 52, 255),
    notice_button=(60, 70, 78, 255),
    grid=(52, 57, 66, 255),
    plot_psnr=(122, 178, 246, 255),
    plot_loss=(240, 170, 96, 255),
    plot_1=(128, 205, 150, 255),
    plot_2=(214, 140, 204, 255),
    plot_3=(226, 208, 110, 255),
    plot_4=(140, 150, 232, 255),
    plot_5=(110, 214, 214, 255),
    plot_6=(232, 120, 120, 255),
    sky=(43, 45, 48, 255),
    floor=(23, 24, 25, 255),
    ground=(150, 160, 175, 110),
    frustum=(98, 104, 115, 255),
)
LIGHT = Palette(
    background=(226, 229, 233, 255),
    panel=(247, 248, 250, 255),
    popup=(255, 255, 255, 255),
    border=(204, 209, 216, 255),
    frame=(228, 232, 237, 255),
    frame_hovered=(215, 221, 228, 255),
    frame_active=(200, 208, 217, 255),
    frame_off=(239, 241, 244, 255),
    text=(30, 34, 40, 255),
    text_dim=(94, 102, 114, 255),
    text_off=(158, 165, 175, 255),
    accent=(38, 128, 76, 255),
    accent_dark=(52, 138, 88, 255),
    accent_hovered=(42, 120, 76, 255),
    on_accent=(255, 255, 255, 255),
    grab=(92, 164, 120, 255),
    error=(176, 48, 48, 255),
    error_button=(148, 36, 36, 255),
    on_error=(255, 244, 244, 255),
    notice=(255, 255, 255, 255),
    notice_button=(228, 232, 237, 255),
    grid=(206, 211, 218, 255),
    plot_psnr=(30, 100, 200, 255),
    plot_loss=(196, 104, 20, 255),
    plot_1=(30, 130, 66, 255),
    plot_2=(158, 60, 146, 255),
    plot_3=(140, 116, 10, 255),
    plot_4=(80, 88, 190, 255),
    plot_5=(14, 128, 134, 255),
    plot_6=(186, 52, 52, 255),
    sky=(244, 246, 248, 255),
    floor=(214, 219, 225, 255),
    ground=(96, 106, 122, 120),
    frustum=(120, 128, 140, 255),
)
PALETTES = {"dark": DARK, "light": LIGHT}
