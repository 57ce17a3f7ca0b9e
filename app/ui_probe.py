"""For tests: with GRADINA_UI_STATE=FILE the window describes itself in FILE, as JSON."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from app import theme
from app.platform.dialogs import is_own_dialog_shown
from app.platform.gui import dpg
from app.state import AppState
from app.text.status import status_line
from app.viewport.viewport import Viewport

PERIOD_S = 0.12


class UiProbe:
    """Writes at most a few times a second; does nothing without the variable."""

    def __init__(self) -> None:
        path = os.environ.get("GRADINA_UI_STATE")
        self._path = Path(path) if path else None
        self._last = 0.0
        self._frame = 0
        self._panels: dict[str, object] = {}

    def write(
        self,
        state: AppState,
        viewport: Viewport,
        frames: Sequence[float],
        worker_pid: int | None,
    ) -> None:
        """Describe the window.

        Args:
            state: What the window knows.
            viewport: What it shows.
            frames: Ends of the latest frames, seconds.
            worker_pid: The worker's process; None if there is none.
        """
        now = time.perf_counter()
        self._frame += 1
        if self._path is None or now - self._last < PERIOD_S:
            return
        self._last = now
        if not (
            viewport.dragging and self._panels
        ):  # costs as much as a frame, and the mouse is busy
            self._panels = {
                "widgets": _rectangles(),
                "labels": {tag: label for tag in dpg.get_aliases() if (label := _label(tag))},
            }
        shown, overlay = viewport.shown, viewport.overlay
        region = overlay.region.box
        recent = [t for t in frames if t > now - 1.0]
        document = {
            "frame": self._frame,
            "pid": os.getpid(),
            "worker_pid": worker_pid,
            "engine": state.engine,
            "state": state.state,
            "allowed": state.allowed,
            "status": status_line(state),
            "failure": state.failure,
            "notices": state.notices,
            "resume_path": state.resume_path,
            "autosave": state.autosave,
            "project": state.project,
            "unsaved": state.unsaved,
            "undo": state.undo,
            "redo": state.redo,
            "step": state.stats.step if state.stats else 0,
            "task": state.task.task if state.task else None,
            "exported": state.exported.path if state.exported else None,
            "view_id": shown.view_id,
            "asked_view_id": viewport.view_id,
            "region": region and region.frame_from_cube.ravel().tolist(),
            "handles": viewport.handle_positions(),
            "camera": viewport.controller.camera.scene_from_camera.ravel().tolist(),
            "pivot": viewport.controller.camera.pivot,
            "parallel": viewport.controller.camera.parallel,
            "unit": state.arrangement.unit if state.arrangement else "",
            "photo": viewport.controller.photo,
            "photo_shown": viewport.photo_overlay.shows_photo,
            "excluded": sorted(state.excluded),
            "scores": len(state.scores),
            "thumbnails": state.n_thumbnails,
            "mesh_faces": state.export_estimate.n_faces if state.export_estimate else None,
            "group": state.poses.group if state.poses else None,
            "n_markers": len(overlay.markers),
            "moving": viewport.animating,
            "final": shown.final,
            "latency_ms": shown.latency_ms,
            "preview_size": [shown.width, shown.height],
            "fps": len(recent),
            "frame_ms": [round(1000 * (b - a), 1) for a, b in pairwise(recent)],
            "dialog": is_own_dialog_shown(),
            "theme": theme.palette_name(),
            "history": len(state.history.steps),
            **self._panels,
        }
        temporary = self._path.with_suffix(".part")
        temporary.write_text(json.dumps(document))
        temporary.replace(self._path)

    def close(self) -> None:
        """Remove the file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _rectangles() -> dict[str, list[int]]:
    """Return [left, top, width, height] of every visible widget that has a tag."""
    rectangles: dict[str, list[int]] = {}
    for name in dpg.get_aliases():
        state = dpg.get_item_state(name)
        corner = state.get("rect_min", state.get("pos"))  # windows have only the latter
        if state.get("visible") and corner and "rect_size" in state:
            rectangles[name] = [*corner, *state["rect_size"]]
    return rectangles


def _label(tag: str) -> str:
    return (dpg.get_item_label(tag) or "").partition("##")[0]
