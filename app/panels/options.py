"""What a person may choose about the window itself."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from app import theme
from app.gui import dpg
from app.panels.widgets import dim_text, explain
from app.settings import SCALES, Settings, ThemeName

THEMES: dict[str, ThemeName] = {"Dark": "dark", "Light": "light"}


class OptionsPanel:
    """A window of its own. ``changed`` gets the new settings."""

    def __init__(self, settings: Settings, changed: Callable[[Settings], None]) -> None:
        self._settings, self._changed = settings, changed
        with dpg.window(
            tag="settings", label="Settings", width=360, autosize=True, pos=(90, 90), show=False,
            no_collapse=True, no_resize=True,
        ):
            dpg.add_text("Colours")
            dpg.add_radio_button(
                list(THEMES), tag="theme", horizontal=True, callback=self._change,
                default_value=_name(THEMES, settings.theme),
            )
            dpg.add_text("Size of text")
            dpg.add_combo(
                [_size(scale) for scale in SCALES], tag="scale", width=200, callback=self._change,
                default_value=_size(settings.scale),
            )
            explain("scale", "For screens with many dots an inch, or to read more easily.")
            dim_text("scale_note", show=False)
        dpg.bind_item_theme("settings", "padded_window")

    def toggle(self) -> None:
        dpg.configure_item("settings", show=not dpg.is_item_shown("settings"))

    def _change(self) -> None:
        before = self._settings
        self._settings = msgspec.structs.replace(
            before, theme=THEMES[dpg.get_value("theme")],
            scale=next(s for s in SCALES if _size(s) == dpg.get_value("scale")),
        )
        if self._settings.theme != before.theme:
            theme.use(self._settings.theme)
        if self._settings.scale != before.scale:
            dpg.set_value("scale_note", "From the next start on.")
            dpg.configure_item("scale_note", show=True)
        self._changed(self._settings)


def _name(names: dict[str, ThemeName], value: ThemeName) -> str:
    return next(name for name, v in names.items() if v == value)


def _size(scale: float) -> str:
    return f"{100 * scale:.0f} %" if scale else "As the screen needs"
