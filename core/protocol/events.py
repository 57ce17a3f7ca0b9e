"""Events: what the worker reports to the window. Here are those of states, tasks and results."""

from __future__ import annotations

from typing import ClassVar, Literal

from core.base.text import NO_TEXT, Text
from core.config.mesh import MeshOptions
from core.protocol.base import Message
from core.protocol.commands import Action
from core.protocol.preview_events import (
    MeshReady,
    PhotoReady,
    PhotoScored,
    PreviewReady,
    Thumbnails,
)
from core.protocol.scene_events import (
    Arrangement,
    ExcludedPhotos,
    InputDetected,
    Opened,
    Picked,
    PoseReport,
    PosesSoFar,
    RunOptionsChanged,
)

State = Literal[
    "empty",  # nothing is open
    "opening",  # a capture or a project is being read
    "solving",  # poses are being solved
    "ready",  # a scene is open, training has not started
    "training",
    "paused",
    "finished",  # the training budget is spent; it can be continued
]
"""State of the session."""

Phase = Literal[
    "radiance",  # a radiance field to the end of the run
    "density",  # a density field that becomes a surface later
    "converting",  # the density is being converted to a signed distance function
    "surface",  # a signed distance function
]
"""Phase of a training run."""

TaskName = Literal["open", "solve", "warm_start", "export", "video", "evaluate"]
"""Kind of a long task."""


class StateChanged(Message, frozen=True):
    """The state of the session, and the actions that it allows."""

    state: State
    """the present state"""
    allowed: tuple[Action, ...]
    """actions that are allowed now"""
    reasons: dict[Action, Text]
    """why each of the other actions is not allowed"""
    undo: Text = NO_TEXT
    """the edit that undo reverts; empty for none"""
    redo: Text = NO_TEXT
    """the edit that redo repeats; empty for none"""
    unsaved: bool = False
    """whether the person's own project lacks some of the work"""


class TaskProgress(Message, frozen=True):
    """Progress of the running task."""

    key: ClassVar[str | None] = "task"
    task: TaskName
    """kind of the task"""
    fraction: float
    """part that is done, 0 to 1; 1 ends the task"""
    detail: Text = NO_TEXT
    """the present step"""
    eta_s: float | None = None
    """seconds left; None while unknown"""


class TrainingStats(Message, frozen=True):
    """Statistics of the training run, averaged over the last steps."""

    key: ClassVar[str | None] = "stats"
    step: int
    """number of steps taken"""
    progress: float
    """part of the budget that is spent, 0 to 1"""
    elapsed_s: float
    """training time so far, seconds"""
    eta_s: float | None
    """training time left, seconds; None while unknown"""
    losses: dict[str, float]
    """weighted loss terms, by name"""
    psnr: float
    """PSNR of the training rays, dB"""
    inv_s: float
    """inverse standard deviation s of NeuS; NaN for a method without a surface"""
    active_levels: float
    """hash levels that are active; a fraction while one is being blended in"""
    n_levels: int
    """number of hash levels"""
    rays_per_s: float
    """rays trained per second"""
    samples_per_s: float
    """samples trained per second"""
    phase: Phase = "surface"
    """phase of the run"""
    memory: int = 0
    """memory in use on the training device, bytes"""
    memory_peak: int = 0
    """largest ``memory`` so far, bytes"""
    memory_forecast: int = 0
    """memory that was forecast for the run, bytes"""


class ExportEstimate(Message, frozen=True):
    """Answer to `EstimateExport`."""

    key: ClassVar[str | None] = "size"
    options: MeshOptions
    """options of the export"""
    n_faces: int
    """number of faces of the finest mesh; 0 where there is no surface yet"""
    n_bytes: int
    """size of all files that would be written; without textures unless ``exact``"""
    exact: bool
    """whether the export was made to measure it"""


class Exported(Message, frozen=True):
    """A mesh was written."""

    path: str
    """the file"""
    n_vertices: int
    """number of vertices of the finest mesh"""
    n_faces: int
    """number of faces of the finest mesh"""
    n_bytes: int
    """size of all files written"""
    notes: tuple[Text, ...] = ()
    """remarks about the mesh"""


class VideoWritten(Message, frozen=True):
    """A video or an image was written."""

    path: str
    """the file"""
    n_frames: int
    """number of frames; 1 for an image"""


class Saved(Message, frozen=True):
    """The project was saved."""

    path: str
    """folder of the project"""
    automatic: bool = False
    """whether it is an automatic save"""


class Notice(Message, frozen=True):
    """A remark that needs no action."""

    text: Text
    """the remark"""


class Failure(Message, frozen=True):
    """Something failed."""

    text: Text
    """one line that names the cause and the remedy"""
    task: str = ""
    """the action or task that failed"""
    photos_of: str = ""
    """project that can be opened once the folder of its photos is known; "" for none"""
    replaces: str = ""
    """existing file that Gradina did not write and an export would replace; "" for none"""


Event = (
    StateChanged
    | InputDetected
    | Opened
    | Arrangement
    | ExcludedPhotos
    | RunOptionsChanged
    | PoseReport
    | PosesSoFar
    | Picked
    | TaskProgress
    | TrainingStats
    | PreviewReady
    | MeshReady
    | PhotoReady
    | PhotoScored
    | Thumbnails
    | ExportEstimate
    | Exported
    | VideoWritten
    | Saved
    | Notice
    | Failure
)
