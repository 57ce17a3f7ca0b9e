"""Dear PyGui; untyped, see ``tests/typings/dearpygui``."""

from typing import Any

import dearpygui.dearpygui

dpg: Any = dearpygui.dearpygui
