"""Films become photos."""

import av
import numpy as np
import pytest
from PIL import Image, ImageFilter

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.open import describe_input, open_capture
from core.capture.video import choose_keyframes, photos_of_video
from core.config.opening import OpenOptions
from tests.core.capture.poses.test_solve import WIDE, alignment_error, room_poses
from tests.core.captures import film_of, textured_plane_photos

BLURRED = {3, 4, 11, 12, 13, 25}


def video(path, moves=4, n=40):
    """Of a picture that moves by ``moves`` pixels a frame, some frames of it blurred."""
    coarse = np.random.default_rng(0).integers(0, 255, (107, 214, 3), np.uint8)
    wide = Image.fromarray(coarse).resize((640, 320), Image.Resampling.BICUBIC)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.bit_rate = 320, 240, 4_000_000
        for i in range(n):
            picture = wide.crop((moves * i, 0, moves * i + 320, 240))
            if i in BLURRED:
                picture = picture.filter(ImageFilter.GaussianBlur(4))
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    return path


def test_of_each_part_of_the_way_the_sharpest_frame_is_taken():
    moved = np.array([0.0, 0.02, 0.02, 0.0, 0.0, 0.0, 0.02, 0.02])
    sharpness = np.array([1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 1.0, 4.0])
    assert choose_keyframes(moved, sharpness, 2) == {1, 7}
    assert choose_keyframes(moved, sharpness, 100) <= set(range(8))
    assert len(choose_keyframes(moved * 0, sharpness, 5)) == 1, "a camera that stands still"
    sharpness[6:] = 0.1
    assert choose_keyframes(moved, sharpness, 3) == {1, 3}, "the end is blurred"


def test_a_video_becomes_sharp_photos_all_along_the_way(tmp_path):
    path, folder = video(tmp_path / "walk.mp4"), tmp_path / "frames"
    assert "a video" in str(describe_input(path)[0])
    assert run_task(photos_of_video(path, folder, 12)) == folder
    photos = sorted(folder.glob("*.jpg"))
    numbers = [int(p.stem.removeprefix("frame_")) for p in photos]
    assert 9 <= len(numbers) <= 12
    assert not BLURRED & set(numbers)
    assert numbers[0] < 4
    assert numbers[-1] > 35
    assert max(np.diff(numbers)) < 9
    assert Image.open(photos[0]).size == (320, 240)
    before = [p.stat().st_mtime_ns for p in photos]
    run_task(photos_of_video(path, folder, 12))
    assert [p.stat().st_mtime_ns for p in photos] == before, "they are kept"
    run_task(photos_of_video(path, folder, 8))
    assert len(list(folder.glob("*.jpg"))) <= 8


def test_a_video_of_a_camera_that_stands_still_is_refused(tmp_path):
    with pytest.raises(UserError, match="hardly moves"):
        run_task(
            photos_of_video(video(tmp_path / "still.mp4", moves=0, n=12), tmp_path / "frames", 12)
        )


@pytest.mark.slow
def test_a_video_and_nothing_else_becomes_a_solved_capture(tmp_path):
    """Its photos are where the camera was when their frames were taken."""
    poses = room_poses(24)
    film_of(tmp_path / "walk.mp4", textured_plane_photos(tmp_path / "frames", poses, WIDE))
    scene = run_task(
        open_capture(tmp_path / "walk.mp4", tmp_path / "work", options=OpenOptions(frames=12))
    )
    assert str(scene.kind) == "a video, poses solved"
    assert len(scene.photos) >= 8
    taken = [int(p.path.stem.removeprefix("frame_")) for p in scene.photos]
    found = np.array([p.world_from_camera[:3, 3] for p in scene.photos])
    assert alignment_error(found, np.array([poses[i][:3, 3] for i in taken])) < 0.02


def test_a_broken_video_is_refused_by_name(tmp_path):
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video at all" * 100)
    with pytest.raises(UserError, match=r"broken\.mp4 is not a readable video"):
        run_task(photos_of_video(path, tmp_path / "frames", 12))


def test_motion_and_sharpness_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="sharpness has shape"):
        choose_keyframes(np.zeros(5), np.zeros(4), 2)
