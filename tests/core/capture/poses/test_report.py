"""Captures spoilt in known ways: the right diagnosis, and a good solution of the rest."""

import sys
from dataclasses import replace

import numpy as np
import pycolmap
import pytest
from PIL import Image, ImageFilter

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.exif import camera_of
from core.capture.poses.features import group_by_camera
from core.capture.poses.report import DatabaseContents, advise_on_few_features, diagnose
from core.capture.poses.report_file import in_english, read_report
from core.capture.poses.solve import solve_poses
from core.capture.poses.working_copies import (
    PhotoStatistics,
    WorkingCopy,
    copy_photos,
    photo_statistics,
)
from core.capture.readers.colmap import load_model
from tests.core.capture.poses.test_solve import WIDE, alignment_error, room_poses
from tests.core.captures import noise_photo, textured_plane_photos

ORIENTATION, QUARTER_TURN = 0x0112, 6  # shown turned clockwise
EXIF_IFD, MAKE, LENS_MODEL, FOCAL_MM, FOCAL_35MM = 0x8769, 0x010F, 0xA434, 0x920A, 0xA405


def centers(scene):
    return np.array([p.world_from_camera[:3, 3] for p in scene.photos])


@pytest.mark.slow
def test_each_spoilt_photo_is_told_why_and_the_rest_is_solved(tmp_path):
    folder, poses = tmp_path / "photos", room_poses(9)
    textured_plane_photos(folder, poses, WIDE)
    first = Image.open(folder / "IMG_0.jpg")
    turned = first.transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[ORIENTATION] = QUARTER_TURN
    turned.save(folder / "IMG_0.jpg", exif=exif, quality=95)
    third = Image.open(folder / "IMG_2.jpg")
    third.filter(ImageFilter.GaussianBlur(8)).save(folder / "shaken.jpg")
    third.save(folder / "twice.jpg", quality=80)
    Image.new("RGB", (400, 300), (200, 195, 190)).save(folder / "wall.jpg")
    textured_plane_photos(tmp_path / "other", poses[4:5], WIDE, seed=7)
    (tmp_path / "other" / "IMG_0.jpg").rename(folder / "stranger.jpg")
    (folder / "cut.jpg").write_bytes((folder / "IMG_1.jpg").read_bytes()[:3000])

    scene = run_task(solve_poses(folder, tmp_path / "work"))

    assert [p.name for p in scene.photos] == [f"IMG_{i}.jpg" for i in range(9)]
    assert alignment_error(centers(scene), np.array([p[:3, 3] for p in poses])) < 0.01
    report = solved(tmp_path / "work")
    assert report["unused"] == {
        "cut.jpg": "is damaged or cut short",
        "shaken.jpg": "blurred",
        "stranger.jpg": "no overlap with the other photos",
        "twice.jpg": "the same image as IMG_2.jpg",
        "wall.jpg": "too few features: nothing but a plain surface",
    }
    photos = {p["name"]: p for p in report["photos"]}
    assert photos["IMG_3.jpg"]["used"]
    assert photos["IMG_3.jpg"]["error_px"] < 1
    assert photos["IMG_3.jpg"]["details"] > 500
    assert max(photos["IMG_3.jpg"]["links"], key=photos["IMG_3.jpg"]["links"].get) in (
        "IMG_1.jpg",
        "IMG_2.jpg",
        "IMG_4.jpg",
        "IMG_5.jpg",
    )
    assert photos["shaken.jpg"]["sharpness"] < 0.5
    advice = " ".join(report["advice"])
    for words in ("Hold still", "some pattern", "Copy it again", "shares two thirds"):
        assert words in advice
    assert report["meeting_angle_deg"] > 5


