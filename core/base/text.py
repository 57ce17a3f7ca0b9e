"""Texts for people: an English template and the values that fill it in, put into words at the edge.

An error, a notice or a line of progress is written where it arises, as ``text("{path} is empty",
path=path)``. What travels and is stored is the template with its values; the command line says it
in English (``str``), the window in its language. The template is the message id, as in gettext, so
it must be a literal: `app.text.extract` collects all of them for translators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec


class Text(msgspec.Struct, frozen=True):
    """One text, not yet in any language."""

    template: str
    """in English, with named parts as of `str.format`"""
    values: dict[str, Text | str | int | float] = {}
    """by name what fills in the parts; texts are put into words themselves"""
    plural: str = ""
    """the template for all values of ``n`` but 1, where that makes a difference"""

    def __str__(self) -> str:
        return self.in_words(_english)

    def __hash__(self) -> int:
        return hash(str(self))

    def __bool__(self) -> bool:
        return bool(self.template)

    def filled(self, **values: object) -> Text:
        """This text with these values too."""
        return Text(self.template, self.values | text("", **values).values, self.plural)

    def in_words(self, translate: Callable[[str, str, int], str]) -> str:
        """The text filled in.

        Args:
            translate: from ``template``, ``plural`` and the number that it depends on to the
                template to fill in.
        """
        values = {
            name: value.in_words(translate) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        n = self.values.get("n", 1)
        template = translate(self.template, self.plural, n if isinstance(n, int) else 1)
        return template.format(**values)


NO_TEXT = Text("")


def text(template: str, /, **values: object) -> Text:
    """A text of the literal ``template``. Values that are neither texts nor numbers are taken as
    their ``str``."""
    return Text(template, {name: _plain(value) for name, value in values.items()})


def plural(one: str, many: str, /, *, n: int, **values: object) -> Text:
    """A text that depends on ``n``: the literal ``one`` where that is 1, else ``many``."""
    return msgspec.structs.replace(text(one, n=n, **values), plural=many)


def verbatim(words: object) -> Text:
    """What is the same in every language: a name, or a message of another program."""
    return Text("{words}", {"words": str(words)})


def join(separator: str, parts: Sequence[Text | str]) -> Text:
    """``parts`` one after the other."""
    template = separator.join(f"{{p{i}}}" for i in range(len(parts)))
    return text(template, **{f"p{i}": part for i, part in enumerate(parts)})


def _plain(value: object) -> Text | str | int | float:
    return value if isinstance(value, (Text, str, int, float)) else str(value)


def _english(template: str, plural: str, n: int) -> str:
    return plural if plural and n != 1 else template
