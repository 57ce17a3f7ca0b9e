"""Keys: one table that binds them and that the cheat sheet is drawn from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.gui import dpg

TEXT_FIELDS = ("path", "export_path", "minutes", "more_minutes", "levels", "share",
               "mesh_resolution", "region_center", "region_size", "region_turn", "known_length",
               "frames", "film_seconds")


CONTROL = dpg.mvKey_LControl, dpg.mvKey_RControl
SHIFT = dpg.mvKey_LShift, dpg.mvKey_RShift


@dataclass(frozen=True)
class Key:
    """``name`` is the suffix of dearpygui's mvKey constant; ``argument`` goes to the action."""

    label: str
    name: str
    action: str
    words: str
    control: bool = False
    argument: int | str | None = None


KEYS = (
    Key("Home", "Home", "reset_view", "the first view again"),
    Key("F", "F", "frame", "the whole scene in view"),
    Key("Num 1", "NumPad1", "side", "from the front; with Ctrl the back", argument="front"),
    Key("Num 3", "NumPad3", "side", "from the right; with Ctrl the left", argument="right"),
    Key("Num 7", "NumPad7", "side", "from the top; with Ctrl the bottom", argument="top"),
    Key("P", "P", "projection", "in perspective, or parallel"),
    Key("[", "Open_Brace", "photo", "through the photo before", argument=-1),
    Key("]", "Close_Brace", "photo", "through the next photo", argument=1),
    Key("G", "G", "photo_itself", "the photo that is looked through itself"),
    Key("C", "C", "compare", "the photo beside the rendering"),
    Key("O", "O", "error", "the error to the photo"),
    Key("I", "I", "album", "all photos, the worst first"),
    Key("K", "K", "add_view", "the film passes this view"),
    Key("B", "B", "region", "the region's box, or not"),
    Key("Esc", "Escape", "pick_nothing", "no longer pick a place"),
    Key("T", "T", "train_or_pause", "train, or pause"),
    Key("1", "1", "mode", "color", argument="Color"),
    Key("2", "2", "mode", "normals", argument="Normals"),
    Key("3", "3", "mode", "depth", argument="Depth"),
    Key("4", "4", "mode", "the mesh as it would be exported", argument="Mesh"),
    Key("5", "5", "mode", "its wireframe", argument="Wireframe"),
    Key("6", "6", "mode", "a slice", argument="Slice"),
    Key("7", "7", "mode", "the error to the photo", argument="Error to the photo"),
    Key("8", "8", "mode", "which level carries the detail", argument="Levels of detail"),
    Key("Ctrl+Z", "Z", "undo", "undo the last edit", control=True),
    Key("Ctrl+Y", "Y", "redo", "do it again", control=True),
    Key("Ctrl+N", "N", "new", "close what is open and begin anew", control=True),
    Key("Ctrl+O", "O", "open", "open a folder of photos", control=True),
    Key("Ctrl+S", "S", "save", "save the project; with Shift in another folder", control=True),
    Key("H", "H", "help", "this list"),
)
HIDDEN = (
    Key("", "NumPad1", "side", "", control=True, argument="back"),
    Key("", "NumPad3", "side", "", control=True, argument="left"),
    Key("", "NumPad7", "side", "", control=True, argument="bottom"),
)
MOUSE = (
    ("Left drag", "turn"),
    ("Right, middle or Shift+left drag", "move"),
    ("Drag a handle of the region", "move that side of it; with Ctrl the whole"),
    ("Wheel", "zoom to the cursor"),
    ("Double click", "turn about what is there"),
    ("W A S D", "fly while held: ahead, left, back, right; with Shift faster"),
    ("Q E", "fly down, up"),
)


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
    return any(dpg.is_item_active(field) for field in TEXT_FIELDS)


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
        with dpg.window(
            tag="help", label="Mouse and keys", no_resize=True, no_collapse=True, pos=(60, 60),
            autosize=True, show=False,
        ), dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit):
            dpg.add_table_column()
            dpg.add_table_column()
            for label, words in (*MOUSE, *((key.label, key.words) for key in KEYS)):
                with dpg.table_row():
                    dpg.add_text(f"{label}    ")
                    dpg.add_text(words)
    dpg.configure_item("help", show=not dpg.is_item_shown("help"))
