"""Photos of a ball, and sessions that are closed at the end."""

from pathlib import Path

import pytest

from core.training.presets import PRESETS
from tests.core.session.watched import Watched
from tests.core.shaded_ball import WARM, quick_conversion, shaded_ball


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return shaded_ball(tmp_path_factory.mktemp("ball"))


@pytest.fixture
def sessions(tmp_path, monkeypatch):
    """Makes watched sessions with a tiny preset; closes them."""
    for name in PRESETS:
        monkeypatch.setitem(PRESETS, name, WARM)
    quick_conversion(monkeypatch)
    made = []

    def make(**options):
        made.append(Watched(tmp_path / "autosave", **options))
        return made[-1]

    yield make
    for watched in made:
        watched.session.close()
