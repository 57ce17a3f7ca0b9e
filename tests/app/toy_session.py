"""A session of the real interface that needs no photos and no field: a shaded ball to look at
and a slow loop that counts steps, so that window and worker can be driven quickly."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from core.base.errors import UserError
from core.base.text import NO_TEXT, text, verbatim
from core.config.run import RunOptions
from core.geometry.view import IDENTITY, View
from core.protocol import (
    Arrangement,
    Cancel,
    Close,
    Command,
    Continue,
    DiscardTraining,
    Event,
    Export,
    Exported,
    Failure,
    MethodInfo,
    Open,
    Opened,
    Pause,
    PhotoReport,
    Pick,
    Picked,
    PoseReport,
    Resume,
    Save,
    Saved,
    SetView,
    Start,
    State,
    StateChanged,
    TaskProgress,
    TrainingStats,
)
from core.session.states import allowed_now

PRESETS = {"draft": text("Quick look"), "standard": text("Good in ten minutes")}
N_STEPS = 2000


def render(view: View, scale: int) -> np.ndarray:
    """uint8 [H, W, 3]: a unit-ball checkerboard ball of radius 0.6, lit from the camera."""
    height, width = max(view.height // scale, 1), max(view.width // scale, 1)
    pose = np.reshape(view.scene_from_camera, (4, 4))
    focal = 0.5 * height / math.tan(view.fov_y / 2)
    x, y = np.meshgrid(
        (np.arange(width) + 0.5 - width / 2) / focal, (np.arange(height) + 0.5 - height / 2) / focal
    )
    rays = np.stack([x, y, np.ones_like(x)], -1) @ pose[:3, :3].T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    b = rays @ pose[:3, 3]
    inside = b * b - pose[:3, 3] @ pose[:3, 3] + 0.36
    point = pose[:3, 3] + (-b - np.sqrt(np.maximum(inside, 0)))[..., None] * rays
    normal = point / 0.6
    base = np.array([0.9, 0.6, 0.3]) if view.mode == "color" else normal / 2 + 0.5
    squares = (np.floor(point * 6).sum(-1) % 2)[..., None] * 0.35 + 0.65
    light = np.clip(-(normal * rays).sum(-1, keepdims=True), 0.1, 1)
    image = np.where((inside > 0)[..., None], base * squares * light, 0.12)
    return (255 * np.clip(image, 0, 1)).astype(np.uint8)


class ToySession:
    """Opens any folder that exists; one named "bug" raises."""

    def __init__(
        self,
        emit: Callable[[Event], None],
        show: Callable[[np.ndarray, View, bool, float], None],
        device: str = "auto",
        show_photo: Callable[[np.ndarray, View], None] = lambda *_: None,
    ):
        self._emit, self._show, self._device = emit, show, device
        self._show_photo = show_photo
        self._view: View | None = None
        self._stage = 0
        self._step = 0
        self._opening = 0
        self._path, self._group = "", 0
        self._go("empty")

    def _go(self, state: State) -> None:
        self._state = state
        self._allowed, reasons = allowed_now(state, False, undo=False, redo=False)
        self._emit(StateChanged(state, self._allowed, reasons))

    def handle(self, command: Command) -> None:
        if command.action is not None and command.action not in self._allowed:
            self._emit(
                Failure(verbatim(f"Cannot {command.action} while {self._state}."), command.action)
            )
            return
        match command:
            case SetView():
                view = command.view
                self._view, self._stage = view, 4
                if view.photo and not view.moving:  # the photo is the negative
                    self._show_photo(255 - render(replace(view, mode="color"), 1), view)
            case Open():
                self._group = command.options.group
                self._open(command.path)
            case Close():
                self._path = ""
                self._go("empty")
            case Start() | Resume():
                self._go("training")
            case Pause():
                self._go("paused")
            case DiscardTraining():
                self._step = 0
                self._go("ready")
            case Continue():
                self._step = N_STEPS - 500
                self._go("training")
            case Cancel():
                self._opening = 0
                self._go("empty")
            case Pick():
                self._emit(Picked((0.1, -0.6, 0.2), (0.0, -1.0, 0.0)))
            case Export() if Path(command.path).exists() and not command.force:
                self._emit(Failure(text("It is there already."), "export", replaces=command.path))
            case Export():
                Path(command.path).write_text("v 0 0 0\n")
                self._emit(Exported(command.path, 1, 0, 8))
            case Save():
                self._emit(Saved(command.path))
            case _:
                pass

    def _open(self, path: str) -> None:
        if Path(path).name == "bug":
            raise RuntimeError("a bug on purpose")
        if not Path(path).exists():
            missing = UserError(text("{path} does not exist", path=path), text("Check the path."))
            self._emit(Failure(missing.text, "open"))
            return
        self._path, self._opening, self._step = path, 10, 0
        self._go("opening")

    def work(self) -> bool:
        if self._state == "opening":
            return self._open_some()
        if self._view is not None and self._stage and self._path:
            start = time.perf_counter()
            last = not self._view.moving and self._stage == 1
            image = render(self._view, self._stage)
            self._show(image, self._view, last, 1000 * (time.perf_counter() - start))
            self._stage = 0 if self._view.moving or last else 1
            return True
        if self._state == "training":
            self._train()
            return True
        return False

    def _open_some(self) -> bool:
        time.sleep(0.03)
        self._opening -= 1
        done = 1 - self._opening / 10
        self._emit(TaskProgress("open", done, verbatim(f"photo {10 - self._opening} of 10")))
        if self._opening == 0:
            pose = np.eye(4)
            pose[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
            pose[:3, 3] = [0, -2.5, 0]
            self._emit(
                Opened(
                    self._path,
                    text("toy"),
                    "cpu",
                    10,
                    0,
                    0,
                    True,
                    Arrangement((tuple(pose.ravel().tolist()),), IDENTITY, IDENTITY, ""),
                    ("a.jpg",),
                    np.float32([[0.1, 0, 0.2], [0.3, 0.1, 0]]).tobytes(),
                    0.8,
                    1.5,
                    12,
                    RunOptions("standard", 10.0),
                    methods={
                        name: MethodInfo(verbatim(name), PRESETS) for name in ("surface", "ngp")
                    },
                )
            )
            self._emit(
                PoseReport(
                    (
                        PhotoReport("a.jpg", True, NO_TEXT, 4000, "b.jpg", 900, 0.5, 1.0),
                        PhotoReport("b.jpg", False, text("blurred"), 90),
                    ),
                    (9, 4),
                    self._group,
                    (text("Shoot a few more between a.jpg and b.jpg"),),
                    (text("The first attempt placed 9 of 13 photos"),),
                )
            )
            self._go("ready")
        return True

    def _train(self) -> None:
        time.sleep(0.02)
        self._step += 10
        done = self._step / N_STEPS
        loss = 0.3 * math.exp(-4 * done) + 0.01 * math.sin(self._step)
        if self._step % 50 == 0:
            self._stage = self._stage or 1
            self._emit(
                TrainingStats(
                    self._step,
                    done,
                    self._step / 500,
                    (N_STEPS - self._step) / 500,
                    {"color": loss, "eikonal": 0.1 * loss},
                    30 - 20 * math.exp(-4 * done) + loss,
                    20 + 280 * done,
                    4 + 8 * done,
                    12,
                    12345.0,
                    456789.0,
                )
            )
        if self._step == 100:
            self._emit(Saved(os.path.join(self._path, "autosave"), automatic=True))
        if self._step >= N_STEPS:
            self._go("finished")

    def close(self) -> None:
        if self._state == "training" and self._path:
            Path(self._path, "closed").write_text(str(self._step))
