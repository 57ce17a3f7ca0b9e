"""What the window remembers between runs: settings, what was opened, work that a crash left."""

import os
import subprocess
import sys
import time

import pytest

from app.store.recent import MOST, Recent, day, describe, load_recents, save_recents, with_newest
from app.store.recovery import Word, unfinished
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
    for i in range(2 * MOST):
        (home / str(i)).mkdir()
        recents = with_newest(recents, Recent(str(home / str(i)), "photos", float(i)))
    assert len(recents) == MOST
    again = with_newest(recents, Recent(recents[3].path, "project", 99.0))
    assert again[0].opened == 99
    assert len(again) == MOST
    (home / str(2 * MOST - 1)).rmdir()
    save_recents(again)
    assert load_recents() == (again[0], *again[2:]), "what is gone is not offered"


def test_what_is_told_of_a_recent_thing(home):
    now = time.mktime((2026, 5, 10, 15, 0, 0, 0, 0, -1))
    (home / "checkpoint.safetensors").write_bytes(bytes(2_500_000))
    told = describe(Recent(str(home), "project, 36 photos", now - 3600), now)
    assert told == "project, 36 photos  ·  2.5 MB  ·  today 14:00"
    assert day(now - 20 * 3600, now) == "yesterday"
    assert day(now - 10 * 86400, now) == "30 Apr 2026"


def _leave_word_and_die(autosave, project=""):
    code = (
        f"from app.store.recovery import Word; Word().leave('owl', {str(autosave)!r}, {project!r})"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_work_of_a_window_that_died_is_offered_once(home):
    autosave = home / "autosave"
    autosave.mkdir()
    _leave_word_and_die(autosave)
    assert unfinished() is None, "nothing was saved of it"
    _leave_word_and_die(autosave, "/my/owl")
    (autosave / "project.json").write_text("{}")
    found = unfinished()
    assert found is not None
    assert (found.name, found.project) == ("owl", "/my/owl")
    assert unfinished() is None


def test_work_of_a_window_that_runs_or_ended_well_is_not_offered(home):
    (home / "project.json").write_text("{}")
    word = Word()
    word.leave("owl", str(home), "")
    assert unfinished() is None
    assert [p.stem for p in recovery_folder().iterdir()] == [str(os.getpid())]
    word.take_back()
    assert not list(recovery_folder().iterdir())
