"""A text is a template with values: English by `str`, put into another language at the edge."""

import ast
import string
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.base.errors import UserError
from core.base.text import NO_TEXT, Text, join, plural, text, verbatim

CORE = Path(__file__).parents[3] / "core"


def test_a_text_in_english_is_its_template_filled_in():
    assert str(text("{path} is empty", path=Path("/a/b"))) == "/a/b is empty"
    assert str(text("{error:.1f} pixels", error=2.345)) == "2.3 pixels"
    assert str(verbatim("{braces}")) == "{braces}"
    assert not NO_TEXT
    assert str(NO_TEXT) == ""


@pytest.mark.parametrize(("n", "words"), [(0, "0 photos"), (1, "1 photo"), (7, "7 photos")])
def test_the_plural_is_for_every_number_but_one(n, words):
    assert str(plural("{n} photo", "{n} photos", n=n)) == words


def test_texts_fill_in_texts_and_are_put_into_words_with_them():
    inner = plural("{n} photo", "{n} photos", n=3)
    outer = text("excluding {what}: {list}", what=inner, list=join(", ", [text("a"), "b"]))
    assert str(outer) == "excluding 3 photos: a, b"
    german = {"excluding {what}: {list}": "ohne {what}: {list}", "{n} photo": "{n} Fotos"}
    assert outer.translated(lambda one, many, n: german.get(one, one)) == "ohne 3 Fotos: a, b"


def test_the_values_stay_as_they_are_when_the_template_is_translated():
    german = {"{n} of {total} photos placed": "Von {total} Fotos {n} platziert"}
    placed = text("{n} of {total} photos placed", n=7, total=9)
    assert placed.translated(lambda one, many, n: german[one]) == "Von 9 Fotos 7 platziert"


def test_a_text_travels_with_all_that_fills_it_in():
    sent = text("{what}, step {i} of {n}", what=verbatim("a"), i=2, n=3.5)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sent), type=Text) == sent
    assert msgspec.json.decode(msgspec.json.encode(sent), type=Text) == sent
    numbers = text("{n:,} of {share:.1f}", n=np.int64(1200), share=np.float32(0.5))
    assert str(msgspec.json.decode(msgspec.json.encode(numbers), type=Text)) == "1,200 of 0.5"


def test_an_error_is_one_text_of_what_went_wrong_and_the_remedy():
    error = UserError(text("{path} is empty", path="/p"), text("Put photos in it."))
    assert str(error) == str(error.text) == "/p is empty. Put photos in it."
    assert str(UserError(text("No photos"))) == "No photos"


def _calls():
    for path in sorted(CORE.rglob("*.py")):
        if path.name != "text.py":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                name = getattr(getattr(node, "func", None), "id", "")
                if isinstance(node, ast.Call) and name in ("text", "plural"):
                    yield f"{path.relative_to(CORE)}:{node.lineno}", name, node


def test_every_template_is_a_literal_whose_parts_are_given_by_name():
    """So that translators get them all, and none can fail to be filled in."""
    calls = list(_calls())
    assert len(calls) > 300
    for place, name, call in calls:
        templates = call.args[: 2 if name == "plural" else 1]
        given = {keyword.arg for keyword in call.keywords}
        for node in templates:
            assert isinstance(node, ast.Constant), place
            wanted = {part for _, part, _, _ in string.Formatter().parse(node.value) if part}
            later = not given  # filled in by `Text.filled`
            assert wanted <= given or later, place