@pytest.mark.slow
def test_two_scenes_in_one_folder_are_two_groups(tmp_path):
    poses = room_poses(9)
    textured_plane_photos(tmp_path / "photos", poses[:6], WIDE)
    textured_plane_photos(tmp_path / "other", poses[:5], WIDE, seed=7)
    for path in (tmp_path / "other").iterdir():
        path.rename(tmp_path / "photos" / f"other_{path.name}")
    scene = run_task(solve_poses(tmp_path / "photos", tmp_path / "work"))
    assert [p.name for p in scene.photos] == [f"IMG_{i}.jpg" for i in range(6)]
    report = solved(tmp_path / "work")
    assert [len(group) for group in report["groups"]] == [6, 5]
    assert set(report["unused"].values()) == {
        "belongs to another group of 5 photos that shares too little with the rest"
    }
    assert "groups of 6, 5" in report["advice"][0]
    assert any("groups of 6, 5" in str(notice) for notice in scene.notices)
    assert [a["tried"] for a in report["attempts"]] == [""], "no attempt joins two scenes"

    steps = []
    second = run_task(solve_poses(tmp_path / "photos", tmp_path / "work", group=1), steps.append)
    assert {step.fraction for step in steps} == {1.0}, "nothing is solved again"
    assert [p.name for p in second.photos] == [f"other_IMG_{i}.jpg" for i in range(5)]
    assert alignment_error(centers(second), np.array([p[:3, 3] for p in poses[:5]])) < 0.02
    assert np.mean([p.world_from_camera[2, 1] for p in second.photos]) < -0.8, "upright"
    report = solved(tmp_path / "work")
    assert (report["group"], report["photos_used"], len(report["unused"])) == (1, 5, 6)
    assert len(load_model(tmp_path / "work" / "solved").images) == 5
    with pytest.raises(UserError, match="no group 2 of photos: they form 2"):
        run_task(solve_poses(tmp_path / "photos", tmp_path / "work", group=2))
    assert len(run_task(solve_poses(tmp_path / "photos", tmp_path / "work")).photos) == 6


@pytest.mark.slow
def test_an_exposure_ramp_is_solved(tmp_path):
    poses = room_poses(7)
    for i, path in enumerate(textured_plane_photos(tmp_path / "photos", poses, WIDE)):
        light = (np.asarray(Image.open(path)) / 255.0) ** 2.2 * 2.0 ** (-i / 2)
        Image.fromarray((255 * light ** (1 / 2.2)).astype(np.uint8)).save(path, quality=95)
    scene = run_task(solve_poses(tmp_path / "photos", tmp_path / "work"))
    assert len(scene.photos) == 7
    assert alignment_error(centers(scene), np.array([p[:3, 3] for p in poses])) < 0.02
    stops = {p["name"]: p["stops"] for p in solved(tmp_path / "work")["photos"]}
    assert stops["IMG_0.jpg"] - stops["IMG_6.jpg"] == pytest.approx(3, abs=0.5)


@pytest.mark.slow
def test_photos_from_one_place_are_warned_of(tmp_path):
    """The camera all but turns on the spot: poses fit, depths do not follow from them."""
    poses = room_poses(9)
    for pose in poses:
        pose[:3, 3] = 0.01 * pose[:3, 3] + np.array([0.0, -2.5, 1.3])
    textured_plane_photos(tmp_path / "photos", poses, WIDE)
    said = ""
    try:
        said = " ".join(
            map(str, run_task(solve_poses(tmp_path / "photos", tmp_path / "work")).notices)
        )
    except UserError as error:
        said = str(error)
    assert "nearly one place" in said or "rather than turning on the spot" in said


@pytest.mark.slow
def test_what_was_found_in_photos_that_did_not_change_is_used_again(tmp_path):
    folder, work, poses = tmp_path / "photos", tmp_path / "work", room_poses(7)
    photos = textured_plane_photos(folder, poses, WIDE)
    photos[6].rename(tmp_path / "later.jpg")
    first = run_task(solve_poses(folder, work))
    assert len(first.photos) == 6
    photos[0].rename(folder / "IMG_00.jpg")  # comes first still
    (tmp_path / "later.jpg").rename(photos[6])
    told = []
    second = run_task(solve_poses(folder, work), lambda progress: told.append(str(progress.detail)))
    assert [p.name for p in second.photos] == ["IMG_00.jpg", *(f"IMG_{i}.jpg" for i in range(1, 7))]
    assert {t for t in told if "finding features" in t} == {"finding features in photo 7 of 7"}
    assert {t for t in told if "matching" in t} == {"matching photos: pair 0 of 6"}
    assert alignment_error(centers(second), np.array([p[:3, 3] for p in poses])) < 0.01


