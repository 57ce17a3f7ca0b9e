"""Every picture that the engine draws, of one small field."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from core.base import colormaps
from core.base.colormaps import (
    BACKDROP,
    MAX_ERROR,
    depth_colors,
    error_colors,
    level_colors,
    normal_colors,
)
from core.geometry.view import MESH_MODES, PreviewMode
from core.output.contact_sheet import contact_sheet
from tests.golden.compare import Golden, difference, load
from tests.golden.scene import BumpySphere

MODES: list[PreviewMode] = [mode for mode in get_args(PreviewMode) if mode not in MESH_MODES]


@pytest.fixture(scope="module")
def sphere() -> BumpySphere:
    return BumpySphere()


@pytest.mark.parametrize("mode", MODES)
def test_each_preview_mode_looks_as_it_did(golden: Golden, sphere: BumpySphere, mode: PreviewMode):
    golden.check(f"preview-{mode}", sphere.picture(mode))


@pytest.mark.parametrize(
    ("name", "changes"),
    [("coarse", {"levels": 1}), ("parallel", {"span": 1.6}), ("moving", {"moving": True})],
)
def test_normals_of_fewer_levels_parallel_and_in_a_drag(
    golden: Golden, sphere: BumpySphere, name: str, changes: dict[str, object]
):
    golden.check(f"preview-normals-{name}", sphere.picture("normals", **changes))


def test_a_contact_sheet_looks_as_it_did(golden: Golden, sphere: BumpySphere):
    rows = [[sphere.picture(mode) for mode in ("color", "normals")] for _ in range(2)]
    sheet = contact_sheet(rows, ["photo", "normals"], ["first.jpg", "second.jpg"], max_side=120)
    golden.check("contact-sheet", sheet)


def strips() -> np.ndarray:
    """uint8 [H, W, 3] of all colour maps, one below the other."""
    share = np.linspace(0, 1, 192)
    directions = np.stack([np.cos(6.28 * share), np.sin(6.28 * share), 2 * share - 1], -1)
    slices = (
        colormaps.INSIDE_COLOR,
        colormaps.ZERO_LEVEL_COLOR,
        colormaps.OUTSIDE_COLOR,
        colormaps.NO_LEVEL_COLOR,
    )
    rows = [
        depth_colors(share),
        error_colors(MAX_ERROR * share),
        np.repeat(level_colors(12), 16, axis=0),
        normal_colors(directions / np.linalg.norm(directions, axis=1, keepdims=True)),
        np.repeat(np.array([*slices, *BACKDROP]), 32, axis=0),
    ]
    return np.round(255 * np.repeat(np.stack(rows), 12, axis=0)).astype(np.uint8)


def test_colour_maps_look_as_they_did(golden: Golden):
    golden.check("colour-maps", strips())


# --- the comparison itself ------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_never_taken_for_another(mode: PreviewMode):
    shown = load(f"preview-{mode}")
    assert difference(shown, shown) == ""
    others = [load(f"preview-{other}") for other in MODES if other != mode]
    assert all(difference(shown, other) for other in others)


def test_another_colour_map_is_noticed(
    tmp_path: Path, sphere: BumpySphere, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(colormaps, "_DEPTHS", colormaps._ERRORS[::-1].copy())
    with pytest.raises(AssertionError, match="of a patch"):
        Golden(False, tmp_path).check("preview-depth", sphere.picture("depth"))


def test_swapped_channels_a_mirrored_picture_and_a_small_patch_are_noticed():
    shown = load("preview-normals")
    patch = shown.copy()
    patch[60:68, 80:92] = 255
    for changed in (shown[..., ::-1], shown[:, ::-1], np.roll(shown, 3, axis=1), patch):
        assert difference(changed, shown)


def test_noise_and_half_a_pixel_of_smoothing_are_not():
    shown = load("preview-color").astype(int)
    noise = np.random.default_rng(0).integers(-3, 4, shown.shape)
    smoothed = (3 * shown + np.roll(shown, 1, axis=1)) // 4
    for changed in (shown + noise, smoothed):
        assert difference(changed.clip(0, 255).astype(np.uint8), shown.astype(np.uint8)) == ""
