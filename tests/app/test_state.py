import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.state import (
    MAX_HISTORY,
    AppState,
    History,
    MessagesDismissed,
    OpenRequested,
    WorkerLost,
    WorkerStarted,
    reduce,
)
from app.text.status import (
    format_bytes,
    format_count,
    format_duration,
    phase_text,
    short_path,
    status_line,
    unsaved_text,
)
from core.base.text import text
from core.config.run import RunOptions
from core.geometry.view import IDENTITY
from core.protocol import (
    Arrangement,
    Exported,
    Failure,
    InputDetected,
    Notice,
    Opened,
    PosesSoFar,
    Saved,
    StateChanged,
    TaskProgress,
    TrainingStats,
)
from tests.app.driver import ROOT

OPENED = Opened(
    "/photos/owl",
    text("photos"),
    "cpu",
    36,
    0,
    100,
    False,
    Arrangement((), IDENTITY, IDENTITY, ""),
    (),
    b"",
    0.8,
    1.5,
    12,
    RunOptions("standard", 10.0),
    notices=(text("one photo was skipped"),),
)


def _stats(step: int, psnr: float = 20.0) -> TrainingStats:
    return TrainingStats(
        step, step / 1000, 1.0, 60.0, {"color": 0.2, "eikonal": 0.1}, psnr, 50.0, 6.0, 12, 1e4, 1e5
    )


def _after(*events: object, state: AppState | None = None) -> AppState:
    state = state or AppState()
    for event in events:
        state = reduce(state, event)  # type: ignore[arg-type]
    return state


TRAINING = StateChanged(
    "training", ("pause", "reset", "export"), {"start": text("It is training.")}
)


def test_what_is_allowed_comes_with_its_reasons():
    state = _after(TRAINING)
    assert state.may("pause")
    assert state.reason("pause") == ""
    assert state.reason("start") == "It is training."
    assert state.reason("save") != ""


def test_before_the_engine_answers_each_command_has_a_reason():
    assert AppState().reason("open") == ""
    assert "starting" in AppState().reason("start")


def test_a_scene_that_opens_clears_the_last_ones_numbers():
    state = _after(TRAINING, _stats(10), Failure(text("old"), "open"), OPENED)
    assert state.stats is None
    assert state.history == History()
    assert state.failure == ""
    assert state.notices == ("one photo was skipped",)


def test_what_was_recognised_is_shown_while_it_is_opened():
    state = reduce(AppState(), StateChanged("solving", ("cancel",), {}))
    state = reduce(state, InputDetected((text("box: a video"), text("100 frames"))))
    assert state.detected == ("box: a video", "100 frames")
    assert reduce(state, StateChanged("solving", ("cancel",), {})).detected == state.detected
    for after in ("empty", "ready", "training"):
        assert reduce(state, StateChanged(after, ("open",), {})).detected == ()


def test_poses_found_so_far_are_shown_until_the_scene_opens_or_solving_ends():
    found = PosesSoFar((IDENTITY,), b"")
    solving = _after(StateChanged("solving", ("cancel",), {}), found)
    assert solving.partial_poses is found
    assert _after(OPENED, state=solving).partial_poses is None
    assert _after(StateChanged("empty", ("open",), {}), state=solving).partial_poses is None


def test_what_is_told_of_a_run_is_kept_in_order():
    first, second = _stats(10, 20.0), _stats(20, 21.0)
    assert _after(first, second).history.stats == (first, second)


def test_a_long_history_stays_bounded_and_keeps_both_ends():
    history = History()
    for step in range(1, 5 * MAX_HISTORY):
        history = history.add(_stats(step))
        assert len(history.steps) <= MAX_HISTORY
    assert list(history.steps) == sorted(set(history.steps))
    assert history.steps[-1] == 5 * MAX_HISTORY - 1
    assert history.steps[0] < MAX_HISTORY


def test_a_run_that_restarts_drops_the_undone_points():
    history = History().add(_stats(10)).add(_stats(20)).add(_stats(30)).add(_stats(20, 25.0))
    assert [(stats.step, stats.psnr) for stats in history.stats] == [(10, 20.0), (20, 25.0)]


def test_reset_clears_and_pause_keeps_the_curves():
    running = _after(TRAINING, _stats(10))
    assert _after(StateChanged("paused", ("start",), {}), state=running).history.steps == (10,)
    assert _after(StateChanged("ready", ("start",), {}), state=running).history == History()


def test_a_task_shows_until_it_is_done_or_no_longer_under_way():
    opening = StateChanged("opening", ("cancel",), {})
    under_way = _after(opening, TaskProgress("open", 0.5, text("photo 3 of 6")))
    assert under_way.task is not None
    assert _after(TaskProgress("open", 1.0), state=under_way).task is None
    assert _after(StateChanged("empty", ("open",), {}), state=under_way).task is None
    assert _after(Failure(text("no"), "open"), state=under_way).task is None


