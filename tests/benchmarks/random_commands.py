"""Random commands to a session in this process: ``python -m tests.benchmarks.random_commands
[--minutes M] [--seed S]``.

What `random_events` does to the window, closer and faster: every command with odd values of all
that it carries, now and then one that is not allowed, and after each as many slices of work as it
comes. Fails where a bug is raised, or at rest another step was told than there is, with the
commands before it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core import protocol as m
from core.config.run import Axes, MeshFormat, MeshOptions, RunOptions, Unseen
from core.field.methods import METHODS
from core.geometry.camera_path import looking_at_center
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit
from core.geometry.view import (
    CameraPath,
    MeshPreviewOptions,
    Point,
    PreviewMode,
    SlicePlane,
    VideoOptions,
    View,
)
from core.session.session import Session
from core.training.presets import PRESETS
from tests.core.shaded_ball import TINY, WARM, quick_conversion, shaded_ball

SLICES = (0, 1, 3, 10, 40, 150)
"""Of work after a command; in a third of the cases the long task under way is waited for."""
MOST = 20_000
FORBIDDEN = 0.1
"""Share of commands that are sent whether they are allowed or not."""
LONG = re.compile(r"\((-?[\d.e+-]+, ){8,}[^)]*\)")
"""A pose or a box, which nobody wants to read."""


class Commands:
    """Draws them, for a session whose events it hears."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.captures = [
            shaded_ball(folder / "ball"),
            shaded_ball(folder / "other", n=9, masks=False),
            shaded_ball(folder / "few", n=5),
        ]
        self.cameras: dict[str, tuple[float, ...]] = {}
        self.allowed: tuple[str, ...] = ()
        self.step = 0
        """that was told last"""
        self.events: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self._view_id = 0

    def hear(self, event: m.Event) -> None:
        self.events[type(event).__name__] += 1
        match event:
            case m.Opened():
                self.cameras = dict(zip(event.names, event.arranged.cameras))
            case m.Arrangement():
                self.cameras = dict(zip(self.cameras, event.cameras))
            case m.StateChanged():
                self.allowed = event.allowed
            case m.TrainingStats():
                self.step = event.step
            case m.Failure():
                self.refusals[event.text.replace(str(self.folder), "")] += 1
            case m.MeshReady():
                Path(event.path).unlink(missing_ok=True)

    def next(self) -> m.Command:
        """Any command; most often one that is allowed now."""
        drawn: dict[Callable[[], m.Command], float] = {
            self.open: 1,
            lambda: m.Close(self.one(True, False)): 0.2,
            self.start: 6,
            self.renew: 2,
            lambda: m.SetRunOptions(self.choice()): 1,
            m.Pause: 4,
            m.DiscardTraining: 1,
            m.Cancel: 1,
            lambda: m.Continue(self.one(0.005, 0.02)): 2,
            self.view: 12,
            self.arrange: 4,
            self.exclude: 3,
            m.Undo: 2,
            m.Redo: 2,
            lambda: m.Pick(self.point(), self.point()): 2,
            self.export: 6,
            lambda: m.EstimateExport(self.options()): 4,
            self.film: 2,
            lambda: m.SetCameraPath(CameraPath(self.views())): 1,
            lambda: m.Save(str(self.folder / "saved")): 1,
        }
        whatever = self.random.random() < FORBIDDEN
        while True:
            (make,) = self.random.choices(list(drawn), list(drawn.values()))
            command = make()
            name = type(command).__name__.lower()
            if whatever or name in (*self.allowed, "setview", "asksize"):
                return command

    # --- what they carry -----------------------------------------------------------------

    def one(self, *values: Any) -> Any:
        return self.random.choice(values)

    def point(self) -> Point:
        x, y, z = (self.random.uniform(-1, 1) for _ in range(3))
        return x, y, z

    def pose(self) -> tuple[tuple[float, ...], str]:
        """Of a photo, with its name, or of any view."""
        if self.cameras and self.random.random() < 0.4:
            name = self.one(*self.cameras)
            return self.cameras[name], name
        turn, tilt = self.random.uniform(0, 6.3), self.random.uniform(-1.5, 1.5)
        pose = looking_at_center(turn, tilt, self.one(0.2, 1.0, 3.0, 60.0))
        return tuple(pose.ravel().tolist()), ""

    def views(self) -> tuple[tuple[float, ...], ...]:
        views = [self.pose()[0] for _ in range(self.one(0, 1, 1, 2, 3))]
        return tuple(views + views[-1:] * self.one(0, 0, 1))

    def view(self) -> m.Command:
        self._view_id += 1
        pose, photo = self.pose()
        return m.SetView(
            View(
                self._view_id,
                pose,
                self.random.uniform(0.2, 1.5),
                self.one(1, 17, 120, 260),
                self.one(1, 33, 90, 200),
                mode=self.one(*get_args(PreviewMode)),
                levels=self.one(None, None, 1, 3, 5),
                moving=self.one(True, False, False),
                photo=photo,
                span=self.one(None, None, 0.5, 3.0),
                plane=SlicePlane(
                    offset=self.random.uniform(-1.5, 1.5), spacing=self.one(0.001, 0.05)
                ),
                mesh=MeshPreviewOptions(
                    self.one(16, 64, 128), self.one(None, 1, 100, 5000), self.one(1.0, 30.0, 300.0)
                ),
            )
        )

    def choice(self) -> RunOptions:
        method = self.one("surface", "surface", *METHODS)
        return RunOptions(
            self.one(None, "draft"),
            steps=self.one(5, 30, 80, 200),
            method=method,
            wild=self.random.random() < 0.15,
            unbounded=self.random.random() < 0.15,
        )

    def open(self) -> m.Command:
        return m.Open(str(self.one(*self.captures, self.folder / "saved")))

    def start(self) -> m.Command:
        return m.Start(self.choice())

    def renew(self) -> m.Command:
        return m.WarmStart(self.choice())

    def arrange(self) -> m.Command:
        edit = self.one(
            self.region(),
            self.region(),
            QuarterTurn(self.one("x", "y", "z")),
            GroundPlane(self.point(), self.point()),
            KnownLength(
                self.point(), self.point(), self.one(0.001, 1.0, 100.0), self.one("m", "ft")
            ),
        )
        return m.EditScene(edit)

    def region(self) -> RegionEdit:
        """Any box, flat, minute or far away ones too."""
        cube = np.eye(4)
        half = [self.one(1e-3, 0.02, 0.1, 0.4, 0.9, 2.0) for _ in range(3)]
        cube[:3, :3] = np.diag(self.one(half, [self.one(0.01, 0.3, 0.9, 3.0)] * 3))
        if self.one(True, False):
            turn = Rotation.from_rotvec(self.point()).as_matrix()
            cube[:3, :3] = turn @ cube[:3, :3]
        cube[:3, 3] = [self.one(0, 0, 0, 0.3, -0.7, 3) for _ in range(3)]
        return RegionEdit(tuple(cube.ravel().tolist()))

    def exclude(self) -> m.Command:
        n = self.one(1, 1, 2, 4, len(self.cameras))
        names = self.random.sample(list(self.cameras), min(n, len(self.cameras)))
        return m.ExcludePhotos(tuple(names), self.one(True, True, False))

    def options(self) -> MeshOptions:
        """Any that go together, and some that do not."""
        smallest = self.one(None, None, None, 100, 20_000)
        return MeshOptions(
            resolution=self.one(8, 16, 48, 96),
            levels=self.one(None, None, 1, 3, 5),
            format="glb" if smallest else self.one(*get_args(MeshFormat)),
            axes=self.one(*get_args(Axes)),
            min_component=self.one(0, 0.02, 0.5),
            unit=self.one("", "", "mm"),
            unseen=self.one(*get_args(Unseen)),
            seen_through=self.one(True, False),
            close_holes=self.one(0.0, 0.02, 0.5),
            watertight=self.one(True, False, False),
            faces=self.one(None, 1, 4, 100, 2000),
            max_error=self.one(None, None, 0.01, 10.0),
            lods=self.one(1, 1, 2, 4),
            refine=self.one(True, False, False),
            texture=self.one(True, False, False),
            texture_size=self.one(None, 64, 256),
            normal_map=self.one(True, False),
            max_bytes=smallest,
            density=self.one(1.0, 30.0, 30.0, 3000.0),
        )

    def export(self) -> m.Command:
        options = self.options()
        return m.Export(str(self.folder / "meshes" / f"mesh.{options.format}"), options)

    def film(self) -> m.Command:
        options = VideoOptions(
            self.views(),
            0.8,
            self.one(16, 64),
            self.one(16, 48),
            n_frames=self.one(1, 2, 4),
            closed=self.one(True, False),
            mode=self.one("color", "clay", "normals", "depth"),
            levels=self.one(None, 2),
        )
        return m.WriteVideo(str(self.folder / self.one("film.mp4", "film.png")), options)


