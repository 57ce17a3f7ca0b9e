"""``python -m tests.house [TREE ...]``: how legible the code is, in numbers.

One column for each checkout in the folders TREE, this one if none is given, so that two can be
compared. ``-v`` lists what the numbers count.
"""

from __future__ import annotations

import argparse
import ast
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

MAX_LINES, MAX_DEFINITIONS = 350, 5
PROTOCOL = ("core.protocol", "core.messages")
"""What it is called, now and formerly."""
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class File:
    path: str
    """Relative to the tree, with slashes."""
    text: str
    syntax: ast.Module

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def n_lines(self) -> int:
        return len(self.text.splitlines())


@dataclass(frozen=True)
class Tree:
    files: list[File]
    """Of `app`, `core` and main.py, by path."""
    tools: dict[str, Any]
    """The tables ``[tool.*]`` of pyproject.toml."""


def read_tree(root: Path) -> Tree:
    """The checkout in the folder ``root``."""
    paths = [*root.glob("app/**/*.py"), *root.glob("core/**/*.py"), root / "main.py"]
    files = []
    for path in sorted(paths):
        text = path.read_text("utf-8")
        files.append(File(path.relative_to(root).as_posix(), text, ast.parse(text)))
    return Tree(files, tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"])


def loose_modules(tree: Tree) -> list[str]:
    """Modules that lie directly in ``core`` or ``app``."""
    return [
        file.path
        for file in tree.files
        if re.fullmatch(r"(core|app)/\w+\.py", file.path) and not file.path.endswith("__init__.py")
    ]


def frequent_names(tree: Tree) -> list[str]:
    """Names of functions, methods and classes that are defined more than five times."""
    nodes = (node for file in tree.files for node in ast.walk(file.syntax))
    count = Counter(node.name for node in nodes if isinstance(node, Definition))
    return [
        f"{name} ({n})"
        for name, n in count.most_common()
        if n > MAX_DEFINITIONS and not name.startswith("__")
    ]


def undocumented(tree: Tree) -> list[str]:
    """Public functions, methods and classes without a docstring."""
    return [
        f"{file.path}:{name}"
        for file in tree.files
        for name, node in public_definitions(file.syntax.body)
        if ast.get_docstring(node) is None
    ]


def public_definitions(
    body: Iterable[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, Definition]]:
    """With dotted names; what functions define inside is not public."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_") and not _is_setter(node):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{prefix}{node.name}.")


def _is_setter(node: Definition) -> bool:
    """The docstring of a property is that of its getter."""
    return any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list)


def n_public(tree: Tree) -> int:
    """How many functions, methods and classes are public."""
    return sum(1 for file in tree.files for _ in public_definitions(file.syntax.body))


def strict_files(tree: Tree) -> list[str]:
    """Files that pyright checks strictly, by pyproject.toml or by a comment."""
    settings = tree.tools.get("pyright", {})
    folders = list(settings.get("strict", []))
    if settings.get("typeCheckingMode") == "strict":
        folders += settings.get("include", ["."])
    return [file.path for file in tree.files if _is_strict(file, folders)]


def _is_strict(file: File, folders: list[str]) -> bool:
    comment = re.search(r"^# pyright: *(strict|standard|basic)\b", file.text, re.MULTILINE)
    if comment:
        return comment[1] == "strict"
    return any(_matches(file.path, folder) for folder in folders)


def _matches(path: str, pattern: str) -> bool:
    """As pyright reads a path: a folder stands for all below it, ``**`` for any folders."""
    parts = re.escape(pattern.strip("/")).replace(r"\*\*/", "(.*/)?").replace(r"/\*\*", "(/.*)?")
    return (
        re.fullmatch(parts.replace(r"\*\*", ".*").replace(r"\*", "[^/]*") + "(/.*)?", path)
        is not None
    )


def protocol_imports(tree: Tree) -> list[str]:
    """Files that import the protocol and lie below the session in the tree's import contract."""
    below = _below_session(tree.tools["importlinter"]["contracts"])
    return [
        file.path
        for file in tree.files
        if _inside(file.module, below)
        and not _inside(file.module, PROTOCOL)
        and any(_inside(module, PROTOCOL) for module in _imports(file.syntax))
    ]


def _below_session(contracts: list[dict[str, Any]]) -> list[str]:
    """Modules in the layers below ``core.session``."""
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    names = [
        [f"core.{name.strip().removeprefix('core.')}" for name in x.split("|")] for x in layers
    ]
    start = names.index(["core.session"]) + 1
    return [name for layer in names[start:] for name in layer]


def _imports(syntax: ast.Module) -> Iterator[str]:
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _inside(module: str, packages: Iterable[str]) -> bool:
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


def long_files(tree: Tree) -> list[str]:
    """Files of more than 350 lines."""
    return [f"{file.path} ({file.n_lines})" for file in tree.files if file.n_lines > MAX_LINES]


COUNTS: dict[str, Callable[[Tree], list[str]]] = {
    "modules loose in core/ and app/": loose_modules,
    f"names defined more than {MAX_DEFINITIONS} times": frequent_names,
    "public functions, methods and classes without docstring": undocumented,
    "strictly typed files": strict_files,
    "files below the session that import the protocol": protocol_imports,
    f"files over {MAX_LINES} lines": long_files,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.house", description=__doc__)
    here = Path(__file__).parents[1]
    parser.add_argument("trees", nargs="*", type=Path, default=[here], metavar="TREE")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what is counted")
    arguments = parser.parse_args()
    trees = [read_tree(root) for root in arguments.trees]

    def row(title: str, values: Iterable[object]) -> None:
        print(f"{title:<58}", *(f"{value:>8}" for value in values))

    row("", (root.resolve().name[:8] for root in arguments.trees))
    for title, count in COUNTS.items():
        found = [count(tree) for tree in trees]
        row(title, map(len, found))
        if arguments.verbose:
            for root, names in zip(arguments.trees, found):
                for name in names:
                    print(f"    {root.resolve().name}: {name}")
    row("median lines of a file", (median(f.n_lines for f in tree.files) for tree in trees))
    row("files", (len(tree.files) for tree in trees))
    row("public functions, methods and classes", map(n_public, trees))


if __name__ == "__main__":
    main()
