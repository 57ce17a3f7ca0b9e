"""The page that an empty window shows: ways to begin, and recent scenes."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px, rescale
from app.store.recent import Recent, describe_recent
from app.text.catalog import tr
from app.widgets.widgets import Host, add_button, set_tip

WIDTH, HEIGHT = 600, 156
ROW_HEIGHT, MAX_ROWS = 56, 5
SAMPLE = files("assets") / "sample"


class StartPage:
    """Buttons to open something, and the list of recent scenes."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.recents: tuple[Recent, ...] = ()
        with dpg.child_window(
            tag="start_page",
            width=WIDTH,
            height=HEIGHT,
            always_use_window_padding=True,
            show=False,
        ):
            dpg.add_text("", tag="start_title")
            dpg.add_text(tr("start.intro"), color=theme.TEXT_DIM, wrap=WIDTH - 30)
            dpg.add_spacer(height=4)
            with dpg.group(horizontal=True):
                add_button("start_photos", lambda: host.browse_input("folder"))
                add_button("start_video", lambda: host.browse_input("video"))
                add_button("start_project", lambda: host.browse_input("project"))
                add_button("start_prompt", lambda: host.browse_input("prompt"))
                if SAMPLE.is_dir():
                    add_button("start_sample", lambda: host.open_path(str(SAMPLE)))
            with dpg.group(tag="recents", show=False):
                dpg.add_spacer(height=6)
                dpg.add_text("", tag="recents_title")
                dpg.add_group(tag="recent_rows")
        dpg.bind_item_font("start_title", "font_title")
        dpg.bind_item_font("recents_title", "font_bold")
        dpg.bind_item_theme("start_photos", "primary")
        dpg.bind_item_theme("start_page", "padded")

    def show_recents(self, recents: tuple[Recent, ...]) -> None:
        """List ``recents``, newest first."""
        if recents == self.recents:
            return
        self.recents = recents
        dpg.delete_item("recent_rows", children_only=True)
        now = time.time()
        for i, recent in enumerate(recents):
            with dpg.group(parent="recent_rows", tag=f"recent_{i}_row"):
                dpg.add_button(
                    label=recent.name,
                    tag=f"recent_{i}",
                    width=-1,
                    callback=self._opener(recent.path),
                )
                dpg.bind_item_theme(f"recent_{i}", "link")
                dpg.add_text(describe_recent(recent, now), color=theme.TEXT_DIM, indent=9)
                set_tip(f"recent_{i}", recent.path)
        rescale("recent_rows")
        dpg.configure_item("recents", show=bool(recents))

    def _opener(self, path: str) -> Callable[[], None]:
        return lambda: self._host.open_path(path)

    def place_page(self, left: int, top: int, width: int, height: int) -> None:
        """Place the page in the middle of the viewport; pixels."""
        rows = min(len(self.recents), MAX_ROWS)
        wanted = px(HEIGHT + (rows * (ROW_HEIGHT + 8) + 44 if rows else 0))
        w, h = min(px(WIDTH), width - 16), min(wanted, height - 16)
        dpg.configure_item(
            "start_page", pos=(left + (width - w) // 2, top + (height - h) // 2), width=w, height=h
        )

    def show_page(self, shown: bool) -> None:
        """Show or hide the page."""
        dpg.configure_item("start_page", show=shown)
