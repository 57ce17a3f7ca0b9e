"""What the window remembers between runs: settings, what was opened, work that a crash left."""

import os
import subprocess
import sys
import time

import pytest

from app.store.recent import (
    MAX_RECENTS,
    Recent,
    add_recent,
    describe_recent,
    format_day,
    load_recents,
    save_recents,
)
from app.store.recovery import RecoveryMarker, find_unsaved_work
from app.store.settings import Settings, load_settings, save_settings
from core.base.paths import recovery_folder, settings_file
from tests.app.driver import ROOT


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for kind in ("CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path


def test_settings_come_back_as_they_were_left():
    assert load_settings() == Settings()
    chosen = Settings("light", 1.5, "en", (1200, 800), 420, ("view",))
    save_settings(chosen)
    assert load_settings() == chosen


def test_damaged_settings_are_those_of_a_first_start():
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text('{"theme": "pink"}')
    assert load_settings() == Settings()


def test_settings_that_cannot_be_written_harm_nothing(home):
    (home / "config").write_text("in the way")
    save_settings(Settings())


def test_the_newest_stands_first_and_each_path_once(home):
    recents = ()
    for i in range(2 * MAX_RECENTS):
        (home / str(i)).mkdir()
        recents = add_recent(recents, Recent(str(home / str(i)), "photos", float(i)))
    assert len(recents) == MAX_RECENTS
    again = add_recent(recents, Recent(recents[3].path, "project", 99.0))
    assert again[0].opened_at == 99
    assert len(again) == MAX_RECENTS
    (home / str(2 * MAX_RECENTS - 1)).rmdir()
    save_recents(again)
    assert load_recents() == (again[0], *again[2:]), "what is gone is not offered"


def test_what_is_told_of_a_recent_thing(home):
    now = time.mktime((2026, 5, 10, 15, 0, 0, 0, 0, -1))
    (home / "checkpoint.safetensors").write_bytes(bytes(2_500_000))
    told = describe_recent(Recent(str(home), "project, 36 photos", now - 3600), now)
    assert told == "project, 36 photos  ·  2.5 MB  ·  today 14:00"
    assert format_day(now - 20 * 3600, now) == "yesterday"
    assert format_day(now - 10 * 86400, now) == "30 Apr 2026"


def _write_marker_and_die(autosave, project=""):
    code = (
        "from app.store.recovery import RecoveryMarker; "
        f"RecoveryMarker().write('owl', {str(autosave)!r}, {project!r})"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_work_of_a_window_that_died_is_offered_once(home):
    autosave = home / "autosave"
    autosave.mkdir()
    _write_marker_and_die(autosave)
    assert find_unsaved_work() is None, "nothing was saved of it"
    _write_marker_and_die(autosave, "/my/owl")
    (autosave / "project.json").write_text("{}")
    found = find_unsaved_work()
    assert found is not None
    assert (found.name, found.project) == ("owl", "/my/owl")
    assert find_unsaved_work() is None


def test_work_of_a_window_that_runs_or_ended_well_is_not_offered(home):
    (home / "project.json").write_text("{}")
    marker = RecoveryMarker()
    marker.write("owl", str(home), "")
    assert find_unsaved_work() is None
    assert [p.stem for p in recovery_folder().iterdir()] == [str(os.getpid())]
    marker.clear()
    assert not list(recovery_folder().iterdir())
