"""Where things are kept that nobody chose a place for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import platformdirs


def settings_file() -> Path:
    """What a person chose about the window, and how they left it."""
    return platformdirs.user_config_path("gradina") / "settings.json"


def recent_file() -> Path:
    """What was opened lately."""
    return platformdirs.user_data_path("gradina") / "recent.json"


def recovery_folder() -> Path:
    """Where each window leaves word of its work until it ends well."""
    return platformdirs.user_data_path("gradina") / "running"


def autosave_root() -> Path:
    """Where all automatic saves go."""
    return platformdirs.user_data_path("gradina") / "autosave"


def is_automatic(folder: Path) -> bool:
    """Whether ``folder`` holds automatic saves, which nobody asked for."""
    return folder.resolve().parent == autosave_root().resolve()


def autosave_folder(source: str) -> Path:
    """Where the automatic saves of the capture at ``source`` go."""
    return autosave_root() / _label(source)


def pose_workspace(path: Path) -> Path:
    """Where poses solved for the photos at ``path`` are kept, so that they are solved once."""
    return platformdirs.user_cache_path("gradina") / "poses" / _label(str(path.resolve()))


def weights_file() -> Path:
    """Where the folder of the CLIP network is noted that was last used."""
    return platformdirs.user_data_path("gradina") / "weights.json"


def prompts_folder() -> Path:
    """Where prompt files are kept that were written in the window."""
    return platformdirs.user_data_path("gradina") / "prompts"


def spill_folder() -> Path:
    """Where meshes that are too large for memory lie while they are made."""
    return platformdirs.user_cache_path("gradina") / "spill"


def kernel_cache() -> Path:
    """Where kernels compiled for this machine's GPU are kept."""
    return platformdirs.user_cache_path("gradina") / "kernels"


def _label(source: str) -> str:
    return f"{Path(source).name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
