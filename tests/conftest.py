"""Profiles of hypothesis: ``quick`` unless ``--hypothesis-profile=thorough`` is given;
``--strict-skips`` and ``--renew-golden``."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.skips"]

settings.register_profile(
    "quick",
    derandomize=True,  # the same examples in every run, so CI does not flicker
    max_examples=25,
    deadline=None,  # the first example compiles kernels
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile(
    "thorough",
    settings.get_profile("quick"),
    derandomize=False,
    max_examples=1000,
    print_blob=True,
)
settings.load_profile("quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--renew-golden``."""
    parser.addoption(
        "--renew-golden", action="store_true", help="store the pictures of tests/golden anew"
    )
