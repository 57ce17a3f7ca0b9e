"""Files and folders of the user's settings, data and cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

import platformdirs


def settings_file() -> Path:
    """Return the file of the window's settings and layout."""
    return platformdirs.user_config_path("gradina") / "settings.json"


def recent_file() -> Path:
    """Return the file that lists recently opened captures and projects."""
    return platformdirs.user_data_path("gradina") / "recent.json"


def recovery_folder() -> Path:
    """Return the folder of recovery markers, one for each running window."""
    return platformdirs.user_data_path("gradina") / "running"


def autosave_root() -> Path:
    """Return the folder of all automatic saves."""
    return platformdirs.user_data_path("gradina") / "autosave"


def is_automatic(folder: Path) -> bool:
    """Whether ``folder`` holds automatic saves."""
    return folder.resolve().parent == autosave_root().resolve()


def autosave_folder(source: str) -> Path:
    """Return the folder of the automatic saves of the capture at ``source``."""
    return autosave_root() / _label(source)


def pose_workspace(path: Path) -> Path:
    """Return the folder that keeps the poses solved for the photos at ``path``."""
    return platformdirs.user_cache_path("gradina") / "poses" / _label(str(path.resolve()))


def weights_file() -> Path:
    """Return the file that names the CLIP network that was last used."""
    return platformdirs.user_data_path("gradina") / "weights.json"


def prompts_folder() -> Path:
    """Return the folder of prompt files that were written in the window."""
    return platformdirs.user_data_path("gradina") / "prompts"


def spill_folder() -> Path:
    """Return the folder of arrays of meshes that are too large for memory."""
    return platformdirs.user_cache_path("gradina") / "spill"


def kernel_cache() -> Path:
    """Return the folder of kernels that were compiled for this machine's GPU."""
    return platformdirs.user_cache_path("gradina") / "kernels"


def _label(source: str) -> str:
    """Return a folder name for ``source``: its last part and a hash."""
    return f"{Path(source).name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
