"""Every text of the window is in one file, and another language can take its place."""

import ast
import json
import re
import tomllib

import pytest

from app.text import catalog
from core.base.paths import settings_file
from tests.app.driver import ROOT

CATALOGUE = ROOT / "assets" / "text" / "en.toml"
OTHERS = ("dialogs.py", "screen.py")
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
    keys = set(dict(catalog._flat(tomllib.loads(CATALOGUE.read_text("utf-8")))))
    of_the_window = {key for key in keys if not key.startswith("engine.")}
    strings, asked, groups = [], [], []
    for tree in _trees().values():
        strings += [
            _pattern(node)
            for node in ast.walk(tree)
            if _is_string(node) or isinstance(node, ast.JoinedStr)
        ]
        asked += [_pattern(call.args[0]) for name, call in _calls(tree) if name == "say"]
        groups += [_pattern(call.args[0]) for name, call in _calls(tree) if name == "names"]

    def used(key):
        group, _, _ = key.rpartition(".")
        of_widget = group.startswith("widgets.")
        wanted = group.removeprefix("widgets.") if of_widget else key
        return any(p and p.fullmatch(wanted) for p in strings) or any(
            p and p.fullmatch(group) for p in groups
        )

    assert sorted(key for key in of_the_window if not used(key)) == []
    missing = [p.pattern for p in asked if p and not any(p.fullmatch(key) for key in keys)]
    assert missing == []


def _translate(file, change):
    """Write a translation: of each text what ``change`` makes of it."""

    def all_of(table):
        return {
            key: all_of(value) if isinstance(value, dict) else change(value)
            for key, value in table.items()
        }

    def lines(table, above):
        for key, value in table.items():
            name = [*above, json.dumps(key, ensure_ascii=False)]
            if isinstance(value, dict):
                yield from lines(value, name)
            else:
                yield f"{'.'.join(name)} = {json.dumps(value, ensure_ascii=False)}"

    file.parent.mkdir(parents=True, exist_ok=True)
    made = all_of(tomllib.loads(CATALOGUE.read_text("utf-8"))) | {"plural": "n != 1"}
    file.write_text("\n".join(lines(made, [])), "utf-8")


@pytest.fixture
def of_the_person(tmp_path, monkeypatch):
    """The folder of a person's own translations."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = settings_file().parent / "text"
    folder.mkdir(parents=True)
    yield folder
    catalog.use(catalog.ENGLISH)


def test_a_translation_may_lack_texts_and_cannot_break_the_others(of_the_person):
    (of_the_person / "pl.toml").write_text(
        'language = "polski"\n'
        'plural = "n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"\n'
        'film.views = ["{n} widok", "{n} widoki", "{n} widoków"]\n'
        'source.masks = "maski {oops}"\n'
        'status.empty = "brace { alone"\n'
        'widgets.mesh_resolution.format = "%s komórek"\n'
        'widgets.start.label = "Zacznij"\n',
        "utf-8",
    )
    (of_the_person / "broken.toml").write_text("= no TOML", "utf-8")
    assert catalog.languages() == {"en": "English", "broken": "broken", "pl": "polski"}
    catalog.use("pl")
    assert [catalog.say("film.views", n) for n in (1, 3, 12)] == [
        "1 widok",
        "3 widoki",
        "12 widoków",
    ]
    assert catalog.widgets()["start"]["label"] == "Zacznij"
    assert catalog.widgets()["mesh_resolution"]["format"] == "Resolution: %d"
    assert (catalog.say("source.masks"), catalog.say("status.empty")) == (
        "masks",
        "Nothing is open.",
    )
    catalog.use("broken")
    assert catalog.say("film.views", 2) == "2 keyframes"
    catalog.use("nowhere")
    assert catalog.say("film.views", 1) == "1 keyframe"


@pytest.mark.slow
def test_the_whole_window_can_speak_another_language(launch, tmp_path, capture, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = home / ".config" / "gradina"
    _translate(
        folder / "text" / "xx.toml",
        lambda told: [f"[{one}]" for one in told] if isinstance(told, list) else f"[{told}]",
    )
    (folder / "settings.json").write_text('{"language": "xx"}')
    window = launch(home=home)
    ui = window.wait(lambda ui: ui["engine"] == "ready", "the engine")
    assert ui["status"] == "[Nothing is open.]"
    labels = {tag: ui["labels"][tag] for tag in ("new", "start", "training", "hint_browse")}
    assert labels == {
        "new": "[New]",
        "start": "[Start]",
        "training": "[Training]",
        "hint_browse": "[Open photos…]",
    }
    window.click("path")
    window.type("/no/such/folder")
    window.key("Return")
    ui = window.wait(lambda ui: ui["failure"], "the failure")
    assert ui["failure"] == "[/no/such/folder does not exist. Check the path.]"
    window.retype("path", str(capture))
    window.wait_state("ready")
    window.click("start")
    ui = window.wait(lambda ui: ui["step"] > 0 and ui["history"] > 1, "training")
    assert ui["status"].startswith("[capture: [Refining the surface, level ")
    window.key("h")
    window.wait(lambda ui: "help" in ui["widgets"], "the list of keys")
    assert window.look()["failure"] == ""
    assert window.close() == 0
    assert window.errors() == ""
