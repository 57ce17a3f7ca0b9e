"""The counts of ``python -m tests.house`` on a small tree."""

from pathlib import Path

import pytest

from tests import house

PYPROJECT = """
[tool.pyright]
include = ["app", "core"]
strict = ["core/geometry", "app/**/keys.py"]
[[tool.importlinter.contracts]]
type = "forbidden"
[[tool.importlinter.contracts]]
type = "layers"
layers = ["session", "protocol", "output | training", "geometry"]
"""
FILES = {
    "main.py": "x = 1\n" * 351,
    "core/__init__.py": "",
    "core/loose.py": "import core.protocol",
    "core/session/__init__.py": "from core.protocol import commands",
    "core/protocol/events.py": "from core.protocol import commands",
    "core/training/trainer.py": "from core import protocol\n# pyright: strict",
    "core/geometry/box.py": "\n".join(f"class _{x}:\n  def corner(self): ..." for x in "abcdef"),
    "core/geometry/rigid.py": "# pyright: basic\nimport core.protocols",
    "app/store/keys.py": '''
class Keys:
    """Which keys are held."""
    @property
    def control(self):
        """Whether it is held."""
    @control.setter
    def control(self, value): ...
    def shift(self):
        def inside(): ...
    def _hidden(self): ...
''',
}


@pytest.fixture
def tree(tmp_path: Path) -> house.Tree:
    for name, text in (FILES | {"pyproject.toml": PYPROJECT}).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return house.read_tree(tmp_path)


def test_counts(tree):
    assert house.loose_modules(tree) == ["core/loose.py"]
    assert house.frequent_names(tree) == ["corner (6)"]
    assert house.undocumented(tree) == ["app/store/keys.py:Keys.shift"]
    assert house.n_public(tree) == 3
    assert house.strict_files(tree) == [
        "app/store/keys.py",
        "core/geometry/box.py",
        "core/training/trainer.py",
    ]
    assert house.protocol_imports(tree) == ["core/training/trainer.py"]
    assert house.long_files(tree) == ["main.py (351)"]


def test_this_tree_can_be_counted():
    tree = house.read_tree(Path(__file__).parents[1])
    assert house.protocol_imports(tree) == []
