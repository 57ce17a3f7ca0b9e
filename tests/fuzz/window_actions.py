"""What `WindowMachine` may do, and how often it does each."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from app.keys import KEYS

ASK_FOR_PATHS = {"open", "save"}
UNTOUCHED = frozenset(
    {
        "path",
        "open",
        "browse",
        "browse_file",
        "export_path",
        "export_browse",
        "start_photos",
        "start_video",
        "start_project",
        "save",
        "save_as",
        "question_save",
        "question_drop",
        "toolbar_open",
        "log_copy",
        "locate_photos",
        "canvas_area",
        "status",
        "scale",
    }
)
"""Widgets that ask for a path, or could be typed one into, and those that end the window."""
XDOTOOL = {
    "Open_Brace": "bracketleft",
    "Close_Brace": "bracketright",
    "NumPad1": "KP_1",
    "NumPad3": "KP_3",
    "NumPad7": "KP_7",
    "Escape": "Escape",
    "Home": "Home",
}
small = st.integers(0, 255)  # few bytes an action, so that an example can have thousands
WORK = ("start", "start", "resume", "pause", "reset", "export", "continue_training")
"""Buttons that random clicks would rarely press."""
ACTIONS: dict[str, tuple[int, tuple[st.SearchStrategy[Any], ...]]] = {
    "click_widget": (10, (small, small, small)),
    "click_canvas": (3, (small, small)),
    "drag": (5, (st.integers(-100, 100), st.integers(-100, 100), st.sampled_from((1, 1, 2, 3)))),
    "wheel": (2, (st.sampled_from((-3, -1, 1, 3)),)),
    "key": (6, (st.sampled_from([k for k in KEYS if k.action not in ASK_FOR_PATHS]),)),
    "resize": (1, (small, small)),
    "drop": (2, (st.integers(0, 3),)),
    "cancel": (3, ()),
    "train": (4, (st.sampled_from(WORK),)),
    "ask_to_close": (1, ()),
}
"""Method, weight and arguments."""
actions = st.sampled_from([name for name, (n, _) in ACTIONS.items() for _ in range(n)]).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(*ACTIONS[name][1]))
)
