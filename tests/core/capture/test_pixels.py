from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.pixels import load_pixels
from core.capture.scene import Photo, Scene
from tests.core.captures import LENS, noise_photo, orbit


def file_pixels(photo):
    return np.asarray(Image.open(photo.path))


@pytest.fixture
def scene(tmp_path):
    photos = tuple(
        Photo(f"{i}", noise_photo(tmp_path / f"{i}.png", i, (80, 60)), LENS, pose)
        for i, pose in enumerate(orbit(4))
    )
    return Scene("test", photos, np.eye(4))


def test_photos_come_back_as_they_were(scene, tmp_path):
    with run_task(load_pixels(scene, 1000, tmp_path)) as store:
        assert store.pixels.shape == (4 * 80 * 60, 4)
        for i, photo in enumerate(scene.photos):
            np.testing.assert_array_equal(store.image(i)[..., :3], file_pixels(photo))
            assert (store.image(i)[..., 3] == 255).all()


def test_photos_are_stored_at_training_scale_with_their_lens(scene, tmp_path):
    with run_task(load_pixels(scene, 40, tmp_path)) as store:
        assert store.image(2).shape == (30, 40, 4)
        assert list(store.offsets) == [0, 1200, 2400, 3600]
        assert (store.intrinsics[0].fx, store.intrinsics[0].cx) == (35.0, 20.0)
        area = np.asarray(Image.open(scene.photos[2].path)).reshape(30, 2, 40, 2, 3).mean((1, 3))
        assert np.abs(store.image(2)[..., :3] - area).max() <= 1


def test_masks_become_the_opacity(scene, tmp_path):
    mask = np.zeros((60, 80), np.uint8)
    mask[:, 40:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    photos = tuple(replace(p, mask_path=tmp_path / "mask.png") for p in scene.photos)
    with run_task(load_pixels(replace(scene, photos=photos), 1000, tmp_path)) as store:
        np.testing.assert_array_equal(store.image(1)[..., 3], mask)


def test_a_truncated_photo_is_left_out_and_the_others_stay_together(scene, tmp_path):
    cut = noise_photo(tmp_path / "cut.jpg", 9, (400, 300))
    cut.write_bytes(cut.read_bytes()[:2000])
    photos = (scene.photos[0], replace(scene.photos[1], path=cut), *scene.photos[2:])
    with run_task(load_pixels(replace(scene, photos=photos), 1000, tmp_path)) as store:
        assert [p.name for p in store.scene.photos] == ["0", "2", "3"]
        assert "cut.jpg is damaged" in str(store.scene.notices[0])
        assert len(store.pixels) == 3 * 80 * 60
        for i, photo in enumerate(store.scene.photos):
            np.testing.assert_array_equal(store.image(i)[..., :3], file_pixels(photo))


def test_nothing_is_left_on_disk(scene, tmp_path):
    folder = tmp_path / "cache"
    store = run_task(load_pixels(scene, 40, folder))
    store.close()
    assert not list(folder.iterdir())
    task = load_pixels(scene, 40, folder)
    next(task)
    task.close()
    assert not list(folder.iterdir())


def test_a_full_disk_is_a_clear_error(scene, tmp_path):
    huge = replace(LENS, width=80_000_000, height=60_000_000)
    photos = tuple(replace(p, intrinsics=huge) for p in scene.photos)
    with pytest.raises(UserError, match="cannot hold the decoded photos"):
        run_task(load_pixels(replace(scene, photos=photos), 10**9, tmp_path))
    assert not [p for p in tmp_path.iterdir() if p.suffix == ".pixels"]


def test_progress_counts_photos(scene, tmp_path):
    seen = []
    run_task(load_pixels(scene, 40, tmp_path), seen.append).close()
    assert seen[0].fraction == 0.0
    assert all("of 4" in str(p.detail) for p in seen)
