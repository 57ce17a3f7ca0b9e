"""What the window knows, and cause each event changes it. Pure: no drawing, no process."""

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
    """A worker process has been launched; it will answer in a few seconds."""


@dataclass(frozen=True)
class WorkerLost:
    """The worker process ended without being told to. ``exit_code`` as in `Process.exitcode`."""

    exit_code: int | None


@dataclass(frozen=True)
class OpenRequested:
    """The person asked for ``path``."""

    path: str


@dataclass(frozen=True)
class MessagesDismissed:
    """The person has read the messages."""


AppEvent = Event | WorkerStarted | WorkerLost | OpenRequested | MessagesDismissed


@dataclass(frozen=True)
class History:
    """What was told of the run, oldest first. Bounded: when full, every second goes, so that the
    whole run stays visible."""

    stats: tuple[TrainingStats, ...] = ()

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(stats.step for stats in self.stats)

    def add(self, stats: TrainingStats) -> History:
        """With one more; those at or after its step (of an undone run) are dropped. What is told
        of a project that was only opened is no figure of a step."""
        if not stats.losses:
            return self
        keep = sum(s.step < stats.step for s in self.stats)
        thin = slice(keep % 2, keep, 2) if keep >= MAX_HISTORY else slice(0, keep)
        return History((*self.stats[thin], stats))


@dataclass(frozen=True)
class AppState:
    """Everything that the window draws, besides camera and layout."""

    engine: str = "starting"
    """"starting", "ready" or "lost" """
    state: State = "empty"
    allowed: tuple[Action, ...] = ("open",)
    reasons: dict[Action, str] = field(default_factory=dict)
    path: str = ""
    """what the person asked to open last"""
    detected: tuple[str, ...] = ()
    """what lies at the path that is being opened, and why it is taken for that"""
    opened: Opened | None = None
    arrangement: Arrangement | None = None
    excluded: frozenset[str] = frozenset()
    """names of the photos that training does without"""
    export_estimate: ExportEstimate | None = None
    """of the export asked about last"""
    n_thumbnails: int = 0
    """small pictures that have arrived"""
    scores: dict[str, tuple[float, int]] = field(default_factory=dict)
    """by a photo's name its PSNR, dB, and the step at which it was measured"""
    poses: PoseReport | None = None
    partial_poses: PosesSoFar | None = None
    task: TaskProgress | None = None
    stats: TrainingStats | None = None
    history: History = History()
    preview: PreviewReady | None = None
    mesh: MeshReady | None = None
    """the live one"""
    exported: Exported | None = None
    saved: Saved | None = None
    autosave: str = ""
    """folder of the newest automatic save, "" while there is none"""
    project: str = ""
    """the person's own folder of what is open, "" while there is none"""
    unsaved: bool = False
    """whether that lacks something"""
    undo: str = ""
    redo: str = ""
    """what would be taken back or done again, "" for nothing"""
    run_options: RunOptionsChanged | None = None
    """the settings of the next run; None: as they were opened"""
    project_without_photos: str = ""
    """a project that could not be opened, because its photos are elsewhere"""
    failure: str = ""
    notices: tuple[str, ...] = ()
    resume_path: str = ""
    """what to open to go on after the engine stopped, "" when there is nothing to resume_path"""

    def may(self, action: Action) -> bool:
        """Whether ``action`` is allowed now."""
        return action in self.allowed

    def reason(self, action: Action) -> str:
        """Why ``action`` is not allowed now; "" if it is."""
        if self.may(action):
            return ""
        fallback = "nothing_open" if self.engine == "ready" else self.engine
        return self.reasons.get(action) or tr(f"why.{fallback}")


def reduce(state: AppState, event: AppEvent) -> AppState:
    """The state after ``event``."""
    match event:
        case StateChanged():
            return _state_changed(state, event)
        case Opened():
            return replace(
                state,
                opened=event,
                arrangement=event.arranged,
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
            return replace(state, n_thumbnails=event.first + len(event.pictures))
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
