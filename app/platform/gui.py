"""Dear PyGui; untyped, see ``typings/dearpygui``."""

from typing import Any

import dearpygui.dearpygui

dpg: Any = dearpygui.dearpygui
