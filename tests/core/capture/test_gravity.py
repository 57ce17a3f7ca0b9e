import struct

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from core.capture.gravity import up_by_gravity, up_in_camera
from core.capture.scene import Photo
from tests.core.captures import LENS, orbit


def apple_note(vector) -> bytes:
    """A maker note as iPhones write them: byte order, one tag 8 of three signed fractions."""
    head = b"Apple iOS\0\0\x01MM"
    at = len(head) + 2 + 12 + 4
    entry = struct.pack(">HHHIII", 1, 8, 10, 3, at, 0)
    return head + entry + b"".join(struct.pack(">ii", round(v * 10_000), 10_000) for v in vector)


def photo_file(path, vector=None, orientation=1, lens="back camera", xmp=None, note=None):
    image = Image.new("RGB", (80, 60))
    exif = image.getexif()
    exif[0x0112] = orientation
    details = exif.get_ifd(0x8769)
    details[0xA434] = lens
    if vector is not None or note is not None:
        details[0x927C] = note or apple_note(vector)
    image.save(path, exif=exif, **({} if xmp is None else {"xmp": xmp}))
    return path


@pytest.mark.parametrize(
    ("felt", "orientation"),
    [
        ((0, -1, 0), 6),  # held upright: its top is up
        ((-1, 0, 0), 1),  # its top to the left
        ((1, 0, 0), 3),  # its top to the right
        ((0, 1, 0), 8),  # upside down
    ],
)
def test_a_phone_held_level_has_up_along_its_upright_photo(tmp_path, felt, orientation):
    up = up_in_camera(photo_file(tmp_path / "a.jpg", felt, orientation))
    np.testing.assert_allclose(up, [0, -1, 0], atol=1e-9)


@pytest.mark.parametrize(("felt", "orientation"), [((0, 0, -1), 6), ((0, 0, -1), 1)])
def test_a_phone_that_looks_straight_down_has_up_towards_itself(tmp_path, felt, orientation):
    """Its screen is above: gravity runs into it."""
    up = up_in_camera(photo_file(tmp_path / "a.jpg", felt, orientation))
    np.testing.assert_allclose(up, [0, 0, -1], atol=1e-9)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"vector": (0, -1.5, 0)},
        {"vector": (0, -1, 0), "orientation": 5},
        {"vector": (0, -1, 0), "lens": "iPhone front camera"},
        {"note": b"Apple iOS\0\0\x01MM\0\x01"},
        {"note": b"Nikon\0 something else"},
    ],
)
def test_no_gravity_is_told_where_it_is_shaken_mirrored_or_damaged(tmp_path, arguments):
    assert up_in_camera(photo_file(tmp_path / "a.jpg", **arguments)) is None


def test_a_drone_that_looks_down_and_one_that_looks_ahead(tmp_path):
    told = '<x drone-dji:GimbalRollDegree="{}" drone-dji:GimbalPitchDegree="{}"/>'
    for roll, pitch, up in (
        (0, -90, (0, 0, -1)),
        (0, 0, (0, -1, 0)),
        (90, 0, (-1, 0, 0)),
        (0, -30, (0, -np.sqrt(0.75), -0.5)),
    ):
        file = photo_file(tmp_path / "a.jpg", xmp=told.format(f"{roll:+.2f}", pitch).encode())
        np.testing.assert_allclose(up_in_camera(file), up, atol=1e-9)


def felt_by(pose) -> np.ndarray:
    """What a phone at ``pose`` (its photo is stored upright, its top to the left) feels."""
    up = pose[:3, :3].T @ [0, 0, 1]
    return np.array([up[1], up[0], up[2]])


def test_gravity_tells_up_in_any_frame_and_outvotes_a_shaken_photo(tmp_path):
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec([0.7, -0.4, 1.9]).as_matrix()
    photos = []
    for i, pose in enumerate(orbit(6)):
        felt = [0.6, 0.8, 0.0] if i == 2 else felt_by(pose)
        path = photo_file(tmp_path / f"{i}.jpg", felt)
        photos.append(Photo(path.name, path, LENS, turn @ pose))
    np.testing.assert_allclose(up_by_gravity(photos), turn[:3, 2], atol=1e-3)
    assert up_by_gravity(photos[:2]) is None


def test_gravity_that_contradicts_itself_is_not_believed(tmp_path):
    rng = np.random.default_rng(0)
    photos = []
    for i, pose in enumerate(orbit(8)):
        felt = rng.normal(size=3)
        path = photo_file(tmp_path / f"{i}.jpg", felt / np.linalg.norm(felt))
        photos.append(Photo(path.name, path, LENS, pose))
    assert up_by_gravity(photos) is None
