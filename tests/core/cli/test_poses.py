"""Camera poses from the command line."""

import json

from tests.core.captures import noise_photo


def test_a_dry_run_only_says_what_lies_there(command, tmp_path):
    for folder in ("a", "b"):
        for i in range(2):
            noise_photo(tmp_path / "shots" / folder / f"{i}.png", i)
    done = command("poses", tmp_path / "shots", "--dry-run")
    assert done.returncode == 1
    assert "in its subfolders only" in done.stderr
    done = command("poses", tmp_path / "shots", "--dry-run", "--recursive", "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout.splitlines()[-1])["recognised"]
    assert told[0].startswith("shots: a folder of 4 photos without poses")
    assert not (tmp_path / "out").exists()
