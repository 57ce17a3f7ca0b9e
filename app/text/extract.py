"""Writes the file that a translator fills in: ``python -m app.text.extract de``.

It collects the window's texts from ``assets/text/en.toml`` and the engine's from its source, and
keeps what an earlier ``de.po`` has translated already.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.text.catalog import english_texts
from core.base.program import ROOT

KEYWORDS = {"text": None, "plural": (1, 2)}
"""The functions of `core.base.text` whose first arguments are message ids."""


def engine_messages() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """File, line and message id (with its plural) of each text that the engine can say."""
    for file, line, message, _, _ in extract_from_dir(
        ROOT / "core",
        method_map=[("base/text.py", "ignore"), ("**.py", "python")],
        keywords=KEYWORDS,
    ):
        yield f"core/{file}", line, message


def template(language: str) -> Catalog:
    """All messages, untranslated. Those of the window have their key as context."""
    catalog = Catalog(locale=language, project="gradina")
    for key, (one, many) in english_texts().items():
        catalog.add((one, many) if many else one, context=key)
    for file, line, message in engine_messages():
        catalog.add(message, locations=[(file, line)])
    return catalog


def main(language: str, folder: Path = ROOT / "assets" / "text") -> Path:
    """Write ``language.po`` into ``folder``, or bring it up to date; returns its path."""
    path = folder / f"{language}.po"
    catalog = template(language)
    if path.exists():
        with path.open("rb") as file:
            translated = read_po(file)
        translated.update(catalog)
        catalog = translated
    with path.open("wb") as file:
        write_po(file, catalog, width=100)
    return path


if __name__ == "__main__":
    print(main(sys.argv[1]))