def test_a_lost_worker_offers_the_autosave_else_the_scene_itself():
    opened = _after(OPENED, TRAINING)
    assert _after(WorkerLost(-9), state=opened).resume_path == "/photos/owl"
    saved = _after(Saved("/auto", automatic=True), Saved("/mine"), WorkerLost(-9), state=opened)
    assert saved.resume_path == "/auto"
    assert "signal 9" in saved.failure
    assert saved.engine == "lost"
    assert saved.may("open")
    assert not saved.may("pause")
    again = _after(OpenRequested("/auto"), WorkerStarted(), state=saved)
    assert (again.resume_path, again.failure, again.engine) == ("", "", "starting")


def test_the_cause_the_worker_gave_before_it_died_is_kept():
    state = _after(Failure(text("It broke; see log x")), WorkerLost(1))
    assert "see log x" in state.failure


def test_dismissing_clears_every_message():
    state = _after(Notice(text("a")), Failure(text("b")), MessagesDismissed())
    assert (state.failure, state.notices, state.resume_path) == ("", (), "")


def test_states_are_never_changed_in_place():
    before = _after(OPENED, TRAINING, _stats(10))
    kept = replace(before)
    _after(_stats(20), Exported("m.obj", 1, 2, 3), Notice(text("x")), state=before)
    assert before == kept


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "0:00"),
        (59.6, "1:00"),
        (725, "12:05"),
        (12000, "3:20:00"),
    ],
)
def test_durations(seconds, words):
    assert format_duration(seconds) == words


def test_numbers_for_people():
    assert (format_count(950), format_count(12345), format_count(1.25e6)) == (
        "950",
        "12.3 k",
        "1.25 M",
    )
    assert (format_bytes(12_000), format_bytes(3_400_000), format_bytes(1_250_000_000)) == (
        "12 kB",
        "3.4 MB",
        "1.2 GB",
    )


def test_what_the_training_does_is_one_plain_phrase():
    def phrase(phase: str, levels: float, state: str = "training") -> str:
        stats = msgspec.structs.replace(_stats(7), phase=phase, active_levels=levels)
        return phase_text(_after(OPENED, StateChanged(state, (), {}), stats))  # type: ignore[arg-type]

    assert phrase("density", 5.0) == "Training the coarse shape (density)"
    assert phrase("converting", 5.0) == "Converting density to a surface"
    assert phrase("surface", 8.3) == "Refining the surface, level 9 of 12"
    assert phrase("surface", 12.0) == "Refining the surface, all 12 levels"
    assert phrase("surface", 8.3, "paused") == "Paused: refining the surface, level 9 of 12"
    assert phrase("surface", 12.0, "finished").endswith("finished")
    assert phase_text(AppState()) == ""


def test_what_closing_would_lose_is_said_and_nothing_else():
    saved = _after(OPENED, StateChanged("paused", ("save",), {}), _stats(70))
    assert unsaved_text(saved) == ""
    unsaved = replace(saved, unsaved=True)
    assert unsaved_text(unsaved) == "owl has 0:01 of unsaved training (70 steps)."
    edited = _after(
        OPENED, StateChanged("ready", ("save",), {}, undo=text("the region"), unsaved=True)
    )
    assert unsaved_text(edited) == "owl has unsaved edits."
    both = replace(unsaved, undo="the region", project="/my/bird")
    assert unsaved_text(both) == ("bird has unsaved edits and 0:01 of unsaved training (70 steps).")


def test_a_project_is_the_persons_own_from_the_save_on():
    state = _after(OPENED, Saved("/auto", automatic=True))
    assert state.project == ""
    assert _after(Saved("/mine"), state=state).project == "/mine"
    assert _after(Saved("/mine"), OPENED, state=state).project == ""


def test_a_project_whose_photos_are_elsewhere_can_be_mended_until_something_is_opened():
    lost = _after(Failure(text("gone"), "open", "/my/owl"))
    assert lost.project_without_photos == "/my/owl"
    assert _after(OpenRequested("/my/owl"), state=lost).project_without_photos == ""
    assert _after(MessagesDismissed(), state=lost).project_without_photos == ""


def test_a_path_at_home_is_shown_short_and_no_other(monkeypatch):
    monkeypatch.setattr("app.text.status.Path.home", lambda: Path("/home/ann"))
    assert short_path("/home/ann/owl") == "~/owl"
    assert short_path("/home/anna/owl") == "/home/anna/owl"


def test_the_status_is_always_one_plain_sentence():
    assert status_line(AppState()) == "Starting the engine…"
    for state in ("empty", "opening", "solving", "ready", "training", "paused", "finished"):
        line = status_line(_after(OPENED, StateChanged(state, (), {}), _stats(7)))  # type: ignore[arg-type]
        assert line
        assert "\n" not in line
        assert line[-1] in ".…"
    solving = _after(
        StateChanged("solving", ("cancel",), {}), TaskProgress("solve", 0.5, text("12 of 36"), 90)
    )
    assert status_line(solving) == "Solving camera poses: 12 of 36, 1:30 left."


def test_importing_the_window_imports_no_engine():
    code = (
        "import sys, app.window\n"
        "print([m for m in ('torch', 'numba', 'scipy', 'pycolmap', 'core.session.session')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr
