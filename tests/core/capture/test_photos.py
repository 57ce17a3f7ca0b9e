import sys

import numpy as np
import pytest
from PIL import Image

from core.base.errors import UserError
from core.capture import photo_file
from core.capture.photos import (
    has_transparency,
    is_photo,
    list_photos,
    photo_names,
    photo_size,
    read_mask,
    read_photo,
)
from tests.core.captures import dng, noise_photo

RED, BLUE = (255, 0, 0), (0, 0, 255)


def two_halves(path, orientation=None, exif_ifd=None, size=(8, 4)):
    """Left half red, right half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    if exif_ifd:
        exif.get_ifd(0x8769).update(exif_ifd)
    image.save(path, exif=exif)
    return path


def test_photos_come_in_natural_order_and_other_files_are_ignored(tmp_path):
    for name in ("b10.png", "b9.JPG", "a.tiff", "b1.webp", ".hidden.jpg"):
        noise_photo(tmp_path / name, 0)
    (tmp_path / "notes.txt").write_text("shot on Sunday")
    names = [p.name for p in list_photos(tmp_path)]
    assert names == ["a.tiff", "b1.webp", "b9.JPG", "b10.png"]


def test_photos_of_all_subfolders_are_found_if_asked_and_have_names_of_their_own(tmp_path):
    for folder in ("left", "right/deep", "masks"):
        for i in range(2):
            noise_photo(tmp_path / folder / f"{i}.png", i)
    with pytest.raises(UserError, match="in its subfolders only"):
        list_photos(tmp_path)
    photos = list_photos(tmp_path, recursive=True)
    assert photo_names(photos) == [
        "left/0.png",
        "left/1.png",
        "right/deep/0.png",
        "right/deep/1.png",
    ]
    assert photo_names(photos[:2]) == ["0.png", "1.png"]


@pytest.mark.parametrize(("suffix", "module"), [("heic", "pillow_heif"), ("dng", "rawpy")])
def test_a_missing_optional_part_is_named(tmp_path, monkeypatch, suffix, module):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / f"a.{suffix}").write_bytes(b"anything")
    with pytest.raises(UserError, match=r"pip install 'gradina\["):
        photo_size(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize(("suffix", "module"), [("heic", "pillow_heif"), ("dng", "rawpy")])
def test_a_folder_that_wants_an_optional_part_says_so_before_any_work(
    tmp_path, monkeypatch, suffix, module
):
    for i in range(4):
        (tmp_path / f"{i}.{suffix}").write_bytes(b"anything")
    assert len(list_photos(tmp_path)) == 4, "with the part"
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"0\.{suffix} is a .*pip install 'gradina\["):
        list_photos(tmp_path)
    for i in range(3):
        noise_photo(tmp_path / f"{i}.jpg", i)
    assert len(list_photos(tmp_path)) == 7, "enough can be read without it"


def test_heic_photos_are_read(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    pixels = np.full((40, 60, 3), (200, 40, 90), np.uint8)
    heif.from_pillow(Image.fromarray(pixels)).save(tmp_path / "a.heic", quality=95)
    assert photo_size(tmp_path / "a.heic") == (60, 40)
    assert np.abs(read_photo(tmp_path / "a.heic").astype(int) - pixels).max() < 12


def test_raw_photos_are_develop(tmp_path):
    pytest.importorskip("rawpy")
    means = []
    for name, value in (("dark", 3000), ("light", 12000)):
        dng(tmp_path / f"{name}.dng", value)
        assert photo_size(tmp_path / f"{name}.dng") == (64, 48)
        means.append(read_photo(tmp_path / f"{name}.dng").mean())
    assert is_photo(tmp_path / "dark.dng")
    assert 1.5 < means[1] / means[0] < 3, "four times the light, through sRGB"
    assert read_photo(tmp_path / "light.dng").shape == (48, 64, 3)


def test_the_size_of_a_raw_photo_is_known_without_developing_it(tmp_path, monkeypatch):
    pytest.importorskip("rawpy")
    dng(tmp_path / "turned.dng", 3000, orientation=6)
    assert read_photo(tmp_path / "turned.dng").shape == (64, 48, 3)
    monkeypatch.setattr(photo_file, "_develop", None)
    assert photo_size(tmp_path / "turned.dng") == (48, 64)
    assert photo_size(tmp_path / "turned.dng", upright=False) == (64, 48)


def test_damaged_heic_and_raw_are_refused_by_name(tmp_path):
    for name, module in (("a.heic", "pillow_heif"), ("a.dng", "rawpy")):
        pytest.importorskip(module)
        (tmp_path / name).write_bytes(b"no photo" * 100)
        with pytest.raises(UserError, match=f"{name} is not a readable image"):
            photo_size(tmp_path / name)


def test_photos_in_the_customary_subfolder_are_found(tmp_path):
    for i in range(3):
        noise_photo(tmp_path / "images" / f"{i}.png", i)
    assert [p.name for p in list_photos(tmp_path)] == ["0.png", "1.png", "2.png"]


def test_folders_that_cannot_be_a_capture_are_refused_in_one_line(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("a")
    two = tmp_path / "two"
    noise_photo(two / "1.png", 0)
    noise_photo(two / "2.png", 1)
    for folder, words in (
        (empty, "is empty"),
        (texts, "holds no photos"),
        (two, "only 2 usable photos"),
        (tmp_path / "none", "is not a folder"),
    ):
        with pytest.raises(UserError, match=words) as caught:
            list_photos(folder)
        assert str(folder) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_exif_orientation_is_honoured(tmp_path):
    # Orientation 6: the camera was turned; shown upright, the photo's left side is on top.
    path = two_halves(tmp_path / "turned.png", orientation=6)
    assert photo_size(path) == (4, 8)
    pixels = read_photo(path)
    assert pixels.shape == (8, 4, 3)
    np.testing.assert_array_equal(pixels[0, 0], RED)
    np.testing.assert_array_equal(pixels[-1, -1], BLUE)


def test_a_camera_solved_for_the_unturned_photo_gets_it_unturned(tmp_path):
    path = two_halves(tmp_path / "turned.png", orientation=6)
    assert read_photo(path, declared=(80, 40)).shape == (4, 8, 3)
    assert read_photo(path, declared=(40, 80)).shape == (8, 4, 3)


def test_a_photo_of_another_shape_than_its_camera_is_refused(tmp_path):
    path = two_halves(tmp_path / "cropped.png")
    with pytest.raises(UserError, match="8x4 pixels, its camera 100x100"):
        read_photo(path, declared=(100, 100))


def test_shrinking_averages_areas(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:, 2:] = 200
    pixels[:2, :2] = [[[0, 0, 0], [40, 40, 40]], [[80, 80, 80], [120, 120, 120]]]
    Image.fromarray(pixels).save(tmp_path / "a.png")
    small = read_photo(tmp_path / "a.png", size=(2, 2))
    np.testing.assert_array_equal(small[0, 0], 60)  # (0 + 40 + 80 + 120) / 4
    np.testing.assert_array_equal(small[:, 1], 200)


def test_hidden_colours_do_not_bleed_in_when_shrinking(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[:, 0] = (200, 100, 50, 255)
    pixels[:, 1] = (0, 255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    r, g, b, a = read_photo(tmp_path / "a.png", size=(1, 1))[0, 0].astype(int)
    assert a in (127, 128)
    assert abs(r - 200) <= 2
    assert abs(g - 100) <= 2
    assert abs(b - 50) <= 2


def test_sixteen_bit_grey_becomes_eight_bit_colour(tmp_path):
    Image.fromarray(np.array([[0, 65535], [32768, 65535]], np.uint16)).save(tmp_path / "a.png")
    pixels = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels[..., 0], [[0, 255], [127, 255]])


def test_a_truncated_photo_is_named(tmp_path):
    path = noise_photo(tmp_path / "cut.jpg", 0, (400, 300))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UserError, match=r"cut\.jpg is damaged or cut short"):
        read_photo(path)
    with pytest.raises(UserError, match="not a readable image"):
        photo_size(_text(tmp_path / "fake.jpg"))


def _text(path):
    path.write_text("not a photo")
    return path


def test_transparency_counts_only_where_it_hides_something(tmp_path):
    Image.new("RGBA", (4, 4), (1, 2, 3, 255)).save(tmp_path / "opaque.png")
    Image.new("RGBA", (4, 4), (1, 2, 3, 0)).save(tmp_path / "clear.png")
    assert not has_transparency(tmp_path / "opaque.png")
    assert has_transparency(tmp_path / "clear.png")


def test_masks_are_read_from_grey_and_from_alpha(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "grey.png")
    alpha = np.zeros((1, 2, 4), np.uint8)
    alpha[0, 1, 3] = 255
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    for name in ("grey.png", "alpha.png"):
        np.testing.assert_array_equal(read_mask(tmp_path / name, (2, 1)), [[0, 255]])
