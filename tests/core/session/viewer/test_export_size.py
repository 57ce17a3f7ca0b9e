"""What an export would be, told before it is made."""

import time

import pytest

from core.base.jobs import Progress, run_task
from core.config.mesh import MeshOptions
from core.protocol import Export, ExportEstimate
from core.session.export_job import export_mesh
from core.session.viewer import export_size
from core.session.viewer.export_size import ExportEstimator, carried_on
from tests.core.shaded_ball import ball_store, ball_trainer
from tests.files import results


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as store:
        trainer = ball_trainer(store)
        for _ in range(30):
            trainer.step()
        yield trainer


def worked(sizer, trainer, training=False):
    deadline = time.monotonic() + 60
    while sizer.work(trainer, training):
        assert time.monotonic() < deadline


def test_about_first_and_then_exactly_what_is_exported(trainer, tmp_path):
    said: list[ExportEstimate] = []
    sizer = ExportEstimator(said.append)
    assert not sizer.work(trainer, False), "nobody asked"
    options = MeshOptions(resolution=72, format="ply")
    sizer.ask(options)
    worked(sizer, trainer)
    about, exact = said
    assert (about.exact, exact.exact) == (False, True)
    assert about.options == exact.options == options
    assert about.n_faces == pytest.approx(exact.n_faces, rel=0.1)
    assert about.n_bytes == pytest.approx(exact.n_bytes, rel=0.35)
    done = run_task(export_mesh(trainer, Export(str(tmp_path / "ball.ply"), options)))
    assert (exact.n_faces, exact.n_bytes) == (done.n_faces, done.n_bytes)
    written = sum(f.stat().st_size for f in results(tmp_path) if f.suffix != ".json")
    assert written == exact.n_bytes
    assert not sizer.work(trainer, False), "it is known"
    sizer.ask(options)
    assert not sizer.work(trainer, False), "it is still known"
    trainer.step()
    worked(sizer, trainer)
    assert [size.exact for size in said[2:]] == [False, True]


def test_while_training_only_about_and_seldom(trainer, monkeypatch):
    now = [0.0]
    made = []

    def about(*_):
        for _ in range(4):
            now[0] += 0.05
            yield Progress(0.5)
        made.append(now[0])
        return ExportEstimate(MeshOptions(), 100, 1000, False)

    monkeypatch.setattr(export_size, "_about", about)
    sizer = ExportEstimator(lambda event: None, lambda: now[0])
    sizer.ask(MeshOptions())
    spent = 0.0
    while now[0] < 200:
        began = now[0]
        sizer.work(trainer, True)
        spent += now[0] - began
        now[0] += 0.02
    assert spent / now[0] < export_size.DUTY_CYCLE
    assert 5 <= len(made) <= 10, "every twenty seconds"


def test_counts_are_carried_on_by_the_power_that_they_show():
    square = [(40, 1000), (80, 4000)]
    assert carried_on(square, 80_000, MeshOptions(resolution=160)) == (16_000, 320_000)
    assert carried_on(square, 80_000, MeshOptions(resolution=160, faces=500)) == (500, 10_000)
    set_of_two = MeshOptions(resolution=80, lods=2)  # 4000 and 1000, and both in one more file
    assert carried_on(square, 80_000, set_of_two) == (4000, 200_000)
    rough = carried_on([(40, 1000), (80, 6000)], 80_000, MeshOptions(resolution=160))[0]
    assert rough == pytest.approx(36_000, rel=0.01)
    assert carried_on([(40, 0), (80, 0)], 0, MeshOptions()) == (0, 0)
