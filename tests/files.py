"""What lies in a folder of results."""

from pathlib import Path

from core.base.outputs import MARKER


def results(folder: Path) -> list[Path]:
    """All but the list of what Gradina wrote."""
    return [path for path in folder.iterdir() if path.name != MARKER]
