"""Gradina: photos → cameras → rays → field → losses → preview and mesh.

The way through the code, in the order things happen:

    photos         core/capture/open.py           what lies at a path, and which reader takes it
    cameras        core/capture/poses/solve.py    poses of plain photos; readers for posed captures
    the unit ball  core/geometry/scene_ball.py    one similarity that the exports undo
    rays           core/training/ray_source.py    random pixels of all photos
    samples        core/rendering/sampling.py     only where the surface can be
    field          core/field/sdf_field.py        hash grid → signed distance; colour beside it
    rendering      core/rendering/render.py       samples → opacities → a pixel's colour
    losses, Adam   core/training/trainer.py       one step, top to bottom
    supervision    core/training/supervision/     by photos, or by a text prompt
    preview        core/rendering/preview.py      sphere tracing of the same field
    mesh           core/meshing/pipeline.py       marching cubes of the same field, input frame
    project        core/project/store.py          what is saved, and opened again
    session        core/session/session.py        all of it, driven by the window or core/api.py
    protocol       core/protocol/                 the messages between the window and its worker
    worker         core/engine/worker.py          the process that the session runs in
    window         app/window.py                  in a process of its own

Results go to stdout, progress to stderr. Exit status: 0 done, 1 failed with one clear line,
2 wrong usage, 128 + n stopped by signal n, with what was done so far saved.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # installed, this is site-packages/gradina

from core.base.errors import UserError
from core.base.interrupts import SIGNAL_STATUS, Interrupted, catch_signals
from core.cli import parser as command_line


def window(path: Path | None, device: str) -> int:
    """Show the window, with ``path`` opened at once, and return the exit status."""
    from app.window import run_window

    return run_window(path, device=device)


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return the exit status."""
    arguments = command_line.parse(sys.argv[1:] if argv is None else argv, window)
    try:
        with catch_signals():
            return arguments.run(arguments)
    except Interrupted as stop:
        advice = "".join(f"; {note}" for note in getattr(stop, "__notes__", ()))
        print(f"gradina: stopped by {stop}{advice}", file=sys.stderr)
        return stop.status
    except UserError as error:
        print(f"gradina: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        path = command_line.log_failure()
        print(
            f"gradina: something unexpected went wrong ({type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else ''}); see {path}",
            file=sys.stderr,
        )
        return 1


def run() -> None:
    """Run the process. One that was stopped by a signal does not wait for its threads."""
    status = main()
    if status > SIGNAL_STATUS:
        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run()
