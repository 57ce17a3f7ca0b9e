"""Dear PyGui for the rest of the window. Its stubs declare context managers as plain numbers, so
it is taken as untyped here, once."""

from typing import Any

import dearpygui.dearpygui

dpg: Any = dearpygui.dearpygui
