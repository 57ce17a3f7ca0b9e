"""Texts for people: an English template with values, translated where it is shown.

An error, a notice or a line of progress is written where it arises, as ``text("{path} is empty",
path=path)``. The template travels and is stored with its values; the command line shows it in
English (``str``), the window in its language. The template is the message id, as in gettext, so it
must be a literal: `app.text.extract` collects all of them for translators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real

import msgspec


class Text(msgspec.Struct, frozen=True):
    """A text that is not yet translated."""

    template: str
    """English, with named fields as in `str.format`"""
    values: dict[str, Text | str | int | float] = {}
    """values of the fields by name; texts among them are translated too"""
    plural: str = ""
    """template for all values of ``n`` but 1; empty if it does not depend on ``n``"""

    def __str__(self) -> str:
        return self.translated(_english)

    def __hash__(self) -> int:
        return hash(str(self))

    def __bool__(self) -> bool:
        return bool(self.template)

    def filled(self, **values: object) -> Text:
        """Return this text with more values."""
        return Text(self.template, self.values | text("", **values).values, self.plural)

    def translated(self, translate: Callable[[str, str, int], str]) -> str:
        """Return the translated text with its values filled in.

        Args:
            translate: returns the translated template, given ``template``, ``plural`` and ``n``.
        """
        values = {
            name: value.translated(translate) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        n = self.values.get("n", 1)
        template = translate(self.template, self.plural, n if isinstance(n, int) else 1)
        return template.format(**values)


NO_TEXT = Text("")


def text(template: str, /, **values: object) -> Text:
    """Return a text of the literal ``template``.

    Args:
        template: English, with named fields as in `str.format`.
        **values: values of the fields; those that are neither texts nor numbers become their `str`.
    """
    return Text(template, {name: _plain(value) for name, value in values.items()})


def plural(one: str, many: str, /, *, n: int, **values: object) -> Text:
    """Return a text that depends on ``n``: the literal ``one`` where that is 1, else ``many``."""
    return msgspec.structs.replace(text(one, n=n, **values), plural=many)


def verbatim(value: object) -> Text:
    """Return a text that is not translated: a name, or a message of another program."""
    return Text("{value}", {"value": str(value)})


def join(separator: str, parts: Sequence[Text | str]) -> Text:
    """Return a text of ``parts`` with ``separator`` between them."""
    template = separator.join(f"{{p{i}}}" for i in range(len(parts)))
    return text(template, **{f"p{i}": part for i, part in enumerate(parts)})


def _plain(value: object) -> Text | str | int | float:
    """``value`` as a message can hold it; numpy's numbers as Python's."""
    if isinstance(value, (Text, str)):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else str(value)


def _english(template: str, plural: str, n: int) -> str:
    return plural if plural and n != 1 else template
