"""Small pictures of the photos, and the ranking of how well they are explained."""

import io
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.base.image_metrics import psnr
from core.base.jobs import Progress, run_task
from core.capture.open import hold_out_every, open_capture
from core.capture.pixels import load_pixels
from core.output.views import render_photo
from core.protocol import PhotoScored, Thumbnails
from core.session.viewer import photo_list
from core.session.viewer.photo_list import BATCH, DUTY_CYCLE, PhotoList, thumbnail
from core.training.ray_source import photo_colors
from core.training.trainer import Trainer
from tests.core.shaded_ball import CPU, TINY, shaded_ball


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A capture whose fourth photo is noise."""
    folder = shaded_ball(tmp_path_factory.mktemp("ball"), 10)
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 4), np.uint8)
    noise[..., 3] = 255
    Image.fromarray(noise).save(folder / "3.png")
    return folder


def worked(album, trainer=None, training=False, until=lambda: False):
    deadline = time.monotonic() + 60
    while album.work(trainer, training) and not until():
        assert time.monotonic() < deadline


def test_every_photo_gets_a_small_picture_in_the_order_of_the_cameras(folder, monkeypatch):
    monkeypatch.setattr(photo_list, "BATCH", 4)
    scene = hold_out_every(run_task(open_capture(folder)))
    said = []
    album = PhotoList(said.append)
    assert not album.work(None, False), "nothing is open"
    album.open(scene)
    worked(album)
    assert all(isinstance(event, Thumbnails) for event in said)
    assert [event.first for event in said] == [0, 4, 8]
    pictures = [picture for event in said for picture in event.images]
    photos = (*scene.photos, *scene.held_out)
    assert len(pictures) == len(photos) == 10
    assert max(map(len, pictures)) < 8000, "small enough for the pipe"
    for photo, picture in zip(photos, pictures):
        with Image.open(io.BytesIO(picture)) as small:
            assert small.size == (48, 48)
        assert picture == thumbnail(photo)
    assert BATCH * 8000 < 1 << 20
    broken = replace(photos[0], path=folder / "transforms.json")
    assert thumbnail(broken) == b""


def test_the_photo_that_is_noise_is_explained_worst(folder):
    scene = hold_out_every(run_task(open_capture(folder)))
    with run_task(load_pixels(scene, 100)) as store:
        trainer = Trainer(store, TINY, CPU)
        said = []
        album = PhotoList(said.append)
        album.open(scene)
        for _ in range(60):
            trainer.step()
        worked(album, trainer)
        scores = {e.name: e.psnr for e in said if isinstance(e, PhotoScored)}
        assert set(scores) == {p.name for p in (*scene.photos, *scene.held_out)}
        assert min(scores, key=scores.__getitem__) == "3.png"
        others = [score for name, score in scores.items() if name != "3.png"]
        assert min(others) > scores["3.png"] + 3
        photo = scene.photos[-1]
        image = run_task(render_photo(trainer, photo, photo.intrinsics.shrunk(100)))
        whole = psnr(image, photo_colors(scene, photo, photo.intrinsics))
        assert scores[photo.name] == pytest.approx(whole, abs=0.7), "2048 of 2304 pixels, drawn"

        before = len(said)
        assert not album.work(trainer, False), "all is measured"
        trainer.step()
        worked(album, trainer)
        again = said[before:]
        assert len(again) == 10
        assert {event.step for event in again} == {trainer.step_count}


def test_measuring_takes_a_small_share_of_training(folder, monkeypatch):
    scene = run_task(open_capture(folder))
    now = [0.0]
    album = PhotoList(lambda event: None, lambda: now[0])
    album.open(scene)
    worked(album)

    def costly(*_):
        for _ in range(3):
            now[0] += 0.04
            yield Progress(0.5)

    monkeypatch.setattr(album, "_score", costly)
    album.forget()

    class Trained:
        step_count = 1

    spent = 0.0
    for _ in range(20000):
        began = now[0]
        album.work(Trained(), True)  # type: ignore[arg-type]
        spent += now[0] - began
        now[0] += 0.01
    assert spent / now[0] == pytest.approx(DUTY_CYCLE, rel=0.1)
