"""Every text of the window, in its language.

The window's own texts stand in English in ``assets/text/en.toml``, by dotted key; `tr` and
`tr_group` look them up. The engine's texts arrive as `core.base.text.Text`; `localize` translates
them. A translation is a gettext file ``<language>.po`` in ``assets/text`` or in the folder "text"
next to the settings (`python -m app.text.extract` writes one to fill in). Whatever it lacks, or
fills in with other parts than the English text has, stays English.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterator, Mapping
from gettext import c2py
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from core.base.paths import settings_file
from core.base.text import Text

ENGLISH = "en"
_PARTS = re.compile(r"\{[^}]*\}|[{}]|%[.\d]*[a-zA-Z%]")
_log = logging.getLogger("gradina.window")


def languages() -> dict[str, str]:
    """Return the name of each language in itself by its code, English first."""
    codes = {path.name.removesuffix(".po") for path in _translations()}
    return {ENGLISH: "English"} | {code: _name(code) for code in sorted(codes - {ENGLISH})}


def set_language(language: str) -> None:
    """Use ``language``, one of `languages`, from now on; English where there is no such one."""
    global _translation
    _translation = None if language == ENGLISH else _read(language)


def tr(key: str, n: int = 1, /, *numbered: object, **parts: object) -> str:
    """Return a text of the window.

    Args:
        key: Its dotted key in ``en.toml``.
        n: The number that chooses among plural forms.
        *numbered: Values of {0}, {1} and so on.
        **parts: Values of named parts.
    """
    one, many = english_texts()[key]
    return _translated(one, many, n, key).format(*numbered, n=n, **parts)


def localize(text: Text) -> str:
    """Return a text of the engine in the language of the window."""
    return text.translated(_translated)


def tr_group(key: str) -> dict[str, str]:
    """Return all texts below ``key``, by the rest of their keys, in the file's order."""
    below = f"{key}."
    return {
        k.removeprefix(below): _translated(one, many, 1, k)
        for k, (one, many) in english_texts().items()
        if k.startswith(below)
    }


def widget_texts() -> dict[str, dict[str, str]]:
    """Return by tag the texts of each widget, by their use: label, tip, hint and so on."""
    found: dict[str, dict[str, str]] = {}
    for key, text in tr_group("widgets").items():
        tag, _, part = key.rpartition(".")
        found.setdefault(tag, {})[part] = text
    return found


def english_texts() -> dict[str, tuple[str, str]]:
    """Return each text of ``en.toml`` by its key, with its plural form or ""."""
    return _ENGLISH


def has_parts_of(translation: str, *english: str) -> bool:
    """Whether ``translation`` is filled in with nothing that the ``english`` texts are not."""
    return set(_PARTS.findall(translation)) <= {p for text in english for p in _PARTS.findall(text)}


def _translated(one: str, many: str, n: int, key: str | None = None) -> str:
    english = many if many and n != 1 else one
    message = _translation.get(one, key) if _translation is not None else None
    if _translation is None or message is None:
        return english
    forms = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    return forms[min(c2py(_translation.plural_expr)(n), len(forms) - 1)] or english


def _translations() -> Iterator[Traversable]:
    for folder in (files("assets") / "text", settings_file().parent / "text"):
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if path.name.endswith(".po"))


def _name(code: str) -> str:
    try:
        return Locale.parse(code).get_display_name() or code
    except (UnknownLocaleError, ValueError):
        return code


def _read(language: str) -> Catalog | None:
    """Return the messages that can be filled in.

    None where there is no such file, or no readable one.
    """
    for path in _translations():
        if path.name == f"{language}.po":
            try:
                with path.open("rb") as file:
                    catalog = read_po(file, ignore_obsolete=True, abort_invalid=True)
            except (OSError, ValueError, PoFileError) as error:
                _log.warning("%s cannot be read: %s", path, error)
                return None
            for message in filter(_misfits, list(catalog)):
                _log.warning("%s: %s is filled in with other parts", path, message.id)
                catalog.delete(message.id, message.context)
            return catalog
    return None


def _misfits(message: Message) -> bool:
    ids = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
    forms = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    return bool(message.id) and not all(has_parts_of(form or "", *ids) for form in forms)


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(cast(dict[str, object], value), f"{above}{key}.")
        elif isinstance(value, list):
            one, many = cast(list[str], value)
            yield above + key, (one, many)
        else:
            yield above + key, (str(value), "")


_ENGLISH = dict(_flat(tomllib.loads((files("assets") / "text" / "en.toml").read_text("utf-8"))))
_translation: Catalog | None = None
