"""Commands: what the window asks of the worker."""

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
"""What a person can do. A state of the session allows or forbids each action."""


class Open(Message, frozen=True):
    """Open any input (photo folder, video, posed capture, saved project); the kind is detected."""

    action: ClassVar[Action | None] = "open"
    path: str
    """file or folder of the input"""
    options: OpenOptions = OpenOptions()


class Close(Message, frozen=True):
    """Close what is open."""

    action: ClassVar[Action | None] = "close"
    keep: bool = True
    """whether unsaved work is saved automatically first"""


class SetRunOptions(Message, frozen=True):
    """Set the options of the next run. Answered by `RunOptionsChanged`."""

    action: ClassVar[Action | None] = "set_options"
    choice: RunOptions
    """options of the next run"""


class Start(Message, frozen=True):
    """Start training."""

    action: ClassVar[Action | None] = "start"
    choice: RunOptions = RunOptions()
    """options of the run"""
    config: RunConfig | None = None
    """all settings of the run except its budget; None: those of the preset in ``choice``"""


class Resume(Message, frozen=True):
    """Resume training after a pause."""

    action: ClassVar[Action | None] = "resume"


class WarmStart(Message, frozen=True):
    """Start a new run from the field that the present run has trained."""

    action: ClassVar[Action | None] = "warm_start"
    choice: RunOptions = RunOptions()
    """options of the run"""
    config: RunConfig | None = None
    """all settings of the run except its budget; None: those of the preset in ``choice``"""


class Pause(Message, frozen=True):
    """Pause training."""

    action: ClassVar[Action | None] = "pause"


class DiscardTraining(Message, frozen=True):
    """Discard the trained field and return to the state "ready"."""

    action: ClassVar[Action | None] = "discard"


class Continue(Message, frozen=True):
    """Continue a finished training."""

    action: ClassVar[Action | None] = "continue"
    minutes: float
    """additional training time"""


class Cancel(Message, frozen=True):
    """Cancel the running task (opening, solving poses, exporting, writing a video)."""

    action: ClassVar[Action | None] = "cancel"


class SetView(Message, frozen=True):
    """Set the view to render. Answered by `PreviewReady` or `MeshReady`, repeatedly."""

    key: ClassVar[str | None] = "view"
    view: View
    """camera, size and preview mode"""


class EditScene(Message, frozen=True):
    """Change the region, the orientation or the scale of the scene. Answered by `Arrangement`."""

    action: ClassVar[Action | None] = "edit_scene"
    edit: SceneEdit
    """the change"""


class ExcludePhotos(Message, frozen=True):
    """Exclude photos from training, or include them again. Answered by `ExcludedPhotos`."""

    action: ClassVar[Action | None] = "exclude_photos"
    names: tuple[str, ...]
    """names of the photos"""
    excluded: bool
    """True: exclude them; False: include them again"""


class Undo(Message, frozen=True):
    """Undo the latest edit of the region, frame, scale, excluded photos or run options."""

    action: ClassVar[Action | None] = "undo"


class Redo(Message, frozen=True):
    """Redo the edit that was undone last."""

    action: ClassVar[Action | None] = "redo"


class Pick(Message, frozen=True):
    """Find the first point of the scene along a ray. Answered by `Picked`."""

    action: ClassVar[Action | None] = "pick"
    origin: Point
    """origin of the ray, scene frame"""
    direction: Point
    """direction of the ray, scene frame; of any length"""


class Export(Message, frozen=True):
    """Write a mesh. Answered by `Exported`."""

    action: ClassVar[Action | None] = "export"
    path: str
    """file to write"""
    options: MeshOptions = MeshOptions()
    """resolution, repair, texture and format of the mesh"""
    force: bool = False
    """whether files that Gradina did not write may be replaced"""


class EstimateExport(Message, frozen=True):
    """Estimate the size of an export. Answered by `ExportEstimate`, repeatedly while training."""

    key: ClassVar[str | None] = "size"
    options: MeshOptions
    """options of the export"""


class SetCameraPath(Message, frozen=True):
    """Set the camera path of the next video, which is saved with the project."""

    action: ClassVar[Action | None] = "set_camera_path"
    path: CameraPath
    """keyframes, scene frame"""


class WriteVideo(Message, frozen=True):
    """Write a video or an image. Answered by `VideoWritten`."""

    action: ClassVar[Action | None] = "write_video"
    path: str
    """file to write, .mp4 or .png"""
    options: VideoOptions
    """cameras, size and frame rate"""
    force: bool = False
    """whether a file that Gradina did not write may be replaced"""


class Save(Message, frozen=True):
    """Save the project. Answered by `Saved`."""

    action: ClassVar[Action | None] = "save"
    path: str
    """folder of the project"""


class Shutdown(Message, frozen=True):
    """End the worker process; unsaved work is saved automatically."""


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
