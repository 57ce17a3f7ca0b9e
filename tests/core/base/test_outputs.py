"""What Gradina did not write, it never replaces or removes."""

import os
from pathlib import Path

import pytest

from core.base import outputs as module
from core.base.errors import UserError
from core.base.outputs import (
    ForeignFileError,
    Outputs,
    check_writable,
    choose_results_folder,
    is_output,
    mark_results_folder,
    without_outputs,
    write_output,
)


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()} - {module.MARKER}


def test_a_file_of_the_person_stays_as_it_is(tmp_path):
    (tmp_path / "mesh.obj").write_text("theirs")
    with pytest.raises(ForeignFileError, match=r"mesh\.obj exists already"):
        write_output(tmp_path / "mesh.obj", b"ours")
    assert (tmp_path / "mesh.obj").read_text() == "theirs"
    assert names(tmp_path) == {"mesh.obj"}


def test_force_replaces_it_and_from_then_on_it_is_ours(tmp_path):
    (tmp_path / "mesh.obj").write_text("theirs")
    with Outputs(tmp_path, force=True) as outputs:
        outputs.write(tmp_path / "mesh.obj", b"ours")
    write_output(tmp_path / "mesh.obj", b"ours again")
    assert (tmp_path / "mesh.obj").read_bytes() == b"ours again"


def test_what_a_person_changed_is_theirs(tmp_path):
    write_output(tmp_path / "mesh.obj", b"ours")
    (tmp_path / "mesh.obj").write_text("mended by hand")
    with pytest.raises(ForeignFileError):
        write_output(tmp_path / "mesh.obj", b"ours again")


def test_a_copied_folder_is_still_ours(tmp_path):
    write_output(tmp_path / "a" / "mesh.obj", b"ours")
    (tmp_path / "a").rename(tmp_path / "b")
    os.utime(tmp_path / "b" / "mesh.obj", (0, 0))
    write_output(tmp_path / "b" / "mesh.obj", b"ours again")


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    write_output(tmp_path / "a", b"old")

    def fail():
        with Outputs(tmp_path) as outputs:
            outputs.write(tmp_path / "a", b"new")
            outputs.write(tmp_path / "below" / "b", b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()].count(module.MARKER) == 1
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {"a", module.MARKER}


def test_an_end_between_marker_and_file_loses_neither(tmp_path, monkeypatch):
    write_output(tmp_path / "a", b"old")
    replace = os.replace

    def end(source, target):
        if Path(target).name == "a":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", end)
    with pytest.raises(KeyboardInterrupt):
        write_output(tmp_path / "a", b"new")
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"old"
    write_output(tmp_path / "a", b"newer")
    assert (tmp_path / "a").read_bytes() == b"newer"


def test_a_link_is_made_anew_but_never_in_place_of_a_file(tmp_path):
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_text(name)
    out = tmp_path / "out"
    for source in ("one.jpg", "two.jpg"):
        with Outputs(out) as outputs:
            outputs.link(tmp_path / source, out / "images" / "x.jpg")
        assert (out / "images" / "x.jpg").samefile(tmp_path / source)
    (out / "images" / "y.jpg").write_text("theirs")
    with pytest.raises(ForeignFileError), Outputs(out) as outputs:
        outputs.link(tmp_path / "one.jpg", out / "images" / "y.jpg")


def test_a_folder_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "images").symlink_to(tmp_path / "photos")
    with pytest.raises(UserError, match="is a link to"), Outputs(tmp_path / "out") as outputs:
        outputs.write(tmp_path / "out" / "images" / "x.jpg", b"ours")
    assert not list((tmp_path / "photos").iterdir())


def test_of_an_earlier_run_only_what_it_wrote_goes(tmp_path):
    with Outputs(tmp_path) as outputs:
        for i in range(3):
            outputs.write(tmp_path / f"{i}.png", b"ours")
    (tmp_path / "1.png").write_text("painted over")
    (tmp_path / "9.png").write_text("theirs")
    with Outputs(tmp_path) as outputs:
        outputs.write(tmp_path / "0.png", b"ours")
        outputs.remove_stale("*.png")
    assert names(tmp_path) == {"0.png", "1.png", "9.png"}


def test_what_lies_outside_is_refused(tmp_path):
    with pytest.raises(UserError, match="outside"), Outputs(tmp_path / "out") as outputs:
        outputs.write(tmp_path / "x", b"ours")


def test_outputs_are_no_input_unless_there_is_nothing_else(tmp_path):
    write_output(tmp_path / "preview.png", b"ours")
    write_output(tmp_path / "out" / "images" / "x.jpg", b"ours", tmp_path / "out")
    (tmp_path / "a.jpg").write_text("theirs")
    everything = list(tmp_path.rglob("*.*g"))
    assert without_outputs(everything, tmp_path) == [tmp_path / "a.jpg"]
    assert is_output(tmp_path / "out" / "images" / "x.jpg", tmp_path)
    assert without_outputs([tmp_path / "preview.png"], tmp_path) == [tmp_path / "preview.png"]


def test_results_never_mix_with_their_input(tmp_path):
    photos, other = tmp_path / "scan" / "photos", tmp_path / "other"
    for folder in (photos, other):
        folder.mkdir(parents=True)
        (folder / "a.jpg").write_text("a photo")
    own = module.RESULTS_FOLDER
    assert choose_results_folder(other, photos) == other, "its files are looked at one by one"
    for source in (photos, photos / "a.jpg"):
        with pytest.raises(UserError, match="holds the input itself"):
            choose_results_folder(photos, source)
    assert choose_results_folder(tmp_path / "scan", photos) == tmp_path / "scan" / own
    assert choose_results_folder(photos / "new", photos) == photos / "new"
    (photos / "sub").mkdir()
    (photos / "sub" / "b.jpg").write_text("a photo")
    assert choose_results_folder(photos / "sub", photos) == photos / "sub" / own
    mark_results_folder(tmp_path / "scan")
    assert choose_results_folder(tmp_path / "scan", photos) == tmp_path / "scan", (
        "it is one of results"
    )


def test_what_is_in_the_way_is_found_before_the_work(tmp_path):
    (tmp_path / "report.json").write_text("theirs")
    with pytest.raises(ForeignFileError):
        check_writable(tmp_path, [tmp_path / "report.json"])
    check_writable(tmp_path, [tmp_path / "mesh.obj"])
    assert names(tmp_path) == {"report.json"}
