"""What the window asks of the worker."""

from __future__ import annotations

from typing import ClassVar

from core.config.run import MeshOptions, OpenOptions, RunConfig, RunOptions
from core.geometry.edits import SceneEdit
from core.geometry.view import CameraPath, Point, VideoOptions, View
from core.protocol.base import Message


class Open(Message, frozen=True):
    """Open any input (photo folder, film, posed capture, saved project); the kind is detected."""

    path: str
    how: OpenOptions = OpenOptions()


class Close(Message, frozen=True):
    """Be as if nothing were open. ``keep``: save automatically what would be lost."""

    keep: bool = True


class Choose(Message, frozen=True):
    """The settings of the next run. Answered by `Chosen`."""

    choice: RunOptions


class Start(Message, frozen=True):
    """Start training, or resume it when paused; ``config``, where there is one, holds all settings
    of a fresh run but its budget."""

    choice: RunOptions = RunOptions()
    config: RunConfig | None = None


class Renew(Message, frozen=True):
    """Begin a new run, as in `Start`, with what the present one has learnt of the scene."""

    choice: RunOptions = RunOptions()
    config: RunConfig | None = None


class Pause(Message, frozen=True):
    pass


class Reset(Message, frozen=True):
    """Throw the trained field away and go back to "ready"."""


class Continue(Message, frozen=True):
    """Train on past the end for ``minutes`` more."""

    minutes: float


class Cancel(Message, frozen=True):
    """Stop the long task under way (opening, solving, exporting, filming)."""


class SetView(Message, frozen=True):
    """Show this view from now on. Answered by `PreviewReady`, again and again."""

    key: ClassVar[str | None] = "view"
    view: View


class Arrange(Message, frozen=True):
    """Change where the scene is looked at, its up or its scale."""

    edit: SceneEdit


class Exclude(Message, frozen=True):
    """Train without the photos of these ``names`` from now on, or with them again where they are no
    longer to be ``excluded``: its own inverse. Answered by `Excluded`."""

    names: tuple[str, ...]
    excluded: bool


class Undo(Message, frozen=True):
    """Take back the latest edit: of the region, the frame, the scale, the photos left out, or the
    settings of the next run."""


class Redo(Message, frozen=True):
    """Do again what was undone last."""


class Pick(Message, frozen=True):
    """What lies along the ray from ``origin`` in ``direction``, scene frame? Answered by
    `Picked`."""

    origin: Point
    direction: Point


class Export(Message, frozen=True):
    """Write a mesh, made as ``options`` say, to ``path``; ``force``: even over files that Gradina
    did not write."""

    path: str
    options: MeshOptions = MeshOptions()
    force: bool = False


class AskSize(Message, frozen=True):
    """How large would an export with ``options`` be? Answered by `MeshSize`, again and again as
    training goes on."""

    key: ClassVar[str | None] = "size"
    options: MeshOptions


class PlanFilm(Message, frozen=True):
    """The camera path of the next video, which is saved with the project."""

    path: CameraPath


class Film(Message, frozen=True):
    """Write a video or picture to ``path``, a .mp4 or .png; ``force``: even over a file that
    Gradina did not write."""

    path: str
    options: VideoOptions
    force: bool = False


class Save(Message, frozen=True):
    """Save the project into the folder ``path``."""

    path: str


class Shutdown(Message, frozen=True):
    pass


Command = (
    Open
    | Close
    | Choose
    | Start
    | Pause
    | Reset
    | Continue
    | Renew
    | Cancel
    | SetView
    | Arrange
    | Exclude
    | Undo
    | Redo
    | Pick
    | AskSize
    | Export
    | PlanFilm
    | Film
    | Save
    | Shutdown
)
