"""What the command line says of this machine: devices, displays, versions."""

import sys

import pytest

from tests.core.cli.command_line import complaint, result


def test_doctor_names_what_will_be_used(command):
    told = result(command("doctor", "--json"))
    assert told["device"].startswith("cpu")
    assert told["gpus"] == []
    assert told["preset"] == "draft"
    assert told["display"].startswith("none") or sys.platform != "linux"
    assert all(version != "missing" for version in told["versions"].values())
    plain = command("doctor")
    assert plain.returncode == 0
    assert "torch" in plain.stdout


def test_a_gpu_that_is_not_there_is_said(command, photos, finished, tmp_path):
    for arguments in (
        ("reconstruct", photos, "-o", tmp_path),
        ("bench",),
        ("export", finished / "project", "-o", tmp_path / "x.obj"),
    ):
        text = complaint(command(*arguments, "--device", "cuda"))
        assert "GPU" in text
        assert "--device cpu" in text


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a desktop")
def test_without_a_display_the_window_says_so(command, photos):
    assert "display" in complaint(command(photos)).lower()
