"""The operating system's window that Dear PyGui draws into: its size and place on the screen."""

from __future__ import annotations

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px

TITLE = "Gradina"
SIZE = (1440, 900)
"""Width and height of a first start, pixels before scaling."""
MIN_SIZE = (900, 560)
TITLE_BAR = 40
"""Height that the desktop may add above the window, pixels before scaling."""


def create_main_viewport(saved: tuple[int, int] | None, screen: tuple[int, int] | None) -> bool:
    """Create the window in the middle of the screen, hidden until `show_main_viewport`.

    Args:
        saved: Width and height that the window had when it was closed, pixels; None at a first
            start.
        screen: Width and height of the screen, pixels; None if only the desktop knows.

    Returns:
        Whether the window does not fit beside the desktop's own bars, and is to be maximised.
    """
    wanted = saved or (px(SIZE[0]), px(SIZE[1]))
    width, height = (min(want, have) for want, have in zip(wanted, screen or wanted))
    room = screen or (wanted[0], wanted[1] + px(TITLE_BAR))
    x, y = ((have - got) // 2 for have, got in zip(screen or SIZE, (width, height)))
    dpg.create_viewport(
        title=TITLE,
        width=width,
        height=height,
        x_pos=x,
        y_pos=y,
        min_width=MIN_SIZE[0],
        min_height=MIN_SIZE[1],
        vsync=False,
        disable_close=True,
    )
    dpg.set_viewport_clear_color(list(theme.PANEL))
    dpg.setup_dearpygui()
    return wanted[0] > room[0] or wanted[1] + px(TITLE_BAR) > room[1]


def show_main_viewport(maximized: bool) -> None:
    """Show the window and draw its first frame."""
    dpg.show_viewport()
    if maximized:
        dpg.maximize_viewport()
    dpg.render_dearpygui_frame()


def main_viewport_size() -> tuple[int, int]:
    """Width and height of the window, pixels."""
    return dpg.get_viewport_width(), dpg.get_viewport_height()