@pytest.mark.slow
def test_a_solution_that_was_cut_short_goes_on_where_it_was(tmp_path):
    folder, work = tmp_path / "photos", tmp_path / "work"
    textured_plane_photos(folder, room_poses(9), WIDE)
    task = solve_poses(folder, work)
    while "matching photos" not in str(next(task).detail):
        pass
    task.close()
    told = []
    assert (
        len(run_task(solve_poses(folder, work), lambda p: told.append(str(p.detail))).photos) == 9
    )
    assert not any("finding features" in t for t in told)


def solved(workspace):
    return in_english(read_report(workspace / "report.json"))


def test_photos_that_cannot_be_used_are_told_why(tmp_path):
    for i in range(4):
        noise_photo(tmp_path / f"{i}.jpg", i, (160, 120))
    for i in range(1, 4):
        (tmp_path / f"{i}.jpg").write_bytes((tmp_path / f"{i}.jpg").read_bytes()[:800])
    with pytest.raises(UserError) as caught:
        run_task(solve_poses(tmp_path, tmp_path / "work"))
    assert "only 1 usable photo: 1.jpg (is damaged or cut short), and 2 more" in str(caught.value)


def test_a_capture_of_a_bare_wall_is_told_what_it_lacks(tmp_path):
    """Shading and noise, as of a wall: nothing that could be found again."""
    rng = np.random.default_rng(0)
    across = np.linspace(0, 1, 160)
    for i in range(4):
        grey = 190 + 8 * i * across + rng.normal(0, 0.6, (120, 160))
        pixels = np.stack([grey, grey - 4, grey - 9], 2).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.jpg", quality=92)
    with pytest.raises(UserError, match=r"0 features per photo, .*some pattern"):
        run_task(solve_poses(tmp_path, tmp_path / "work"))


@pytest.mark.parametrize(
    ("value", "words"), [(4, "use more light"), (252, "use less light"), (120, "some pattern")]
)
def test_photos_that_show_too_little_are_told_by_their_light(value, words):
    statistics = photo_statistics(np.full((30, 40, 3), value, np.uint8))
    copies = [
        WorkingCopy(str(i), str(i), (40, 30), (40, 30), None, (), statistics) for i in range(5)
    ]
    assert words in str(
        advise_on_few_features(copies, dict.fromkeys("012", 10) | dict.fromkeys("34", 900))
    )
    assert not advise_on_few_features(copies, dict.fromkeys("01", 10) | dict.fromkeys("234", 900))


def test_each_reason_comes_with_what_to_do(tmp_path, monkeypatch):
    """Twelve photos that a model places, and one spoilt in each way that it does not."""
    pycolmap.set_random_seed(1)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_frames_per_rig, options.num_points3D = 1, 12, 300
    model = pycolmap.synthesize_dataset(options)
    usual = PhotoStatistics(np.zeros((32, 32), np.float32), 0.5, 0.2, 1.0)
    spoilt = {  # details found, and what is seen of the picture
        "dark": (10, {"brightness": 0.02}),
        "glaring": (10, {"brightness": 0.97}),
        "wall": (10, {"contrast": 0.01}),
        "shaken": (900, {"sharpness": 0.3}),
        "dim": (900, {"brightness": 0.2}),
        "stranger": (900, {}),
        "misfit": (900, {}),
    }
    placed = [image.name for image in model.images.values()]
    statistics = dict.fromkeys(placed, usual) | {
        name: replace(usual, **change) for name, (_, change) in spoilt.items()
    }
    copies = [
        WorkingCopy(name, name, (40, 30), (40, 30), None, (), one)
        for name, one in statistics.items()
    ]
    known = DatabaseContents(
        dict.fromkeys(placed, 900) | {name: n for name, (n, _) in spoilt.items()},
        {"misfit": {placed[0]: 90}, placed[0]: {"misfit": 90}},
    )
    for name in ("live.heic", "cut.jpg", "head.jpg"):
        (tmp_path / name).write_bytes(b"")
    cut = noise_photo(tmp_path / "cut.jpg", 0, (400, 300))
    cut.write_bytes(cut.read_bytes()[:2000])
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    _, refused = copy_photos(
        [tmp_path / n for n in ("live.heic", "cut.jpg", "head.jpg")],
        tmp_path / "to",
        100,
        lambda i: None,
    )
    found = diagnose(known, copies, refused, [model], 0)
    advice = " ".join(map(str, found.advice))
    for name, reason, remedy in (
        ("dark", "too dark", "Use more light"),
        ("glaring", "overexposed", "Use less light"),
        ("wall", "nothing but a plain surface", "some pattern"),
        ("shaken", "blurred", "Hold still"),
        ("dim", "2.9 stops darker than the others", "different exposure). Keep the exposure"),
        ("stranger", "no overlap", "shares two thirds"),
        ("misfit", "inconsistent", "at a better quality"),
        ("live.heic", "is a HEIC photo", "gradina[heic]"),
        ("cut.jpg", "is damaged", "damaged). Copy it again"),
        ("head.jpg", "is not a readable image", "readable image). Copy it again"),
    ):
        assert reason in str(found.unused[name])
        assert remedy in advice
    assert len(found.unused) == 10


