"""All that the engine says can be said in the window's language."""

import ast
import re
import typing

import msgspec
import pytest

from app.text import catalog
from app.text.engine_text import _WORDS, translated
from core.base.errors import UserError
from core.protocol import Event, Failure, MethodWords, PhotoReport, StateChanged
from tests.engine_texts import CATALOGUE, FRAGMENTS, HEADING, section, sources, template

TEMPLATES = catalog.names("engine")
NO_WORDS = {
    "autosave",
    "common",
    "device",
    "excluded",
    "losses",
    "name",
    "names",
    "path",
    "photos_of",
    "project",
    "replaces",
    "sentence",
    "task",
    "unit",
}
"""Fields of messages that hold strings, but names of things and no words of the engine."""


def _fill(template):
    return re.sub(r"\{(\d+)\}", r"<\1>", template)


@pytest.fixture
def speak(tmp_path, monkeypatch):
    """Speak a language that the given TOML holds."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "gradina" / "text"
    folder.mkdir(parents=True)

    def speak(translation):
        (folder / "xx.toml").write_text(translation, "utf-8")
        catalog.use("xx")

    yield speak
    catalog.use(catalog.ENGLISH)


@pytest.fixture
def bracketed(monkeypatch):
    """Each text of the engine in brackets."""
    monkeypatch.setattr(
        catalog,
        "_texts",
        {
            key: f"[{said}]" if key.startswith("engine.") else said
            for key, said in catalog._ENGLISH.items()
        },
    )


def test_the_catalogue_holds_all_that_the_engine_says_and_nothing_else():
    held = CATALOGUE.read_text("utf-8").partition(HEADING)[2]
    assert held == section(), "run: python -m tests.engine_texts"


def test_each_single_word_and_part_is_said_still():
    said = {template(node) for tree in sources().values() for node in ast.walk(tree)}
    parts = {fragment: re.sub(r"\{\d\}", "{}", fragment) for fragment in FRAGMENTS}
    assert [
        fragment
        for fragment, part in parts.items()
        if not (any(part in text for text in said) if " " in part else part in said)
    ] == []


def test_each_text_is_found_again_whatever_is_filled_in(bracketed):
    for filled in map(_fill, TEMPLATES):
        assert translated(filled) == f"[{filled}]"


def test_a_translation_that_is_english_changes_nothing(monkeypatch):
    monkeypatch.setattr(catalog, "_texts", dict(catalog._ENGLISH))
    for filled in map(_fill, TEMPLATES):
        assert translated(filled) == filled


def test_in_english_a_message_stays_the_very_same():
    failure = Failure("The scene has no photos")
    assert translated(failure) is failure


def test_what_is_filled_in_changes_places_and_is_translated_itself(speak):
    speak("""
        plural = "n==1 ? 0 : n<5 ? 1 : 2"
        [engine]
        "{0} of {1} photos placed" = "z {1} zdjęć umieszczono {0}"
        "reading {0}" = "{0}: czytanie"
        "a COLMAP model" = "model COLMAP"
        "leaving out {0}" = "bez {0}"
        "{0} photos" = ["{0} zdjęcie", "{0} zdjęcia", "{0} zdjęć"]
        "blurred" = "nieostre"
        "{0} of {1} photos are not used: {2}" = "Nieużyte ({0} z {1}): {2}"
        "Left out: {0}" = "{0} i {1}"
    """)
    assert translated("7 of 9 photos placed") == "z 9 zdjęć umieszczono 7"
    assert translated("reading a COLMAP model") == "model COLMAP: czytanie"
    assert [translated(f"leaving out {n} photos") for n in (3, 8)] == [
        "bez 3 zdjęcia",
        "bez 8 zdjęć",
    ]
    assert translated("2 of 9 photos are not used: a.jpg (blurred); b.jpg (no overlap)") == (
        "Nieużyte (2 z 9): a.jpg (nieostre); b.jpg (no overlap)"
    )
    assert translated("Left out: a.jpg") == "Left out: a.jpg", "what it lacks cannot be filled in"
    assert translated("Nothing is training") == "Nothing is training", "left out"


def test_a_list_is_translated_part_by_part(bracketed):
    assert translated("repair: 3 faces turned, 4 vertices doubled") == (
        "[repair]: 3 [faces turned], 4 [vertices doubled]"
    )
    assert translated("my owl: a COLMAP model") == "my owl: [a COLMAP model]"
    for unknown in ("a file of the person, (so named); 3", "3 ; and .", "\n", ""):
        assert translated(unknown) == unknown


def test_an_error_is_one_text_with_its_remedy(bracketed):
    error = UserError("/a. b, c/d does not exist", "Check the path.")
    assert translated(Failure(str(error), "open", "/p")) == Failure(f"[{error}]", "open", "/p")


def test_messages_are_translated_where_they_hold_words(bracketed):
    state = StateChanged("empty", ("open",), {"pause": "Nothing is training"}, undo="the ground")
    assert translated(state) == StateChanged(
        "empty", ("open",), {"pause": "[Nothing is training]"}, undo="[the ground]"
    )
    assert translated({"a": MethodWords("checking", {"p": "comparing"})}) == {
        "a": MethodWords("[checking]", {"p": "[comparing]"})
    }
    assert translated((PhotoReport("blurred", False, "blurred"),)) == (
        PhotoReport("blurred", False, "[blurred]"),
    )


def test_of_each_field_that_holds_strings_it_is_known_whether_they_are_words():
    held, words = set(), set()
    for message in {*typing.get_args(Event), *_WORDS}:
        for field in msgspec.structs.fields(message):
            if field.name in _WORDS.get(message, ()):
                words.add(field.name)
            elif "str" in re.findall(r"\w+", str(field.type)):
                held.add(field.name)
    assert held == NO_WORDS
    assert len(words) == len({name for names in _WORDS.values() for name in names})
