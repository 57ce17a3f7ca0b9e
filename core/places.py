"""Where things are kept that nobody chose a place for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import platformdirs


def autosave_folder(source: str) -> Path:
    """Where the automatic saves of the capture at ``source`` go."""
    return platformdirs.user_data_path("gradina") / "autosave" / _label(source)


def pose_workspace(path: Path) -> Path:
    """Where poses solved for the photos at ``path`` are kept, so that they are solved once."""
    return platformdirs.user_cache_path("gradina") / "poses" / _label(str(path.resolve()))


def kernel_cache() -> Path:
    """Where kernels compiled for this machine's GPU are kept."""
    return platformdirs.user_cache_path("gradina") / "kernels"


def _label(source: str) -> str:
    return f"{Path(source).name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
