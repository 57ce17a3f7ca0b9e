"""What a person may choose about the window itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec

from app import theme
from app.platform.gui import dpg
from app.platform.scaling import px
from app.store.settings import SCALES, Settings, ThemeName
from app.text.catalog import ENGLISH, languages, names, say
from app.widgets.widgets import chosen, dim_text, show_text


class OptionsPanel:
    """A window of its own. ``changed`` gets the new settings."""

    def __init__(self, settings: Settings, changed: Callable[[Settings], None]) -> None:
        self._settings, self._changed = settings, changed
        with dpg.window(
            tag="settings",
            width=px(360),
            autosize=True,
            pos=(90, 90),
            show=False,
            no_collapse=True,
            no_resize=True,
        ):
            dpg.add_text(say("settings.theme"))
            themes = names("choices.theme")
            dpg.add_radio_button(
                list(themes.values()),
                tag="theme",
                horizontal=True,
                callback=self._change,
                user_data=themes,
                default_value=themes[settings.theme],
            )
            dpg.add_text(say("settings.scale"))
            dpg.add_combo(
                [_size(scale) for scale in SCALES],
                tag="scale",
                width=200,
                callback=self._change,
                default_value=_size(settings.scale),
            )
            spoken = languages()
            more = len(spoken) > 1
            dpg.add_text(say("settings.language"), show=more)
            dpg.add_combo(
                list(spoken.values()),
                tag="language",
                width=200,
                callback=self._change,
                show=more,
                user_data=spoken,
                default_value=spoken.get(settings.language, spoken[ENGLISH]),
            )
            dim_text("scale_note", show=False)
        dpg.bind_item_theme("settings", "padded_window")

    def toggle(self) -> None:
        dpg.configure_item("settings", show=not dpg.is_item_shown("settings"))

    def _change(self) -> None:
        before = self._settings
        self._settings = msgspec.structs.replace(
            before,
            theme=cast(ThemeName, chosen("theme")),
            language=chosen("language"),
            scale=next(s for s in SCALES if _size(s) == dpg.get_value("scale")),
        )
        if self._settings.theme != before.theme:
            theme.use(self._settings.theme)
        if (self._settings.scale, self._settings.language) != (before.scale, before.language):
            show_text("scale_note", say("settings.next_start"))
        self._changed(self._settings)


def _size(scale: float) -> str:
    return f"{100 * scale:.0f}%" if scale else say("settings.screen")
