"""Every text of the window comes from one file, ``assets/text/en.toml``.

Its keys are dotted. ``widgets.TAG`` holds what stands on and about the widget of that tag, see
`app.widgets.widgets.dress`; everything else is asked for with `say`, or, where it is one of a few,
with `names`. A translation is a file of the same shape, either beside that one or in the folder
"text" next to the person's settings; whatever it lacks, or fills in with other things than the
English does, stays English. What the engine says (errors, notices, why something makes no sense
now, what an undo would take back) is written where it arises, in `core`, and stands in that file
once more as ``engine``; `app.text.engine_text` translates it.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from gettext import c2py
from importlib.resources import files
from importlib.resources.abc import Traversable

from core.base.paths import settings_file

Text = str | list[str]
"""Several are those for the numbers that `plural` tells apart, as in gettext."""
ENGLISH = "en"
_FILLED_IN = re.compile(r"\{[^}]*\}|[{}]|%[.\d]*[a-zA-Z%]")
_log = logging.getLogger("gradina.window")


def languages() -> dict[str, str]:
    """By its code what each language calls itself, English first."""
    codes = {path.name.removesuffix(".toml") for path in _files()}
    found = {code: str(_read(code).get("language", code)) for code in sorted(codes)}
    return {ENGLISH: found.pop(ENGLISH)} | found


def use(language: str) -> None:
    """From now on everything is said in ``language``, one of `languages`, else in English."""
    global _texts, _plural
    other = _read(language) if language != ENGLISH else {}
    _texts = {k: _fitting(k, text, other) for k, text in _ENGLISH.items()} if other else _ENGLISH
    try:
        _plural = c2py(str(_texts["plural"]))
    except ValueError as error:
        _log.warning("plural of %s: %s", language, error)


def in_english() -> bool:
    return _texts is _ENGLISH


def say(key: str, n: int = 1, /, *numbered: object, **parts: object) -> str:
    """The text ``key`` for the number ``n``, filled in with that, and the ``numbered`` and other
    ``parts``."""
    text = _texts[key]
    if isinstance(text, list):
        text = text[min(_plural(n), len(text) - 1)]
    return text.format(*numbered, n=n, **parts)


def names(key: str) -> dict[str, str]:
    """What all below ``key`` is called, in the file's order."""
    below = f"{key}."
    return {k.removeprefix(below): str(t) for k, t in _texts.items() if k.startswith(below)}


def widgets() -> dict[str, dict[str, str]]:
    """By tag what is said on and about widgets."""
    found: dict[str, dict[str, str]] = {}
    for key, text in names("widgets").items():
        tag, _, part = key.rpartition(".")
        found.setdefault(tag, {})[part] = text
    return found


def _files() -> Iterator[Traversable]:
    for folder in (files("assets") / "text", settings_file().parent / "text"):
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if path.name.endswith(".toml"))


def _read(language: str) -> dict[str, Text]:
    """By dotted key; nothing where there is no such language. Only English must be readable."""
    for path in _files():
        if path.name == f"{language}.toml":
            try:
                return dict(_flat(tomllib.loads(path.read_text("utf-8"))))
            except (OSError, ValueError) as error:
                if language == ENGLISH:
                    raise
                _log.warning("%s cannot be read: %s", path, error)
    return {}


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, Text]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        elif isinstance(value, list):
            yield above + key, [str(text) for text in value]
        else:
            yield above + key, str(value)


def _fitting(key: str, english: Text, other: Mapping[str, Text]) -> Text:
    """The other text, where there is one that is filled in with nothing else."""
    text = other.get(key, english)
    if any(_filled_in(one) - _filled_in(_each(english)[-1]) for one in _each(text)):
        _log.warning("%s is filled in with other things than in English", key)
        return english
    return text


def _each(text: Text) -> list[str]:
    return text if isinstance(text, list) else [text]


def _filled_in(text: str) -> Counter[str]:
    return Counter(_FILLED_IN.findall(text))


_ENGLISH = _read(ENGLISH)
_texts: dict[str, Text] = _ENGLISH
_plural = c2py("n != 1")
