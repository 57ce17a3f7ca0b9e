"""The state of the window, and how each event changes it. Pure: no drawing, no process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from app.text.catalog import localize, tr
from core.protocol import (
    Action,
    Arrangement,
    Event,
    ExcludedPhotos,
    Exported,
    ExportEstimate,
    Failure,
    InputDetected,
    MeshReady,
    Notice,
    Opened,
    PhotoReady,
    PhotoScored,
    Picked,
    PoseReport,
    PosesSoFar,
    PreviewReady,
    RunOptionsChanged,
    Saved,
    State,
    StateChanged,
    TaskProgress,
    Thumbnails,
    TrainingStats,
    VideoWritten,
)

MAX_HISTORY = 512
MAX_NOTICES = 4


@dataclass(frozen=True)
class WorkerStarted:
    """A worker process was launched; it answers in a few seconds."""


@dataclass(frozen=True)
class WorkerLost:
    """The worker process ended without being asked to."""

    exit_code: int | None
    """As in `Process.exitcode`."""


@dataclass(frozen=True)
class OpenRequested:
    """Something is to be opened."""

    path: str
    """Absolute."""


@dataclass(frozen=True)
class MessagesDismissed:
    """The messages were read."""


AppEvent = Event | WorkerStarted | WorkerLost | OpenRequested | MessagesDismissed


@dataclass(frozen=True)
class History:
    """Statistics of the run, oldest first.

    Bounded: when full, every second entry is dropped, so that the whole run stays visible.
    """

    stats: tuple[TrainingStats, ...] = ()
    """Of training steps in rising order."""

    @property
    def steps(self) -> tuple[int, ...]:
        """The training steps."""
        return tuple(stats.step for stats in self.stats)

    def add(self, stats: TrainingStats) -> History:
        """Return the history with one more entry; later ones, of an undone run, are dropped.

        Statistics without losses are of a project that was only opened, and are skipped.
        """
        if not stats.losses:
            return self
        keep = sum(s.step < stats.step for s in self.stats)
        thin = slice(keep % 2, keep, 2) if keep >= MAX_HISTORY else slice(0, keep)
        return History((*self.stats[thin], stats))


@dataclass(frozen=True)
class AppState:
    """Everything that the window shows, besides camera and layout."""

    engine: str = "starting"
    """ "starting", "ready" or "lost"."""
    state: State = "empty"
    """Of the session."""
    allowed: tuple[Action, ...] = ("open",)
    """Actions that are possible now."""
    reasons: dict[Action, str] = field(default_factory=dict[Action, str])
    """Why each of the other actions is not possible."""
    path: str = ""
    """What was to be opened last."""
    detected: tuple[str, ...] = ()
    """Kind of the input that is being opened, and why it is taken for that."""
    opened: Opened | None = None
    arrangement: Arrangement | None = None
    """Where cameras and region are."""
    excluded: frozenset[str] = frozenset()
    """Names of the photos that training leaves out."""
    export_estimate: ExportEstimate | None = None
    """Size of the export asked about last."""
    n_thumbnails: int = 0
    """Number of thumbnails that have arrived."""
    scores: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    """PSNR in dB, and the step at which it was measured, by the name of the photo."""
    poses: PoseReport | None = None
    partial_poses: PosesSoFar | None = None
    """Poses found so far, while they are solved."""
    task: TaskProgress | None = None
    stats: TrainingStats | None = None
    history: History = History()
    preview: PreviewReady | None = None
    mesh: MeshReady | None = None
    """The live mesh."""
    exported: Exported | None = None
    saved: Saved | None = None
    autosave: str = ""
    """Folder of the newest autosave; "" if there is none."""
    project: str = ""
    """Folder of the project that is open; "" if it was never saved."""
    unsaved: bool = False
    """Whether the project lacks something."""
    undo: str = ""
    """The edit that undo takes back; "" for none."""
    redo: str = ""
    """The edit that redo repeats; "" for none."""
    run_options: RunOptionsChanged | None = None
    """Options of the next run; None if they are as opened."""
    project_without_photos: str = ""
    """A project that could not be opened since its photos are elsewhere."""
    failure: str = ""
    """The message above the viewport; "" for none."""
    notices: tuple[str, ...] = ()
    resume_path: str = ""
    """What to open after the engine stopped; "" for nothing."""

    def may(self, action: Action) -> bool:
        """Whether ``action`` is possible now."""
        return action in self.allowed

    def reason(self, action: Action) -> str:
        """Return why ``action`` is not possible now; "" if it is."""
        if self.may(action):
            return ""
        fallback = "nothing_open" if self.engine == "ready" else self.engine
        return self.reasons.get(action) or tr(f"why.{fallback}")


def reduce(state: AppState, event: AppEvent) -> AppState:
    """Return the state after ``event``."""
    match event:
        case StateChanged():
            return _state_changed(state, event)
        case Opened():
            return replace(
                state,
                opened=event,
                arrangement=event.arrangement,
                poses=None,
                task=None,
                stats=None,
                history=History(),
                exported=None,
                notices=tuple(map(localize, event.notices[-MAX_NOTICES:])),
                failure="",
                preview=None,
                mesh=None,
                partial_poses=None,
                excluded=frozenset(event.excluded),
                scores={},
                export_estimate=None,
                project=event.project,
                autosave="",
                run_options=None,
                project_without_photos="",
            )
        case Arrangement():
            return replace(state, arrangement=event, mesh=None)  # it is cut anew
        case ExcludedPhotos():
            return replace(state, excluded=frozenset(event.names), mesh=None)
        case MeshReady():
            return replace(state, mesh=event)
        case Picked() | PhotoReady():
            return state
        case ExportEstimate():
            return replace(state, export_estimate=event)
        case Thumbnails():
            return replace(state, n_thumbnails=event.first + len(event.images))
        case RunOptionsChanged():
            return replace(state, run_options=event)
        case PhotoScored():
            return replace(state, scores={**state.scores, event.name: (event.psnr, event.step)})
        case PoseReport():
            return replace(state, poses=event)
        case InputDetected():
            return replace(state, detected=tuple(map(localize, event.lines)))
        case PosesSoFar():
            return replace(state, partial_poses=event)
        case TaskProgress():
            return replace(state, task=event if event.fraction < 1 else None)
        case TrainingStats():
            return replace(state, stats=event, history=state.history.add(event))
        case PreviewReady():
            return replace(state, preview=event)
        case Exported():
            return replace(state, exported=event, task=None)
        case VideoWritten():
            return replace(state, task=None)
        case Saved():
            if event.automatic:
                return replace(state, saved=event, autosave=event.path)
            return replace(state, saved=event, project=event.path)
        case Notice():
            return replace(state, notices=(*state.notices, localize(event.text))[-MAX_NOTICES:])
        case Failure():
            return replace(
                state,
                failure=localize(event.text),
                task=None,
                project_without_photos=event.photos_of,
            )
        case WorkerStarted():
            return replace(state, engine="starting", resume_path="", failure="")
        case WorkerLost():
            return _worker_lost(state, event)
        case OpenRequested():
            return replace(
                state,
                path=event.path,
                failure="",
                notices=(),
                resume_path="",
                project_without_photos="",
            )
        case MessagesDismissed():
            return replace(state, failure="", notices=(), resume_path="", project_without_photos="")


def _state_changed(state: AppState, event: StateChanged) -> AppState:
    untrained = event.state in ("empty", "ready")
    return replace(
        state,
        engine="ready",
        state=event.state,
        allowed=event.allowed,
        reasons={action: localize(reason) for action, reason in event.reasons.items()},
        opened=None if event.state == "empty" else state.opened,
        partial_poses=state.partial_poses if event.state == "solving" else None,
        detected=state.detected if event.state in ("opening", "solving") else (),
        stats=None if untrained else state.stats,
        mesh=None if untrained else state.mesh,
        history=History() if untrained else state.history,
        scores={} if untrained else state.scores,
        export_estimate=None if untrained else state.export_estimate,
        task=state.task if "cancel" in event.allowed else None,
        undo=localize(event.undo),
        redo=localize(event.redo),
        unsaved=event.unsaved,
    )


def _worker_lost(state: AppState, event: WorkerLost) -> AppState:
    code = event.exit_code or 0
    cause = tr("failures.by_signal" if code < 0 else "failures.by_code", number=abs(code))
    resume_path = state.autosave or (state.opened.path if state.opened else "")
    text = state.failure or tr("failures.stopped", cause=cause)
    if state.autosave:
        text += tr("failures.resume_save")
    elif resume_path:
        text += tr("failures.resume_open", name=Path(resume_path).name)
    return replace(
        state,
        engine="lost",
        state="empty",
        allowed=("open",),
        reasons={},
        opened=None,
        task=None,
        stats=None,
        failure=text,
        resume_path=resume_path,
        undo="",
        redo="",
        unsaved=False,
    )
