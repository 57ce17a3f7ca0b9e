"""What the engine says, in the language of the window.

It arrives as English sentences that are filled in already. All of them are known, as templates with
{0}, {1} … for what is filled in: the keys below ``engine`` in ``assets/text/en.toml``. So a
sentence is taken apart by the template that it fits, and put together by the translation of that.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from app.text import catalog
from core.protocol import (
    Exported,
    Failure,
    InputDetected,
    MethodWords,
    Notice,
    Opened,
    PhotoReport,
    PoseReport,
    StateChanged,
    TaskProgress,
)

_WORDS: dict[type, tuple[str, ...]] = {
    StateChanged: ("reasons", "undo", "redo"),
    InputDetected: ("lines",),
    Opened: ("kind", "methods", "notices"),
    MethodWords: ("words", "presets"),
    PoseReport: ("photos", "advice", "attempts"),
    PhotoReport: ("reason",),
    TaskProgress: ("detail",),
    Exported: ("notes",),
    Notice: ("text",),
    Failure: ("text",),
}
"""Which fields of messages are words for people, or hold such."""
_BETWEEN = re.compile(r"[.,;:] | \(|\)|\n|\sand\s|^\d+ ")
"""The parts of what no template knows as a whole."""


def translated(told: Any) -> Any:
    """A text of the engine, or whatever holds such: a message, a tuple, the values of a dict."""
    if catalog.in_english():
        return told
    match told:
        case str():
            return _sentence(told)
        case tuple():
            return tuple(map(translated, told))
        case dict():
            return {key: translated(value) for key, value in told.items()}
        case msgspec.Struct():
            changes = {name: translated(getattr(told, name)) for name in _WORDS.get(type(told), ())}
            return msgspec.structs.replace(told, **changes)
        case _:
            return told


def _sentence(words: str) -> str:
    """As a whole, or part by part."""
    if whole := _by_template(words):
        return whole
    cut = _BETWEEN.search(words)
    if cut is None:
        return words
    first, between = (_by_template(part) or part for part in (words[: cut.start()], cut[0]))
    return first + between + _sentence(words[cut.end() :])


def _by_template(words: str) -> str:
    """ "" where it fits none. What is filled in may be a text of the engine too."""
    for literal, pattern, template in _templates():
        if literal in words and (found := pattern.fullmatch(words)):
            parts = found.groups()
            n = next((int(part) for part in parts if part.isdecimal()), 1)
            return catalog.say(f"engine.{template}", n, *map(_sentence, parts))
    return ""


@cache
def _templates() -> list[tuple[str, re.Pattern[str], str]]:
    """Something that texts of the template hold, what they look like, and the template; those that
    say most themselves first."""
    found = []
    for template in catalog.names("engine"):
        literals = re.split(r"\{\d+\}", template)
        pattern = re.compile("(.*?)".join(map(re.escape, literals)), re.DOTALL)
        found.append((sum(map(len, literals)), max(literals, key=len), pattern, template))
    return [one[1:] for one in sorted(found, key=lambda one: -one[0])]
