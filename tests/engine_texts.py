"""What the engine says to people, read off its source.

``python -m tests.engine_texts`` writes it into ``assets/text/en.toml``, as the last section. Taken
for words to people are all strings of two words or more, and single ones where they can be nothing
else; what is filled in becomes {0}, {1} and so on.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import grimp

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "assets" / "text" / "en.toml"
HEADING = "\n[engine]\n"
ENTRIES = ("core.session.session", "core.engine.worker", "core.capture.poses.process")
"""All that the window hears of is said by these or by what they import."""
SILENT = ("core.kernels", "core.capture.poses.database")
"""Hold code of other languages, and words for the command line."""
A_SENTENCE = re.compile(r"[A-Za-z]{2,}[,.:;]? |\s[a-z]{2,}|…")
A_WORD = re.compile(r"[A-Za-z]{3,}")
NOT_SAID = re.compile(
    r"(newmtl|K[ads]|illum|map_Kd|norm|format|comment|element|property|mtllib|nx|red)\b"
    r"|\w+: wanted"
)
"""Begins lines of the mesh files that are written, and what is said to programmers."""
SAID = {"Progress": 1, "Notice": 0, "Failure": 0, "UserError": 0}
"""Which argument of a call is told to people."""
UNSEEN = ("AssertionError", "warning", "exception")
"""What calls get that nobody is told."""
FRAGMENTS = (
    "blurred",
    "overexposed",
    "brighter",
    "darker",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "black",
    "white",
    "simplified",
    "textured",
    "refined",
    "repair",
    "holes",
    "unseen",
    "is damaged or cut short",
    "is not a readable image",
    "is a {0} photo",
    "and reading those needs an optional part",
    "nothing but a plain surface",
    "Copy it again, or remove it.",
    "Run pip install 'gradina[{0}]', or convert the photos to JPEG.",
)
"""Single words that are said, and parts of texts that are told without the rest."""


def sources() -> dict[str, ast.AST]:
    """By name the modules that the window hears of."""
    graph = grimp.build_graph("core")
    modules = {m for entry in ENTRIES for m in graph.find_upstream_modules(entry)} | {*ENTRIES}
    trees: dict[str, ast.AST] = {}
    for module in sorted(modules):
        if not module.startswith(SILENT):
            path = ROOT / module.replace(".", "/")
            file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            trees[module] = ast.parse(file.read_text("utf-8"))
    return trees


def engine_texts() -> dict[str, list[str]]:
    """By module the templates of all that it says, placeholders numbered; each one once."""
    found: dict[str, list[str]] = {}
    known: set[str] = set()
    for module, tree in sources().items():
        said = dict.fromkeys(_said(tree))
        found[module] = [text for text in said if text not in known]
        known |= said.keys()
    return {module: texts for module, texts in found.items() if texts} | {"parts": [*FRAGMENTS]}


def section() -> str:
    """All of them as TOML, each as its own English."""
    parts = []
    for module, texts in engine_texts().items():
        lines = [
            f"{quoted} = {quoted}"
            for text in texts
            for quoted in [json.dumps(text, ensure_ascii=False)]
        ]
        parts.append("\n".join([f"# {module}", *lines, ""]))
    return "\n".join(parts)


def _said(tree: ast.AST) -> Iterator[str]:
    """All texts, from the outside in."""
    done = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in UNSEEN:
                done |= {inner for part in node.args for inner in ast.walk(part)}
            elif name in ("UserError", "__init__") and len(node.args) == 2:
                what, remedy = map(template, node.args)
                yield from _numbered(f"{what.rstrip('.')}. {remedy}", A_WORD)
                done |= {inner for part in node.args for inner in _parts(part)}
            elif name in SAID:
                for part in node.args[SAID[name] : SAID[name] + 1]:
                    yield from _numbered(template(part), A_WORD)
        elif isinstance(node, ast.keyword) and node.arg == "detail":
            yield from _numbered(template(node.value), A_WORD)
        elif node not in done:
            yield from _numbered(template(node), A_SENTENCE)
            done |= set(_parts(node))


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """``node`` and all in it that is part of one text."""
    yield node
    inner = (
        node.values
        if isinstance(node, ast.JoinedStr)
        else ([node.left, node.right] if _is_sum(node) else [])
    )
    for part in inner:
        if isinstance(part, (ast.Constant, ast.JoinedStr)) or _is_sum(part):
            yield from _parts(part)


def _is_sum(node: ast.AST) -> TypeGuard[ast.BinOp]:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)


def template(node: ast.AST) -> str:
    """With {} for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{[^{}]*\}", "{}", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(template, node.values))
    if _is_sum(node):
        return template(node.left) + template(node.right)
    return "{}"


def _numbered(text: str, wanted: re.Pattern[str]) -> Iterator[str]:
    text = re.sub(r"(\{\})+", "{}", text)
    bare = text.replace("{}", "")
    if wanted.search(text) and A_WORD.search(bare) and not NOT_SAID.match(text):
        pieces = text.split("{}")
        yield "".join(f"{{{i - 1}}}{piece}" if i else piece for i, piece in enumerate(pieces))


if __name__ == "__main__":
    before = CATALOGUE.read_text("utf-8").partition(HEADING)[0]
    CATALOGUE.write_text(before + HEADING + section(), "utf-8")
