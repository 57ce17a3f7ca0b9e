"""Keys: one table that binds them and that the cheat sheet is drawn from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from app.platform.dialogs import own_shown
from app.platform.gui import dpg
from app.text.catalog import names, say

TEXT_FIELDS = (
    "path",
    "export_path",
    "minutes",
    "more_minutes",
    "levels",
    "share",
    "mesh_resolution",
    "region_center",
    "region_size",
    "region_turn",
    "known_length",
    "frames",
    "film_seconds",
    "sentence",
    "weights",
)


CONTROL = dpg.mvKey_LControl, dpg.mvKey_RControl
SHIFT = dpg.mvKey_LShift, dpg.mvKey_RShift


@dataclass(frozen=True)
class Key:
    """``name`` is the suffix of dearpygui's mvKey constant; ``argument`` goes to the action;
    what it does is said below "keys" under the name of its action, or as ``does``."""

    name: str
    action: str
    argument: int | str | None = None
    does: str | None = None
    control: bool = False

    @property
    def label(self) -> str:
        """What it is called."""
        key = names("key_names").get(self.name, self.name)
        return say("keys.control", key=key) if self.control else key

    @property
    def words(self) -> str:
        """What it does."""
        return say(f"keys.{self.does or self.action}")


KEYS = (
    Key("Home", "reset_view"),
    Key("F", "frame"),
    Key("NumPad1", "side", "front", "side_front"),
    Key("NumPad3", "side", "right", "side_right"),
    Key("NumPad7", "side", "top", "side_top"),
    Key("P", "projection"),
    Key("Open_Brace", "photo", -1, "photo_before"),
    Key("Close_Brace", "photo", 1, "photo_next"),
    Key("G", "compare", "photo", "photo_itself"),
    Key("C", "compare", "split"),
    Key("V", "compare", "blink", "blink"),
    Key("O", "error"),
    Key("I", "album"),
    Key("K", "add_view"),
    Key("B", "region"),
    Key("Escape", "pick_nothing"),
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
    Key("H", "help"),
)
HIDDEN = (
    Key("NumPad1", "side", "back", control=True),
    Key("NumPad3", "side", "left", control=True),
    Key("NumPad7", "side", "bottom", control=True),
)
HANDS = ("turn", "move", "handle", "zoom", "pivot", "fly", "rise")


def bind_keys(actions: Mapping[str, Callable[..., None]]) -> None:
    """Call ``actions`` by the table, unless a field is being typed into; H shows the table."""
    every = {**actions, "help": toggle_help}
    with dpg.handler_registry():
        for code in (*CONTROL, *SHIFT):
            dpg.add_key_press_handler(code, callback=_hold(code))
            dpg.add_key_release_handler(code, callback=_let_go(code))
        for key in (*KEYS, *HIDDEN):
            code = getattr(dpg, f"mvKey_{key.name}")
            dpg.add_key_press_handler(code, callback=_pressed(key, every[key.action]))


def _pressed(key: Key, action: Callable[..., None]) -> Callable[[], None]:
    def pressed() -> None:
        if control_held() == key.control and not typing():
            action(*(() if key.argument is None else (key.argument,)))

    return pressed


def typing() -> bool:
    """Whether keys are letters for a text field now."""
    return own_shown() or any(dpg.is_item_active(field) for field in TEXT_FIELDS)


_until: dict[int, float] = {}
"""How long keys are held, by `time.perf_counter`, as far as callbacks have told."""
QUICK_S = 0.1
"""A quick hand has let go of Ctrl before the letter, or in the frame in which that is seen."""


def _hold(code: int) -> Callable[[], None]:
    return lambda: _until.update({code: math.inf})


def _let_go(code: int) -> Callable[[], None]:
    return lambda: _until.update({code: time.perf_counter() + QUICK_S})


def _are_held(codes: tuple[int, ...]) -> bool:
    return any(_until.get(code, 0.0) > time.perf_counter() for code in codes)


def control_held() -> bool:
    return _are_held(CONTROL)


def shift_held() -> bool:
    return _are_held(SHIFT)


def toggle_help() -> None:
    """Show or hide the list of keys."""
    if not dpg.does_item_exist("help"):
        with (
            dpg.window(
                tag="help",
                label=say("widgets.help.label"),
                no_resize=True,
                no_collapse=True,
                pos=(60, 60),
                autosize=True,
                show=False,
            ),
            dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit),
        ):
            hands = [(say(f"hands.{hand}.hand"), say(f"hands.{hand}.does")) for hand in HANDS]
            lines = [*hands, *((key.label, key.words) for key in KEYS)]
            half = -(-len(lines) // 2)  # side by side: one below the other they need a tall screen
            for _ in range(4):
                dpg.add_table_column()
            for pair in zip_longest(lines[:half], lines[half:], fillvalue=("", "")):
                with dpg.table_row():
                    for label, words in pair:
                        dpg.add_text(f"{label}    ")
                        dpg.add_text(f"{words}        ")
    dpg.configure_item("help", show=not dpg.is_item_shown("help"))
