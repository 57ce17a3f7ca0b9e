"""What came of a command, read as a script or a person does."""

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
STEPS = "150"
QUICK = ("--steps", STEPS, "--mesh-resolution", "32", "--device", "cpu")


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def result(done: Done) -> dict:
    """The JSON object in the last line of a command that went well."""
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def complaint(done: Done) -> str:
    """The one line by which a command failed."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("gradina: ")]
    assert len(lines) == 1, done.stderr
    assert done.stderr.rstrip().endswith(lines[0]), "it is the last word"
    assert "unexpected" not in lines[0]
    return lines[0]