class Run:
    """A session under random commands; ``bugs`` that differ by where they were raised."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.commands = Commands(folder, seed)
        self.session = Session(self.commands.hear, device="cpu", autosave_to=folder / "autosave")
        self.bugs: set[str] = set()
        self.n_commands = self.n_slices = 0
        self._done: deque[str] = deque(maxlen=40)

    def act(self) -> None:
        """One command, and some work after it."""
        session, command = self.session, self.commands.next()
        self.n_commands += 1
        step = session.trainer.step_count if session.trainer is not None else "-"
        self._done.append(f"{session.state} {step}: {LONG.sub('(…)', repr(command))}")
        self._guarded(lambda: session.handle(command))
        self._guarded(self._agree)
        wait = self.commands.random.random() < 1 / 3
        for _ in range(self.commands.one(*SLICES)):
            if not self._work():
                return
        for _ in range(MOST):
            if not (wait and session.busy and self._work()):
                return

    def _agree(self) -> None:
        """At rest what was told last is so."""
        trainer = self.session.trainer
        if trainer is not None and self.session.state in ("paused", "finished"):
            assert self.commands.step == trainer.step_count

    def _work(self) -> bool:
        """A slice; False where there was nothing to do, or it went wrong."""
        self.n_slices += 1
        return bool(self._guarded(self.session.work))

    def _guarded(self, call: Callable[[], object]) -> object:
        """As the worker does it: what raises is told, and held."""
        try:
            return call()
        except Exception as error:
            told = traceback.format_exc()
            where = "".join(traceback.format_tb(error.__traceback__)[-3:])
            if where not in self.bugs:
                self.bugs.add(where)
                print(told, *self._done, sep="\n", flush=True)
        stop = {"training": m.Pause(), "opening": m.Cancel()}.get(self.session.state)
        if stop is not None:
            self.session.handle(stop)
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        os.environ["XDG_DATA_HOME"] = name  # a left run is kept there
        quick_conversion(patch)
        for i, preset in enumerate(PRESETS):
            patch.setitem(PRESETS, preset, (WARM, TINY)[i % 2])
        run = Run(Path(name), arguments.seed)
        ends = time.monotonic() + 60 * arguments.minutes
        while time.monotonic() < ends:
            run.act()
        run.session.close()
    print(
        f"seed {arguments.seed}: {run.n_commands} commands, {run.n_slices} slices of work, "
        f"{len(run.bugs)} bugs",
        dict(run.commands.events),
        sep="\n",
    )
    print(*(f"{n} x {text}" for text, n in run.commands.refusals.most_common(30)), sep="\n")
    return 1 if run.bugs else 0


if __name__ == "__main__":
    sys.exit(main())
