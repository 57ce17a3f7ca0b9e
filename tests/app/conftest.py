import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.app.driver import TOY, Driver
from tests.app.screen import virtual_screen, wait_until

TOOLS = ("Xvfb", "xdotool", "openbox", "wmctrl", "import")


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A virtual screen with a window manager."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if sys.platform != "linux" or missing:
        pytest.skip(f"the window is tested on a virtual screen; missing: {', '.join(missing)}")
    with virtual_screen("1280x800x24") as name:
        yield name


@pytest.fixture
def launch(display: str, tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Opens windows; whatever a test leaves is ended."""
    drivers: list[Driver] = []

    def open_window(
        path: Path | None = None,
        session: str = TOY,
        home: Path | None = None,
        **environment: str,
    ) -> Driver:
        folder = home or tmp_path / f"window{len(drivers)}"
        folder.mkdir(exist_ok=True)
        drivers.append(Driver(display, folder, path, session, **environment))
        return drivers[-1]

    yield open_window
    for driver in drivers:
        driver.end()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A folder that the toy session opens."""
    folder = tmp_path / "capture"
    folder.mkdir()
    return folder


@pytest.fixture
def no_leftovers() -> Iterator[None]:
    """Fails when shared memory stays behind."""
    shared = Path("/dev/shm")
    before = set(shared.glob("psm_*"))
    yield
    assert wait_until(lambda: set(shared.glob("psm_*")) <= before, 5.0)
