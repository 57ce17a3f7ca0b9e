import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from core.capture.gps import gps_fix, local_metres, metres_per_input
from core.capture.scene import Photo
from tests.core.captures import LENS

METRES_PER_DEGREE = np.pi / 180 * 6_371_008.8


def photo_file(path, latitude, longitude, height):
    image = Image.new("RGB", (8, 6))
    exif = image.getexif()
    tags = exif.get_ifd(0x8825)
    for tag, angle, words in ((1, latitude, "NS"), (3, longitude, "EW")):
        minutes = abs(angle) % 1 * 60
        tags[tag] = words[int(angle < 0)]
        tags[tag + 1] = (float(int(abs(angle))), float(int(minutes)), minutes % 1 * 60)
    tags[5], tags[6] = bytes([int(height < 0)]), abs(height)
    image.save(path, exif=exif)
    return path


def flight(folder, size_m, scale, noise_m=0.5, n=12, strays=0):
    """Photos of a free frame, ``scale`` metres to its unit, that were taken on a spiral."""
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 6, n)
    metres = size_m / 2 * np.stack([np.cos(angle), np.sin(angle), angle / 10], 1)
    turn = Rotation.from_rotvec([0.3, 1.0, -0.5]).as_matrix()
    photos = []
    for i, at in enumerate(metres):
        pose = np.eye(4)
        pose[:3, 3] = turn @ at / scale + [5, 6, 7]
        told = at + noise_m * rng.normal(size=3) + (300.0 if i < strays else 0.0)
        latitude = -33.9 + told[1] / METRES_PER_DEGREE
        longitude = 18.4 + told[0] / METRES_PER_DEGREE / np.cos(np.radians(33.9))
        path = photo_file(folder / f"{i}.jpg", latitude, longitude, 20 + told[2])
        photos.append(Photo(path.name, path, LENS, pose))
    return photos


@pytest.mark.parametrize("place", [(59.3, 18.1, 12.5), (-33.9, -70.6, -3.25)])
def test_a_fix_is_read_back_from_any_quarter_of_the_world(tmp_path, place):
    np.testing.assert_allclose(gps_fix(photo_file(tmp_path / "a.jpg", *place)), place, atol=1e-5)


def test_a_photo_without_a_fix_tells_none(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg")
    assert gps_fix(tmp_path / "a.jpg") is None


def test_metres_east_and_north_across_the_date_line():
    found = local_metres(np.array([[60, 179.9999, 0], [60, -179.9999, 0], [60.0001, 179.9999, 9]]))
    step = 1e-4 * METRES_PER_DEGREE
    np.testing.assert_allclose(found[1] - found[0], [step, 0, 0], atol=0.01)
    np.testing.assert_allclose(found[2] - found[0], [0, step, 9], atol=0.01)


@pytest.mark.parametrize("strays", [0, 2])
def test_a_flight_tells_the_scale(tmp_path, strays):
    found = metres_per_input(flight(tmp_path, 120.0, 7.5, strays=strays))
    assert found == pytest.approx(7.5, rel=0.02)


@pytest.mark.parametrize("change", [{"size_m": 4.0}, {"n": 4}, {"noise_m": 200.0}])
def test_too_small_too_few_or_too_noisy_to_tell(tmp_path, change):
    assert metres_per_input(flight(tmp_path, **({"size_m": 120.0, "scale": 7.5} | change))) is None
