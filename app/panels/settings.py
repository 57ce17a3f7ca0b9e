"""Settings of the window: theme, scale, language."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.store.settings import SCALES, Settings, ThemeName
from app.text.catalog import ENGLISH, languages, tr, tr_group
from app.widgets.widgets import add_dim_text, get_choice, set_text


class SettingsPanel:
    """A window of its own."""

    def __init__(self, settings: Settings, on_changed: Callable[[Settings], None]) -> None:
        """Build the widgets; ``on_changed`` gets the new settings."""
        self._settings, self._on_changed = settings, on_changed
        with dpg.window(
            tag="settings",
            width=px(360),
            autosize=True,
            pos=(90, 90),
            show=False,
            no_collapse=True,
            no_resize=True,
        ):
            dpg.add_text(tr("settings.theme"))
            themes = tr_group("choices.theme")
            dpg.add_radio_button(
                list(themes.values()),
                tag="theme",
                horizontal=True,
                callback=self._change,
                user_data=themes,
                default_value=themes[settings.theme],
            )
            dpg.add_text(tr("settings.scale"))
            dpg.add_combo(
                [_scale_label(scale) for scale in SCALES],
                tag="scale",
                width=200,
                callback=self._change,
                default_value=_scale_label(settings.scale),
            )
            spoken = languages()
            more = len(spoken) > 1
            dpg.add_text(tr("settings.language"), show=more)
            dpg.add_combo(
                list(spoken.values()),
                tag="language",
                width=200,
                callback=self._change,
                show=more,
                user_data=spoken,
                default_value=spoken.get(settings.language, spoken[ENGLISH]),
            )
            add_dim_text("scale_note", show=False)
        dpg.bind_item_theme("settings", "padded_window")

    def toggle_window(self) -> None:
        """Show or hide the window."""
        dpg.configure_item("settings", show=not dpg.is_item_shown("settings"))

    def _change(self) -> None:
        before = self._settings
        self._settings = msgspec.structs.replace(
            before,
            theme=cast(ThemeName, get_choice("theme")),
            language=get_choice("language"),
            scale=next(s for s in SCALES if _scale_label(s) == dpg.get_value("scale")),
        )
        if self._settings.theme != before.theme:
            theme.switch_palette(self._settings.theme)
        if (self._settings.scale, self._settings.language) != (before.scale, before.language):
            set_text("scale_note", tr("settings.next_start"))
        self._on_changed(self._settings)


def _scale_label(scale: float) -> str:
    return f"{100 * scale:.0f}%" if scale else tr("settings.screen")
