"""The tree stays one that a newcomer can read: small files and folders, each of which says what
belongs in it, and pages whose paths exist."""

import ast
import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
MAX_LINES, MAX_MEDIAN_LINES, MAX_MODULES = 350, 150, 18
PACKAGES = sorted(
    path.parent.relative_to(ROOT).as_posix()
    for room in ("core", "app")
    for path in (ROOT / room).rglob("__init__.py")
)
TEST_PATH = re.compile(r"``(tests/[\w/]+(?:\.py)?)``")


def modules(*rooms: str) -> dict[str, int]:
    """Lines by path of every Python file in ``rooms``."""
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): _n_lines(path) for path in files}


def _n_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_what_belongs_in_it_what_does_not_and_where_its_tests_are(package):
    text = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text("utf-8")))
    assert text is not None
    assert "Not here:" in " ".join(text.split()) or package == "core"
    tests = TEST_PATH.findall(text)
    assert tests
    assert all((ROOT / path).exists() for path in tests)


def test_every_folder_with_modules_is_a_package():
    folders = {path.rpartition("/")[0] for path in modules("core", "app")}
    assert folders == set(PACKAGES)


def test_folders_are_small():
    names = [path for path in modules("core", "app") if not path.endswith("__init__.py")]
    sizes = {package: sum(p.rpartition("/")[0] == package for p in names) for package in PACKAGES}
    assert {package: n for package, n in sizes.items() if n > MAX_MODULES} == {}


def test_core_has_no_loose_modules_but_the_entry_from_python():
    assert {path.name for path in (ROOT / "core").glob("*.py")} == {"__init__.py", "api.py"}


def test_files_are_short():
    lines = modules("core", "app", "tests") | {"main.py": _n_lines(ROOT / "main.py")}
    assert {path: n for path, n in lines.items() if n > MAX_LINES} == {}
    assert median(modules("core", "app").values()) <= MAX_MEDIAN_LINES


PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "tests/benchmarks/README.md")),
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]
QUOTED = re.compile(r"`([^`\n]+)`")
A_PATH = re.compile(
    r"((?:core|app|shaders|assets|tests|docs|\.ci)/[\w./-]*|main\.py|pyproject\.toml|[A-Z]+\.md)(?::(\w+))?"
)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_exists(page):
    """Paths in backticks; `path:name` is something that the file defines. And links."""
    text = page.read_text("utf-8")
    words = [word for quoted in QUOTED.findall(text) for word in quoted.split()]
    paths = [match for word in words if (match := A_PATH.fullmatch(word))]
    missing = [match[0] for match in paths if not _defines(ROOT / match[1], match[2])]
    missing += [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []


def _defines(path: Path, name: str | None) -> bool:
    if not path.exists() or name is None:
        return path.exists()
    start = rf"^[ \t]*(?:def |class |async def )?{name}\b *[\[(:=]"
    return re.search(start, path.read_text("utf-8"), re.MULTILINE) is not None


def test_the_map_in_main_names_what_exists():
    text = ast.get_docstring(ast.parse((ROOT / "main.py").read_text("utf-8"))) or ""
    paths = re.findall(r"\b(?:core|app)/[\w/.]+", text)
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []
