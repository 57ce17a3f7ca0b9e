"""Laws of jobs, duty cycles and files that appear as a whole, for any course of things."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.base.atomic_file import atomic_open, write_atomically
from core.base.colormaps import MAX_ERROR, depth_colors, error_colors, level_colors
from core.base.duty_cycle import DutyCycle
from core.base.jobs import Job, Progress, Task, run_task, subtask
from tests.core.strategies import floats

fractions = st.lists(floats(0, 1), max_size=20).map(sorted)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def task_of(told: list[float], ended: list[str]) -> Task[str]:
    """Tells so many fractions, and that it was left."""
    try:
        for fraction in told:
            yield Progress(fraction, "inner")
        return "result"
    finally:
        ended.append("cleaned up")


@given(fractions, floats(0, 1), floats(0, 1), st.sampled_from(["", "outer"]))
def test_progress_within_a_longer_task_rises_and_stays_in_its_part(told, a, b, detail):
    (start, end), ended, seen = sorted((a, b)), [], []
    assert run_task(subtask(task_of(told, ended), start, end, detail), seen.append) == "result"
    found = [progress.fraction for progress in seen]
    assert len(found) == len(told)
    assert found == sorted(found)
    assert all(start - 1e-12 <= fraction <= end + 1e-12 for fraction in found)
    assert {progress.detail for progress in seen} <= {detail or "inner"}
    assert ended == ["cleaned up"]


@given(fractions, st.lists(floats(0, 2), min_size=21, max_size=21), st.integers(0, 21))
def test_a_job_is_over_once_and_tells_how_long_its_slices_took(told, costs, given_up_after):
    clock, ended = Hands(), []
    inner = task_of(told, ended)

    def slow() -> Task[str]:
        try:
            for cost in costs:
                clock.now += cost
                yield next(inner)
        except StopIteration as stop:
            return stop.value
        finally:
            inner.close()
        raise AssertionError

    job = Job(slow(), clock)
    for i in range(given_up_after):
        clock.now += 5.0  # between slices, which does not count
        if job.advance():
            assert i == len(told)
            assert job.result == "result"
            break
        assert job.progress.fraction == told[i]
    n = min(given_up_after, len(told) + 1)
    assert job.seconds == pytest.approx(sum(costs[:n]))
    assert job.is_over == (given_up_after > len(told))
    job.cancel()
    assert job.is_over
    assert ended == (["cleaned up"] if n else [])


@given(
    floats(0.01, 1.0),
    floats(0, 2),
    st.lists(st.tuples(floats(0.001, 5), st.none() | floats(0.05, 1)), min_size=1, max_size=20),
)
def test_work_in_a_duty_cycle_takes_no_more_than_its_fraction_of_the_time(fraction, rest, pieces):
    clock = Hands()
    cycle = DutyCycle(fraction, rest, clock)
    assert cycle.is_due
    for seconds, other in pieces:
        began = clock.now
        clock.now += seconds
        cycle.record(seconds, other)
        due = max(seconds * (1 / (other or fraction) - 1), rest)
        clock.now += due * (1 - 1e-6) - 1e-9
        assert not cycle.is_due or due < 1e-6
        clock.now += due * 2e-6 + 2e-9
        assert cycle.is_due
        assert seconds <= (other or fraction) * (clock.now - began) * (1 + 1e-6)
    cycle.record(10.0)
    cycle.reset()
    assert cycle.is_due


def interrupted(path: Path, data: bytes, there: bytes | None) -> None:
    """A writer that is stopped before the end; until then ``there`` is what others read."""
    with atomic_open(path) as file:
        file.write(data)
        file.flush()
        assert (path.read_bytes() if there is not None else None) == there
        raise KeyboardInterrupt


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.integers(0, 5))
@example([b""], 0)
def test_a_file_holds_the_old_or_the_new_and_nothing_is_left_beside_it(contents, fails_at):
    with tempfile.TemporaryDirectory() as name:
        path, there = Path(name) / "below" / "file", None
        for i, data in enumerate(contents):
            if i == fails_at:
                with pytest.raises(KeyboardInterrupt):
                    interrupted(path, data, there)
            else:
                write_atomically(path, data)
                there = data
            assert (path.read_bytes() if path.exists() else None) == there
            assert os.listdir(path.parent) == (["file"] if there is not None else [])


@given(floats(0, 1), floats(0, 1), st.integers(2, 30))
def test_colour_maps_stay_in_range_and_errors_and_nearness_grow_brighter(a, b, n):
    low, high = sorted((a, b))
    assert (
        error_colors(np.array(low * MAX_ERROR)).sum()
        <= error_colors(np.array(high * MAX_ERROR)).sum() + 1e-9
    )
    assert depth_colors(np.array(low)).sum() >= depth_colors(np.array(high)).sum() - 1e-9
    colors = level_colors(n)
    assert colors.shape == (n, 3)
    for found in (error_colors(np.array([low, high])), depth_colors(np.array([low, high])), colors):
        assert ((found >= 0) & (found <= 1)).all()
    assert all((one != other).any() for one, other in pairwise(colors))
