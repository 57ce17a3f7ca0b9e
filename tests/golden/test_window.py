"""The start page, the window and each of its panels, in the dark and the light theme."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from app.panels.layout import SECTIONS
from app.store.settings import Settings
from tests.app.conftest import display
from tests.app.driver import Driver
from tests.golden.compare import Golden, difference, load

__all__ = ["display"]
pytestmark = pytest.mark.slow
SIZE = 1180, 740
SIDE_BOTTOM = 64
"""Pixels below the side panel, where the export button is."""
FLOATING = {
    "settings": "show_settings",
    "log": "show_log",
    "poses": "open_poses",
    "photo_list": "open_photo_list",
    "shortcut_list": "shortcuts",
}
"""Windows within the window, and the buttons that show and hide them."""
LEGENDS = {
    "normals": "2",
    "depth": "3",
    "slice": "6",
    "level": "8",
    "error": "7",
    "error-of-photo": "bracketright",
}
"""Modes whose colours are explained, and the keys that lead there from the one before."""
LEGEND = 330, 150
BLINKING = "prompt"
"""The widget with a caret."""


@contextmanager
def window(display: str, home: Path, theme: str, path: Path | None = None) -> Iterator[Driver]:
    """A window of `SIZE` in which all sections are folded."""
    home.mkdir()
    settings = Settings(theme=theme, scale=1.0, window=SIZE, folded=SECTIONS)  # type: ignore[arg-type]
    file = home / ".config" / "gradina" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(msgspec.json.encode(settings))
    if path is not None:
        path.mkdir()
    driver = Driver(display, home, path)
    try:
        yield driver
    finally:
        driver.end()


def shot(driver: Driver, box: Sequence[float] | None = None) -> np.ndarray:
    """uint8 [H, W, 3] of the window, or of ``box``: left, top, width, height; the mouse is nowhere
    and what changes from run to run is grey."""
    driver.move(2, 2)
    driver.pass_frames()
    file = driver.home / "shot.png"
    driver.screenshot(file)
    with Image.open(file) as image:
        pixels = np.array(image.convert("RGB"))
    for x, y, width, height in changing(driver.ui["widgets"]):
        pixels[y : y + height, x : x + width] = 128
    if box is None:
        return pixels
    left, top, width, height = map(round, box)
    return pixels[top : top + height, left : left + width]


def changing(widgets: dict[str, list[int]]) -> Iterator[list[int]]:
    """Boxes with a caret, or with times and paths of the machine."""
    if BLINKING in widgets:
        yield widgets[BLINKING]
    if "log" in widgets:
        left, top, width, height = widgets["log"]
        x, y, wide, high = widgets["log_copy"]
        yield [x + wide, y, left + width - x - wide, high]
        yield [left, y + high, width, top + height - y - high]


def section(driver: Driver, tag: str) -> list[float]:
    """Where the unfolded section is: from its header to the next one."""
    headers = driver.ui["widgets"]
    left, top, width, _ = headers[tag]
    below = SECTIONS[SECTIONS.index(tag) + 1 :]
    ends = [headers[other][1] for other in below if other in headers]
    return [left, top, width, min(ends, default=SIZE[1] - SIDE_BOTTOM) - top]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_an_empty_window_looks_as_it_did(golden: Golden, display: str, tmp_path: Path, theme: str):
    with window(display, tmp_path / "home", theme) as driver:
        driver.wait(lambda ui: ui["engine"] == "ready", "the engine")
        golden.check(f"start-page-{theme}", shot(driver))
        driver.click("start_prompt")
        driver.pass_frames()
        golden.check(f"panel-prompt-{theme}", shot(driver, driver.ui["widgets"]["prompt_window"]))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_window_and_its_panels_look_as_they_did(
    golden: Golden, display: str, tmp_path: Path, theme: str
):
    home = tmp_path / "home"
    with window(display, home, theme, home / "vase") as driver:
        driver.wait_state("ready")
        driver.wait_final_preview()
        golden.check(f"window-{theme}", shot(driver))
        for tag in SECTIONS:
            driver.click(tag)
            driver.pass_frames()
            golden.check(f"panel-{tag}-{theme}", shot(driver, section(driver, tag)))
            driver.click(tag)
        for tag, opener in FLOATING.items():
            if opener not in driver.look()["widgets"]:
                driver.click(section_of(opener))
                driver.pass_frames()
            driver.click(opener)
            driver.wait(lambda ui, tag=tag: tag in ui["widgets"], tag)
            driver.pass_frames()
            golden.check(f"panel-{tag}-{theme}", shot(driver, driver.ui["widgets"][tag]))
            driver.click(opener)
        if theme == "dark":
            check_legends(golden, driver)
        driver.click("training")
        driver.pass_frames()
        driver.click("start")
        driver.wait_state("finished")
        golden.check(f"panel-training-finished-{theme}", shot(driver, section(driver, "training")))


def section_of(opener: str) -> str:
    """The section that a button is in."""
    return {"open_poses": "source", "open_photo_list": "view"}[opener]


def check_legends(golden: Golden, driver: Driver) -> None:
    """The lower left corner of the viewport in each mode that has a legend."""
    for mode, key in LEGENDS.items():
        before = driver.look()["view_id"]
        driver.key(key)
        driver.wait_final_preview(after=before)
        left, top, _, height = driver.ui["widgets"]["canvas_area"]
        box = [left, top + height - LEGEND[1], *LEGEND]
        golden.check(f"legend-{mode}", shot(driver, box))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_hidden_button_is_noticed(theme: str):
    shown = load(f"window-{theme}")
    toolbar = shown[14:48, 14:420].astype(float)
    spread = [toolbar[:, x : x + 40].std() for x in range(0, 360, 10)]
    x = 14 + 10 * int(np.argmax(spread))
    without = shown.copy()
    without[14:48, x : x + 40] = shown[14, 14]
    assert difference(without, shown)


def test_a_theme_is_never_taken_for_the_other():
    for name in ("start-page", "window", *(f"panel-{tag}" for tag in SECTIONS)):
        assert difference(load(f"{name}-dark"), load(f"{name}-light"))