def test_photos_taken_through_different_optics_are_different_cameras(tmp_path):
    """Two lenses on one camera, and one of them zoomed, at the same size."""
    optics = [("Fifty", 50.0), ("Fifty", 50.0), ("Zoom", 24.0), ("Zoom", 70.0), ("Zoom", 70.0)]
    paths = []
    for i, (lens, focal) in enumerate(optics):
        paths.append(noise_photo(tmp_path / f"{i}.jpg", i, (160, 120)))
        with Image.open(paths[-1]) as image:
            exif = image.getexif()
            exif[MAKE] = "Maker"
            exif.get_ifd(EXIF_IFD).update({LENS_MODEL: lens, FOCAL_MM: focal})
            image.save(paths[-1], exif=exif)
    copies, _ = copy_photos(paths, tmp_path / "copies", 100, lambda i: None)
    assert [[c.name for c in group] for group in group_by_camera(copies)] == [
        ["0.jpg", "1.jpg"],
        ["2.jpg"],
        ["3.jpg", "4.jpg"],
    ]
    assert camera_of(paths[3]) == ("Maker", "", "", "Zoom", "70.0")
    assert camera_of(noise_photo(tmp_path / "none.png", 9)) == ("",) * 5


@pytest.mark.slow
def test_two_lenses_in_one_folder_are_each_found_out(tmp_path):
    """EXIF rounds their focal lengths to whole millimetres; the solved ones are the true ones."""
    poses, focals = room_poses(12), {28: 320.0, 42: 480.0}
    for millimetres, focal in focals.items():
        lens = replace(WIDE, fx=focal, fy=focal)
        textured_plane_photos(tmp_path / str(millimetres), poses, lens)
    for i in range(12):
        millimetres = (28, 42)[i % 2]
        with Image.open(tmp_path / str(millimetres) / f"IMG_{i}.jpg") as image:
            exif = image.getexif()
            exif.get_ifd(EXIF_IFD)[FOCAL_35MM] = millimetres
            (tmp_path / "photos").mkdir(exist_ok=True)
            image.save(tmp_path / "photos" / f"IMG_{i}.jpg", exif=exif, quality=95)
    scene = run_task(solve_poses(tmp_path / "photos", tmp_path / "work"))
    assert [p.name for p in scene.photos] == [f"IMG_{i}.jpg" for i in range(12)]
    assert [p.intrinsics.fx for p in scene.photos] == pytest.approx(6 * [320, 480], rel=0.01)
    assert alignment_error(centers(scene), np.array([p[:3, 3] for p in poses])) < 0.01


def test_blur_lowers_sharpness_and_darkness_does_not():
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.integers(0, 255, (75, 100, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(6)))
    sharp, soft, dark = (
        photo_statistics(pixels),
        photo_statistics(blurred),
        photo_statistics(pixels // 3),
    )
    assert soft.sharpness < 0.5 * sharp.sharpness
    assert dark.sharpness == pytest.approx(sharp.sharpness, rel=0.1)
    assert dark.brightness == pytest.approx(sharp.brightness / 3, rel=0.05)


def test_a_picture_is_copied_once(tmp_path):
    paths = [noise_photo(tmp_path / f"{i}.png", i // 2, (160, 120)) for i in range(4)]
    told = []
    copies, refused = copy_photos(paths, tmp_path / "copies", 100, told.append)
    assert [c.name for c in copies] == ["0.png", "2.png"]
    assert {name: str(fault.reason) for name, fault in refused.items()} == {
        "1.png": "the same image as 0.png",
        "3.png": "the same image as 2.png",
    }
    assert told == [0, 1, 2, 3]
    assert copies[0].copy_size == (100, 75)
