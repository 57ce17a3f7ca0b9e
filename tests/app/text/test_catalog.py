"""Every text of the window is in one file, and another language can take its place."""

import ast
import re

import pytest
from babel.messages.pofile import write_po

from app.text import catalog
from app.text.extract import template
from tests.app.driver import ROOT

OTHERS = ("linux.py", "macos.py", "windows.py")
"""Commands of other programs; words for a terminal, where there is no window."""
A_SENTENCE = re.compile(r"[A-Za-z]{2,}[,.:;]? |\s[a-z]{2,}|…")
SHOWN = ("label", "hint", "title", "overlay")


def _trees():
    """By file what the window is written in, but for the shaders' side."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text())
        for path in sorted((ROOT / "app").rglob("*.py"))
        if path.parent.name != "gl"
    }


def _strings(tree):
    """All strings but docstrings and what is only logged or raised for programmers."""
    left_out = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for name, call in _calls(tree):
        if name in ("warning", "exception", "AttributeError"):
            left_out |= {inner for argument in call.args for inner in ast.walk(argument)}
    return [node for node in ast.walk(tree) if _is_string(node) and node not in left_out]


def _is_string(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node


def _pattern(node):
    """Of what a string or f-string may be; None for anything else, and where it may be most
    things."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    said = [part.value if _is_string(part) else None for part in parts]
    if max((len(part) for part in said if part), default=0) < 3:
        return None
    return re.compile("".join(r"\w*" if part is None else re.escape(part) for part in said))


def test_no_text_of_the_window_stands_in_its_code():
    found = []
    for path, tree in _trees().items():
        found += [
            f"{path}:{node.lineno}: {node.value}"
            for node in _strings(tree)
            if A_SENTENCE.search(node.value) and path.name not in OTHERS
        ]
        for name, call in _calls(tree):
            shown = [keyword.value for keyword in call.keywords if keyword.arg in SHOWN]
            shown += call.args[:1] if name == "add_text" else []
            found += [
                f"{path}:{node.lineno}: {node.value}"
                for node in shown
                if _is_string(node) and re.search(r"[A-Za-z]{2}", node.value.partition("##")[0])
            ]
    assert found == []


def test_every_text_is_asked_for_and_every_text_asked_for_exists():
    keys = set(catalog.english_texts())
    strings, asked, groups = [], [], []
    for tree in _trees().values():
        strings += [
            _pattern(node)
            for node in ast.walk(tree)
            if _is_string(node) or isinstance(node, ast.JoinedStr)
        ]
        asked += [_pattern(call.args[0]) for name, call in _calls(tree) if name == "tr"]
        groups += [_pattern(call.args[0]) for name, call in _calls(tree) if name == "tr_group"]

    def used(key):
        group, _, _ = key.rpartition(".")
        of_widget = group.startswith("widgets.")
        wanted = group.removeprefix("widgets.") if of_widget else key
        return any(p and p.fullmatch(wanted) for p in strings) or any(
            p and p.fullmatch(group) for p in groups
        )

    assert sorted(key for key in keys if not used(key)) == []
    missing = [p.pattern for p in asked if p and not any(p.fullmatch(key) for key in keys)]
    assert missing == []


def _bracketed(path):
    """Write a translation: every text in brackets."""
    made = template("en")
    for message in made:
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            forms = tuple(f"[{one}]" for one in ids)
            message.string = forms if len(forms) > 1 else forms[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, made)


@pytest.mark.slow
def test_the_whole_window_can_speak_another_language(launch, tmp_path, capture, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = home / ".config" / "gradina"
    _bracketed(folder / "text" / "xx.po")
    (folder / "settings.json").write_text('{"language": "xx"}')
    window = launch(home=home)
    ui = window.wait(lambda ui: ui["engine"] == "ready", "the engine")
    assert ui["status"] == "[Nothing is open.]"
    labels = {tag: ui["labels"][tag] for tag in ("new", "start", "training", "start_photos")}
    assert labels == {
        "new": "[New]",
        "start": "[Start]",
        "training": "[Training]",
        "start_photos": "[Open photos…]",
    }
    window.click("path")
    window.type("/no/such/folder")
    window.key("Return")
    ui = window.wait(lambda ui: ui["failure"], "the failure")
    assert ui["failure"] == "[[/no/such/folder does not exist]. [Check the path.]]"
    window.retype("path", str(capture))
    window.wait_state("ready")
    window.click("start")
    ui = window.wait(lambda ui: ui["step"] > 0 and ui["history"] > 1, "training")
    assert ui["status"].startswith("[capture: [Refining the surface, level ")
    window.key("h")
    window.wait(lambda ui: "shortcut_list" in ui["widgets"], "the list of keys")
    assert window.look()["failure"] == ""
    assert window.close() == 0
    assert window.errors() == ""
