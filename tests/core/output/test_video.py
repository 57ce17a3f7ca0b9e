"""Videos and images along a camera path."""

import imageio.v3 as iio
import numpy as np
import pytest

from core.base.errors import UserError
from core.base.jobs import run_task
from core.base.outputs import write_output
from core.geometry.view import VideoOptions
from core.output.video import write_video
from core.output.views import camera_path
from tests.core.shaded_ball import ball_store, ball_trainer
from tests.files import results


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as store:
        trained = ball_trainer(store)
        trained.step()
        yield trained


def key(z):
    pose = np.eye(4)
    pose[:3, 3] = 0, 0, z
    return tuple(pose.ravel().tolist())


def test_a_video_has_its_frames_and_a_path_that_repeats_it(trainer, tmp_path):
    video = tmp_path / "new" / "orbit.mp4"
    options = VideoOptions((key(-3.0), key(-2.0)), 0.7, 64, 49, 5, 24, mode="normals")
    assert run_task(write_video(trainer, video, options)) == 5
    frames = iio.imread(video)
    assert frames.shape == (5, 48, 64, 3), "an odd row less: players want even sizes"
    assert iio.immeta(video)["fps"] == 24
    ball = [int((np.ptp(p.astype(int), axis=-1) > 25).sum()) for p in frames]
    assert ball[4] > 1.5 * ball[0] > 0, "it comes nearer"
    assert [p.name for p in results(video.parent) if p.suffix != ".json"] == ["orbit.mp4"]
    views = camera_path(video.with_name("orbit.mp4.json"), trainer.scene.scene_from_input, 64, 48)
    assert len(views) == 5
    np.testing.assert_allclose(views[0].scene_from_camera, key(-3.0), atol=1e-6)
    np.testing.assert_allclose(views[4].scene_from_camera, key(-2.0), atol=1e-6)


def test_an_image_has_the_size_that_was_asked_for(trainer, tmp_path):
    options = VideoOptions((key(-3.0),), 0.7, 33, 21, mode="normals")
    run_task(write_video(trainer, tmp_path / "it.png", options))
    assert iio.imread(tmp_path / "it.png").shape == (21, 33, 3)
    assert len(results(tmp_path)) == 1


def test_a_cancelled_video_leaves_the_one_before(trainer, tmp_path):
    video = tmp_path / "video.mp4"
    write_output(video, b"before")
    task = write_video(trainer, video, VideoOptions((key(-3.0), key(-2.0)), 0.7, 32, 32, 50))
    for _ in range(8):
        next(task)
    task.close()
    assert video.read_bytes() == b"before"
    assert results(tmp_path) == [video]


def test_a_video_without_keyframes_is_refused(trainer, tmp_path):
    with pytest.raises(UserError, match="there are none"):
        run_task(write_video(trainer, tmp_path / "video.mp4", VideoOptions((), 0.7, 32, 32, 50)))


def test_a_name_that_is_neither_video_nor_image_is_refused(trainer, tmp_path):
    with pytest.raises(UserError, match=r"video\.avi is neither .* Name it \.mp4 or \.png"):
        run_task(
            write_video(trainer, tmp_path / "video.avi", VideoOptions((key(-3.0),), 0.7, 32, 32))
        )


def test_a_wrong_shape_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"scene_from_input has shape \[3, 4\]"):
        camera_path(tmp_path / "path.json", np.eye(4)[:3], 64, 48)
