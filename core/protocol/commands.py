"""What the window asks of the worker."""

from __future__ import annotations

from typing import ClassVar, Literal

from core.config.mesh import MeshOptions
from core.config.opening import OpenOptions
from core.config.run import RunConfig, RunOptions
from core.geometry.edits import SceneEdit
from core.geometry.view import CameraPath, Point, VideoOptions, View
from core.protocol.base import Message

Action = Literal[
    "open",
    "close",
    "set_options",
    "start",
    "resume",
    "pause",
    "discard",
    "continue",
    "warm_start",
    "cancel",
    "edit_scene",
    "exclude_photos",
    "undo",
    "redo",
    "pick",
    "export",
    "set_camera_path",
    "write_video",
    "save",
]
"""What a person can do: a command whose state allows or forbids it has one of these."""


class Open(Message, frozen=True):
    """Open any input (photo folder, film, posed capture, saved project); the kind is detected."""

    action: ClassVar[Action | None] = "open"
    path: str
    how: OpenOptions = OpenOptions()


class Close(Message, frozen=True):
    """Be as if nothing were open. ``keep``: save automatically what would be lost."""

    action: ClassVar[Action | None] = "close"
    keep: bool = True


class SetRunOptions(Message, frozen=True):
    """The settings of the next run. Answered by `RunOptionsChanged`."""

    action: ClassVar[Action | None] = "set_options"
    choice: RunOptions


class Start(Message, frozen=True):
    """Start training; ``config``, where there is one, holds all settings of the run but its
    budget."""

    action: ClassVar[Action | None] = "start"
    choice: RunOptions = RunOptions()
    config: RunConfig | None = None


class Resume(Message, frozen=True):
    """Train on after a pause."""

    action: ClassVar[Action | None] = "resume"


class WarmStart(Message, frozen=True):
    """Begin a new run, as in `Start`, with what the present one has learnt of the scene."""

    action: ClassVar[Action | None] = "warm_start"
    choice: RunOptions = RunOptions()
    config: RunConfig | None = None


class Pause(Message, frozen=True):
    action: ClassVar[Action | None] = "pause"


class DiscardTraining(Message, frozen=True):
    """Throw the trained field away and go back to "ready"."""

    action: ClassVar[Action | None] = "discard"


class Continue(Message, frozen=True):
    """Train on past the end for ``minutes`` more."""

    action: ClassVar[Action | None] = "continue"
    minutes: float


class Cancel(Message, frozen=True):
    """Stop the long task under way (opening, solving, exporting, filming)."""

    action: ClassVar[Action | None] = "cancel"


class SetView(Message, frozen=True):
    """Show this view from now on. Answered by `PreviewReady`, again and again."""

    key: ClassVar[str | None] = "view"
    view: View


class EditScene(Message, frozen=True):
    """Change where the scene is looked at, its up or its scale."""

    action: ClassVar[Action | None] = "edit_scene"
    edit: SceneEdit


class ExcludePhotos(Message, frozen=True):
    """Train without the photos of these ``names`` from now on, or with them again where they are no
    longer to be ``excluded``: its own inverse. Answered by `ExcludedPhotos`."""

    action: ClassVar[Action | None] = "exclude_photos"
    names: tuple[str, ...]
    excluded: bool


class Undo(Message, frozen=True):
    """Take back the latest edit: of the region, the frame, the scale, the photos left out, or the
    settings of the next run."""

    action: ClassVar[Action | None] = "undo"


class Redo(Message, frozen=True):
    """Do again what was undone last."""

    action: ClassVar[Action | None] = "redo"


class Pick(Message, frozen=True):
    """What lies along the ray from ``origin`` in ``direction``, scene frame? Answered by
    `Picked`."""

    action: ClassVar[Action | None] = "pick"
    origin: Point
    direction: Point


class Export(Message, frozen=True):
    """Write a mesh, made as ``options`` say, to ``path``; ``force``: even over files that Gradina
    did not write."""

    action: ClassVar[Action | None] = "export"
    path: str
    options: MeshOptions = MeshOptions()
    force: bool = False


class EstimateExport(Message, frozen=True):
    """How large would an export with ``options`` be? Answered by `ExportEstimate`, again and again
    as training goes on."""

    key: ClassVar[str | None] = "size"
    options: MeshOptions


class SetCameraPath(Message, frozen=True):
    """The camera path of the next video, which is saved with the project."""

    action: ClassVar[Action | None] = "set_camera_path"
    path: CameraPath


class WriteVideo(Message, frozen=True):
    """Write a video or picture to ``path``, a .mp4 or .png; ``force``: even over a file that
    Gradina did not write."""

    action: ClassVar[Action | None] = "write_video"
    path: str
    options: VideoOptions
    force: bool = False


class Save(Message, frozen=True):
    """Save the project into the folder ``path``."""

    action: ClassVar[Action | None] = "save"
    path: str


class Shutdown(Message, frozen=True):
    pass


Command = (
    Open
    | Close
    | SetRunOptions
    | Start
    | Resume
    | Pause
    | DiscardTraining
    | Continue
    | WarmStart
    | Cancel
    | SetView
    | EditScene
    | ExcludePhotos
    | Undo
    | Redo
    | Pick
    | EstimateExport
    | Export
    | SetCameraPath
    | WriteVideo
    | Save
    | Shutdown
)
