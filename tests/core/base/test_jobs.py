"""Long work as generators."""

import threading

import pytest

from core.base.jobs import Progress, Stages, run_in_thread, run_task

NOW = Progress(0.5, "working")


def test_work_in_the_background_yields_until_it_is_done():
    proceed = threading.Event()

    def work() -> str:
        assert proceed.wait(10)
        return threading.current_thread().name

    task = run_in_thread(work, NOW)
    assert [next(task) for _ in range(3)] == [NOW] * 3, "it waits, its driver does not"
    proceed.set()
    assert run_task(task) != threading.current_thread().name


def test_an_error_in_the_background_reaches_the_one_who_asked():
    with pytest.raises(ZeroDivisionError):
        run_task(run_in_thread(lambda: 1 // 0, NOW))


def test_the_background_does_not_hold_up_one_who_cancels():
    proceed = threading.Event()
    task = run_in_thread(lambda: proceed.wait(10), NOW)
    next(task)
    task.close()  # returns at once
    assert not proceed.is_set()
    proceed.set()


def counted(n: int, result: str):
    for i in range(n + 1):
        yield Progress(i / n)
    return result


def test_stages_share_the_progress_by_their_weights_and_need_not_all_be_run():
    def task():
        stages = Stages(first=1, nothing=0, second=2, third=1)
        assert (yield from stages.run("first", counted(2, "one"))) == "one"
        yield from stages.run("nothing", counted(2, ""))
        return (yield from stages.run("second", counted(3, "rest"), last="third"))

    fractions = []
    assert run_task(task(), lambda progress: fractions.append(progress.fraction)) == "rest"
    assert fractions == pytest.approx(
        [0, 1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 2, 3 / 4, 1]
    )
