"""The comparison as a fixture."""

from pathlib import Path

import pytest

from tests.golden.compare import Golden


@pytest.fixture
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Golden:
    """Compares, or with ``--renew-golden`` stores."""
    return Golden(request.config.getoption("--renew-golden"), tmp_path)
