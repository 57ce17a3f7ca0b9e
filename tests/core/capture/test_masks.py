"""Masks that lie beside the photos."""

import numpy as np
import pytest
from PIL import Image

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.masks import find_masks
from core.capture.open import describe_input, open_capture
from core.capture.photos import read_rgba
from tests.core.capture.readers.test_other_layouts import POSES, mvsnet
from tests.core.captures import LENS, ball_mask, noise_photo


def masked(folder, black=False, but=()):
    """An MVSNet capture with masks of a ball in its middle."""
    mvsnet(folder)
    (folder / "masks").mkdir()
    for i, pose in enumerate(POSES):
        if i not in but:
            mask = ball_mask(LENS, pose, (0, 0, 0), 0.8) != black
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{i:08d}.png")
    return folder


@pytest.mark.parametrize("black", [False, True])
def test_masks_beside_the_photos_are_found_and_turned_the_right_way(tmp_path, black):
    masked(tmp_path, black)
    color = "black" if black else "white"
    told = f"5 masks in {tmp_path / 'masks'}, the subject in {color}"
    assert str(describe_input(tmp_path)[-1]) == told
    scene = run_task(open_capture(tmp_path))
    assert scene.has_masks
    assert told in map(str, scene.notices)
    assert any("in black" in str(notice) for notice in scene.notices) == black
    opacity = read_rgba(scene.photos[0], LENS)[..., 3]
    np.testing.assert_array_equal(opacity > 127, ball_mask(LENS, POSES[0], (0, 0, 0), 0.8))


def test_photos_without_a_mask_are_left_out_where_others_have_one(tmp_path):
    scene = run_task(open_capture(masked(tmp_path, but=(2,))))
    assert [p.name for p in scene.photos] == [f"{i:08d}.jpg" for i in (0, 1, 3, 4)]
    assert "1 photos have no mask and are left out: 00000002.jpg" in map(str, scene.notices)


def test_too_few_masks_are_refused(tmp_path):
    with pytest.raises(UserError, match="only 2 usable photos"):
        run_task(open_capture(masked(tmp_path, but=(1, 2, 3))))


def test_a_mask_of_another_size_is_refused_by_name(tmp_path):
    masked(tmp_path)
    Image.new("L", (10, 10)).save(tmp_path / "masks" / "00000003.png")
    with pytest.raises(UserError, match=r"00000003\.png is 10x10"):
        run_task(open_capture(tmp_path))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "A.JPG.png", "a_mask.png"])
def test_a_mask_goes_by_its_photo_s_name(tmp_path, name):
    photo = noise_photo(tmp_path / "images" / "a.jpg", 0)
    for folder in (tmp_path / "masks", tmp_path / "images" / "mask"):
        mask = noise_photo(folder / name, 1)
        assert find_masks([photo]) == {photo: mask}
        mask.unlink()
    noise_photo(tmp_path / "masks" / "b.png", 1)
    assert find_masks([photo]) == {}
