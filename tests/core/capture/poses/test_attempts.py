"""When poses are solved again, in which way, and that it helps."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.base.jobs import run_task
from core.capture.poses.attempts import AttemptFacts, next_attempt
from core.capture.poses.report_file import in_english, read_report
from core.capture.poses.solve import solve_poses
from core.geometry.cameras import Intrinsics, pixel_directions
from tests.core.capture.poses.test_solve import WIDE, alignment_error, room_poses
from tests.core.captures import textured_plane_photos

FAILED = AttemptFacts(
    usable=20,
    placed=5,
    placed_in_any=5,
    feature_ratio=0.9,
    all_matched=True,
    any_links=True,
    maybe_fisheye=False,
    unknown_focal=False,
    looks_distorted=False,
)


def all_attempts(facts):
    """What is tried, one after the other, where nothing helps."""
    tried = []
    while name := next_attempt(facts, tried):
        tried.append(name)
    return tried


def test_nothing_is_tried_again_where_enough_is_placed():
    facts = AttemptFacts(20, 16, 16, 0.1, False, True, True, True, looks_distorted=False)
    assert all_attempts(facts) == []


def test_each_attempt_answers_its_cause():
    assert all_attempts(FAILED) == []
    assert all_attempts(replace(FAILED, all_matched=False)) == ["pairs"]
    assert all_attempts(replace(FAILED, feature_ratio=0.1)) == ["details"]
    assert all_attempts(replace(FAILED, maybe_fisheye=True)) == ["fisheye"]
    assert all_attempts(replace(FAILED, unknown_focal=True)) == ["wide", "narrow"]
    everything = AttemptFacts(20, 0, 0, 0.1, False, True, True, True, looks_distorted=False)
    assert all_attempts(everything) == ["pairs", "details", "fisheye", "wide", "narrow"]


def test_no_lens_helps_photos_that_share_nothing():
    assert (
        all_attempts(replace(FAILED, any_links=False, maybe_fisheye=True, unknown_focal=True)) == []
    )


def test_of_two_scenes_pairs_are_compared_once_more_and_that_is_all():
    facts = AttemptFacts(
        usable=20,
        placed=10,
        placed_in_any=20,
        feature_ratio=0.1,
        all_matched=False,
        any_links=True,
        maybe_fisheye=True,
        unknown_focal=True,
        looks_distorted=False,
    )
    assert all_attempts(facts) == ["pairs"]


def test_a_lens_that_looks_distorted_is_tried_as_a_fisheye_though_all_is_placed():
    facts = AttemptFacts(
        20, 20, 20, 0.1, False, True, maybe_fisheye=True, unknown_focal=True, looks_distorted=True
    )
    assert all_attempts(facts) == ["fisheye"]
    assert all_attempts(replace(facts, maybe_fisheye=False)) == []


@pytest.mark.slow
@pytest.mark.parametrize("quality", ["fast", "best"])
def test_every_quality_solves(tmp_path, quality):
    poses = room_poses(5)
    textured_plane_photos(tmp_path / "photos", poses, WIDE)
    scene = run_task(solve_poses(tmp_path / "photos", tmp_path / "work", quality=quality))
    assert len(scene.photos) == 5
    centers = np.array([p.world_from_camera[:3, 3] for p in scene.photos])
    assert alignment_error(centers, np.array([p[:3, 3] for p in poses])) < 0.02


def solved(folder, poses):
    """The scene of the photos in ``folder``, how far off it is, and its report."""
    work = folder.parent / "work"
    told = []
    scene = run_task(solve_poses(folder, work), told.append)
    true = np.array([poses[int(p.path.stem[4:])][:3, 3] for p in scene.photos])
    error = alignment_error(np.array([p.world_from_camera[:3, 3] for p in scene.photos]), true)
    return scene, error, in_english(read_report(work / "report.json")), told


@pytest.mark.slow
def test_faint_photos_are_solved_by_fainter_details_and_that_is_told(tmp_path):
    poses = room_poses(7)
    for path in textured_plane_photos(tmp_path / "photos", poses, WIDE):
        pixels = np.asarray(Image.open(path)).astype(float)
        faint = (128 + 0.04 * (pixels - 128)).round().astype(np.uint8)
        Image.fromarray(faint).save(path, quality=100)
    scene, error, report, told = solved(tmp_path / "photos", poses)
    assert len(scene.photos) == 7
    assert error < 0.02
    first, second = report["attempts"]
    assert (first["tried"], second["tried"]) == ("", "details")
    assert first["photos_placed"] < 0.8 * 7
    assert not first["kept"]
    assert second["text"] == (
        "Another attempt, finding fainter features, placed 7 of 7 photos; it is used"
    )
    assert any(str(p.detail).startswith("again, finding fainter features: ") for p in told)
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)


@pytest.mark.slow
def test_a_fisheye_lens_is_found_out(tmp_path):
    lens = Intrinsics(320, 240, 115.0, 115.0, 160.0, 120.0, "fisheye", (0.0, 0.0, 0.0, 0.0))
    poses = room_poses(8)
    boxed_photos(tmp_path / "photos", poses, lens)
    scene, error, report, _ = solved(tmp_path / "photos", poses)
    assert len(scene.photos) == 8
    assert scene.photos[0].intrinsics.model == "fisheye"
    assert scene.photos[0].intrinsics.fx == pytest.approx(115, rel=0.01)
    assert error < 0.003
    assert [a["kept"] for a in report["attempts"]] == [False, True]
    assert report["advice"] == []


def boxed_photos(folder, poses, lens, seed=0):
    """Photos, through any lens, of the floor z = 0 and the walls y = 1.5 and x = ±3."""
    texture = np.kron(
        np.random.default_rng(seed).integers(0, 255, (128, 128, 3)), np.ones((4, 4, 1))
    ).astype(np.uint8)
    folder.mkdir()
    u, v = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    rays = pixel_directions(lens, np.stack([u, v], -1).reshape(-1, 2))
    planes = ((2, -1, 0.0), (1, 1, 1.5), (0, 1, 3.0), (0, -1, -3.0))  # axis, side, where
    for i, pose in enumerate(poses):
        origin, directions = pose[:3, 3], rays @ pose[:3, :3].T
        t = np.stack(
            [
                np.where(
                    side * directions[:, axis] > 1e-9,
                    (at - origin[axis]) / directions[:, axis],
                    np.inf,
                )
                for axis, side, at in planes
            ],
            1,
        )
        met, distance = t.argmin(1), t.min(1)
        points = origin + np.where(np.isfinite(distance), distance, 0)[:, None] * directions
        along = np.where(met >= 2, points[:, 1] + 20 * met, points[:, 0])
        across = np.where(met == 0, points[:, 1], points[:, 2] + 10 + 7 * met)
        pixels = texture[(60 * along).astype(int) % 512, (60 * across).astype(int) % 512]
        pixels[~np.isfinite(distance)] = 128
        Image.fromarray(pixels.reshape(lens.height, lens.width, 3)).save(
            folder / f"IMG_{i}.jpg", quality=95
        )
