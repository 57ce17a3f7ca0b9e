import sys

import numpy as np
import pytest
from PIL import Image

from core.base.errors import UserError
from core.capture import exif as exif_of
from core.capture import photo_file
from core.capture.exif import camera_of, focal_px
from core.capture.gps import gps_fix
from core.capture.gravity import up_in_camera
from tests.core.capture.test_gravity import apple_note
from tests.core.captures import dng, noise_photo


def exif(details=(), place=()) -> Image.Exif:
    tags = Image.Exif()
    tags.get_ifd(0x8769).update(dict(details))
    tags.get_ifd(0x8825).update(dict(place))
    return tags


def jpeg(path, size, details):
    Image.new("RGB", size).save(path, exif=exif(details))
    return path


def test_focal_length_from_the_35_mm_equivalent(tmp_path):
    path = jpeg(tmp_path / "a.jpg", (1344, 1008), {0xA405: 26})
    # 26 mm on the 43.27 mm diagonal of film; this diagonal has 1680 pixels
    assert focal_px(path) == pytest.approx(26 * 1680 / np.hypot(36, 24))


def test_focal_length_from_the_pitch_of_the_sensor(tmp_path):
    # 5 mm, 4000 pixels per cm at 4000 pixels: 2000 pixels; the stored photo is half as large
    path = jpeg(
        tmp_path / "a.jpg",
        (2000, 1500),
        {0x920A: 5.0, 0xA20E: 4000.0, 0xA210: 3, 0xA002: 4000, 0xA003: 3000},
    )
    assert focal_px(path) == pytest.approx(1000.0)


def test_no_focal_length_without_exif(tmp_path):
    assert focal_px(noise_photo(tmp_path / "a.png", 0)) is None


def test_a_raw_photo_tells_of_lens_place_and_gravity_and_is_not_develop(tmp_path, monkeypatch):
    pytest.importorskip("rawpy")
    monkeypatch.setattr(photo_file, "_develop", None)
    path = dng(
        tmp_path / "a.dng",
        3000,
        (64, 48),
        orientation=6,
        exif=exif(
            {0x920A: 24.0, 0xA405: 36, 0xA434: "back camera", 0x927C: apple_note((0, -1, 0))},
            {1: "S", 2: (33.0, 54.0, 0.0), 3: "E", 4: (18.0, 24.0, 0.0), 6: 20.0},
        ),
    )
    # 36 mm on the 43.27 mm diagonal of film; this diagonal has 80 pixels
    assert focal_px(path) == pytest.approx(36 * 80 / np.hypot(36, 24))
    assert camera_of(path) == ("Test", "Test", "", "back camera", "24.0")
    assert gps_fix(path) == pytest.approx((-33.9, 18.4, 20.0))
    np.testing.assert_allclose(up_in_camera(path), [0, -1, 0], atol=1e-9)


def test_of_a_raw_photo_that_is_no_tiff_file_its_preview_tells(tmp_path, monkeypatch):
    preview = jpeg(tmp_path / "preview.jpg", (8, 6), {0x920A: 35.0}).read_bytes()
    monkeypatch.setattr(exif_of, "raw_preview", lambda path: preview)
    path = tmp_path / "a.cr3"
    path.write_bytes(b"\0\0\0\x18ftypcrx ")
    assert camera_of(path)[-1] == "35.0"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("begins", [b"II*\0", b"IIRO", b"FUJI"])
def test_a_damaged_raw_photo_tells_nothing(tmp_path, begins):
    pytest.importorskip("rawpy")
    path = tmp_path / "a.nef"
    path.write_bytes(begins + b"\x08\0\0\0" + b"no photo" * 100)
    assert gps_fix(path) is None
    assert up_in_camera(path) is None


def test_a_raw_photo_that_is_gone_or_wants_an_optional_part_is_no_crash(tmp_path, monkeypatch):
    assert gps_fix(tmp_path / "gone.nef") is None
    monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / "a.cr3"
    path.write_bytes(b"\0\0\0\x18ftypcrx ")
    with pytest.raises(UserError, match="pip install"):
        camera_of(path)
