"""How many photos are looked at at once, and that it does not show in the poses."""

from types import SimpleNamespace

import numpy as np
import pycolmap
import pytest

from core.base.cores import THREADS_VARIABLE
from core.base.jobs import run_task
from core.capture.poses import features
from core.capture.poses.progress_estimate import ProgressEstimator
from core.capture.poses.quality import QUALITIES
from core.capture.poses.solve import solve_poses
from core.capture.poses.working_copies import copy_photos
from tests.core.capture.poses.test_solve import WIDE, room_poses
from tests.core.captures import textured_plane_photos


@pytest.mark.parametrize(
    ("cores", "gigabytes", "threads"), [(2, 64, 2), (64, 8, 14), (64, 100, 64), (8, 0.1, 1)]
)
def test_memory_has_room_for_the_threads(monkeypatch, cores, gigabytes, threads):
    monkeypatch.setattr(features, "usable_cores", lambda: cores)
    memory = SimpleNamespace(available=int(gigabytes * 1e9))
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    assert features._num_threads() == threads


@pytest.mark.slow
def test_poses_do_not_depend_on_the_number_of_threads(tmp_path, monkeypatch):
    textured_plane_photos(tmp_path, room_poses(6), WIDE)
    models = []
    for threads in ("1", "2"):
        monkeypatch.setenv(THREADS_VARIABLE, threads)
        run_task(solve_poses(tmp_path, tmp_path / threads, seed=3))
        models.append(
            [path.read_bytes() for path in sorted((tmp_path / threads / "solved").iterdir())]
        )
    assert len(models[0]) >= 3
    assert models[0] == models[1]


def test_features_are_the_same_whatever_the_threads(tmp_path, monkeypatch):
    """More threads than cores finish in any order."""
    paths = textured_plane_photos(tmp_path / "photos", room_poses(6), WIDE)
    copies, _ = copy_photos(paths, tmp_path / "copies", 400, lambda i: None)
    progress = ProgressEstimator(lambda *told: None)
    found = []
    for threads in (1, 6):
        monkeypatch.setattr(features, "_num_threads", lambda threads=threads: threads)
        database = tmp_path / f"{threads}.db"
        sift = QUALITIES["fast"].sift()
        features.find_features(database, tmp_path / "copies", copies, sift, progress)
        with pycolmap.Database.open(str(database)) as content:
            found.append(
                {
                    image.name: (image.image_id, content.read_keypoints(image.image_id))
                    for image in content.read_all_images()
                }
            )
    first, second = found
    assert len(first) == 6
    assert first.keys() == second.keys()
    for name, (number, keypoints) in first.items():
        assert second[name][0] == number
        np.testing.assert_array_equal(second[name][1], keypoints)
