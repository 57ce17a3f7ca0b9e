import numpy as np
import pycolmap
import pytest

from core.capture.poses.database import matched_pairs
from core.capture.poses.matching import PairCounts, choose_pairs, match_more
from core.capture.poses.progress_estimate import ProgressEstimator
from core.capture.poses.retrieval import similar_photos

SEEN, STEP = 40, 6


@pytest.fixture
def ring(tmp_path):
    """Photos of things that stand in a ring: each shows 40 of them, 6 further than the one
    before. Returns a function: how many photos → a database of them, and their names."""

    def build(n):
        rng = np.random.default_rng(0)
        things = rng.integers(0, 120, (n * STEP, 128))
        names = [f"{i:04d}.jpg" for i in range(n)]
        with pycolmap.Database.open(str(tmp_path / "ring.db")) as database:
            camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_RADIAL", 400.0, 400, 300)
            database.write_camera(camera)
            rig = pycolmap.Rig(rig_id=1)
            rig.add_ref_sensor(camera.sensor_id)
            database.write_rig(rig)
            for i, name in enumerate(names):
                image = pycolmap.Image(name, camera_id=1)
                image_id = database.write_image(image)
                shown = things[(i * STEP + np.arange(SEEN)) % len(things)]
                noisy = np.clip(shown + rng.integers(-8, 9, shown.shape), 0, 255).astype(float)
                noisy *= 512 / np.linalg.norm(noisy, axis=1, keepdims=True)  # as SIFT's are
                keypoints = np.concatenate(
                    [rng.uniform(0, 300, (SEEN, 2)), rng.uniform(1, 9, (SEEN, 1)) * [1, 0, 0, 1]], 1
                )
                database.write_keypoints(image_id, keypoints.astype(np.float32))
                database.write_descriptors(
                    image_id,
                    pycolmap.FeatureDescriptors(
                        pycolmap.FeatureExtractorType.SIFT, noisy.astype(np.uint8)
                    ),
                )
        return tmp_path / "ring.db", names

    return build


def test_photos_that_show_the_same_look_alike(ring):
    n = 320
    database, names = ring(n)
    near = similar_photos(database, names, 0)
    assert near.shape == (n, 30)
    away = np.abs(near - np.arange(n)[:, None])
    around = np.minimum(away, n - away)
    assert (around[:, :2] <= 2).mean() > 0.95
    pairs = choose_pairs(n, lambda: near)
    assert {(0, n - 1), (1, n - 1), (0, n - 2)} <= set(pairs), "the ring is closed"
    assert len(pairs) < 40 * n
    np.testing.assert_array_equal(near, similar_photos(database, names, 0))


def test_comparing_more_pairs_takes_those_not_compared_yet_and_no_more_than_before(ring):
    database, names = ring(5)
    progress = ProgressEstimator(lambda share, words, found: None)
    first = match_more(database, names, PairCounts(10, 3), 0, float("inf"), progress)
    assert first == PairCounts(10, 3 + 3)
    assert set(matched_pairs(database)) == {(1, 2), (2, 3), (3, 4)}
    match_more(database, names, first, 0, float("inf"), progress)
    assert len(matched_pairs(database)) == 3 + 6
