"""Keyboard shortcuts: one table that binds them and that the list of shortcuts shows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from app.platform.dialogs import is_own_dialog_shown
from app.platform.gui import dpg
from app.text.catalog import tr, tr_group

TEXT_FIELDS = (
    "path",
    "export_path",
    "minutes",
    "more_minutes",
    "detail_levels",
    "preview_duty",
    "mesh_resolution",
    "region_center",
    "region_size",
    "region_rotation",
    "known_length",
    "video_frames",
    "video_seconds",
    "prompt",
    "clip_folder",
)
"""Tags of widgets that can be typed into."""


CONTROL = dpg.mvKey_LControl, dpg.mvKey_RControl
SHIFT = dpg.mvKey_LShift, dpg.mvKey_RShift


@dataclass(frozen=True)
class Key:
    """One shortcut."""

    name: str
    """Suffix of Dear PyGui's constant mvKey_…."""
    action: str
    """Name of the action in `bind_keys`."""
    argument: int | str | None = None
    """Passed to the action; None for nothing."""
    text: str | None = None
    """Key of its description below "keys" in en.toml, where that is not the action."""
    control: bool = False
    """Whether Ctrl is held."""

    @property
    def label(self) -> str:
        """Name of the key, such as "Ctrl+S"."""
        key = tr_group("key_names").get(self.name, self.name)
        return tr("keys.control", key=key) if self.control else key

    @property
    def effect(self) -> str:
        """What it does, in a few words."""
        return tr(f"keys.{self.text or self.action}")


KEYS = (
    Key("Home", "reset_view"),
    Key("F", "frame"),
    Key("NumPad1", "side", "front", "side_front"),
    Key("NumPad3", "side", "right", "side_right"),
    Key("NumPad7", "side", "top", "side_top"),
    Key("P", "projection"),
    Key("Open_Brace", "photo", -1, "photo_previous"),
    Key("Close_Brace", "photo", 1, "photo_next"),
    Key("G", "compare", "photo", "photo_itself"),
    Key("C", "compare", "split"),
    Key("V", "compare", "blink", "blink"),
    Key("O", "error"),
    Key("I", "photo_list"),
    Key("K", "add_keyframe"),
    Key("B", "region"),
    Key("Escape", "cancel_picking"),
    Key("T", "train_or_pause"),
    Key("1", "mode", "color", "mode_color"),
    Key("2", "mode", "normals", "mode_normals"),
    Key("3", "mode", "depth", "mode_depth"),
    Key("4", "mode", "mesh", "mode_mesh"),
    Key("5", "mode", "wireframe", "mode_wireframe"),
    Key("6", "mode", "slice", "mode_slice"),
    Key("7", "mode", "error", "mode_error"),
    Key("8", "mode", "level", "mode_level"),
    Key("9", "mode", "clay", "mode_clay"),
    Key("Z", "undo", control=True),
    Key("Y", "redo", control=True),
    Key("N", "new", control=True),
    Key("O", "open", control=True),
    Key("S", "save", control=True),
    Key("H", "shortcut_list"),
)
UNLISTED_KEYS = (
    Key("NumPad1", "side", "back", control=True),
    Key("NumPad3", "side", "left", control=True),
    Key("NumPad7", "side", "bottom", control=True),
)
"""Shortcuts that the list of shortcuts mentions with others."""
MOUSE_ACTIONS = ("orbit", "pan", "handle", "zoom", "pivot", "fly", "rise")
"""What the mouse does, by keys below "mouse" in en.toml."""


def bind_keys(actions: Mapping[str, Callable[..., None]]) -> None:
    """Bind all shortcuts; none acts while a text field is edited.

    Args:
        actions: Functions by the names that the table uses.
    """
    actions_by_name = {**actions, "shortcut_list": toggle_shortcut_list}
    with dpg.handler_registry():
        for code in (*CONTROL, *SHIFT):
            dpg.add_key_press_handler(code, callback=_mark_held(code))
            dpg.add_key_release_handler(code, callback=_mark_released(code))
        for key in (*KEYS, *UNLISTED_KEYS):
            code = getattr(dpg, f"mvKey_{key.name}")
            dpg.add_key_press_handler(
                code, callback=_key_callback(key, actions_by_name[key.action])
            )


def _key_callback(key: Key, action: Callable[..., None]) -> Callable[[], None]:
    def pressed() -> None:
        if control_held() == key.control and not is_typing():
            action(*(() if key.argument is None else (key.argument,)))

    return pressed


def is_typing() -> bool:
    """Whether key presses go to a text field."""
    return is_own_dialog_shown() or any(dpg.is_item_active(field) for field in TEXT_FIELDS)


_held_until: dict[int, float] = {}
"""Until when keys count as held, by `time.perf_counter`."""
RELEASE_GRACE_S = 0.1
"""Ctrl counts as held for so long after its release: fast typists release it first."""


def _mark_held(code: int) -> Callable[[], None]:
    return lambda: _held_until.update({code: math.inf})


def _mark_released(code: int) -> Callable[[], None]:
    return lambda: _held_until.update({code: time.perf_counter() + RELEASE_GRACE_S})


def _any_held(codes: tuple[int, ...]) -> bool:
    return any(_held_until.get(code, 0.0) > time.perf_counter() for code in codes)


def control_held() -> bool:
    """Whether Ctrl is held."""
    return _any_held(CONTROL)


def shift_held() -> bool:
    """Whether Shift is held."""
    return _any_held(SHIFT)


def toggle_shortcut_list() -> None:
    """Show or hide the list of shortcuts."""
    if not dpg.does_item_exist("shortcut_list"):
        with (
            dpg.window(
                tag="shortcut_list",
                label=tr("widgets.shortcut_list.label"),
                no_resize=True,
                no_collapse=True,
                pos=(60, 60),
                autosize=True,
                show=False,
            ),
            dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit),
        ):
            mouse_rows = [
                (tr(f"mouse.{name}.input"), tr(f"mouse.{name}.effect")) for name in MOUSE_ACTIONS
            ]
            rows = [*mouse_rows, *((key.label, key.effect) for key in KEYS)]
            half = -(-len(rows) // 2)  # side by side: one below the other they need a tall screen
            for _ in range(4):
                dpg.add_table_column()
            for pair in zip_longest(rows[:half], rows[half:], fillvalue=("", "")):
                with dpg.table_row():
                    for label, effect in pair:
                        dpg.add_text(f"{label}    ")
                        dpg.add_text(f"{effect}        ")
    dpg.configure_item("shortcut_list", show=not dpg.is_item_shown("shortcut_list"))
