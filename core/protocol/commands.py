"""What the window asks of the worker."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from core.base.colormaps import BACKDROP, Gradient
from core.config.run import (
    DENSITY_AT_LEVEL,
    Choice,
    MeshOptions,
    OpenOptions,
    RunConfig,
    Unseen,
)
from core.protocol.base import Message, Point

PreviewMode = Literal[
    "color", "normals", "depth", "mesh", "wireframe", "slice", "error", "level", "clay"
]
"""What is shown of a scene. "mesh", "wireframe": what an export would give, which the window draws
itself, see `MeshReady`; the worker draws all else. "slice": the signed distance on a plane;
"error": how far the rendering is from the photo looked through, the colours elsewhere; "level":
which level of the hash grid turns the normal most; "clay": its shape alone, lit from over the
shoulder."""
MESH_MODES = frozenset({"mesh", "wireframe"})


class Open(Message, frozen=True):
    """Open any input (photo folder, film, posed capture, saved project); the kind is detected."""

    path: str
    how: OpenOptions = OpenOptions()


class Close(Message, frozen=True):
    """Be as if nothing were open. ``keep``: save automatically what would be lost."""

    keep: bool = True


class Choose(Message, frozen=True):
    """The settings of the next run. Answered by `Chosen`."""

    choice: Choice


class Start(Message, frozen=True):
    """Start training, or resume it when paused; ``config``, where there is one, holds all settings
    of a fresh run but its budget."""

    choice: Choice = Choice()
    config: RunConfig | None = None


class Renew(Message, frozen=True):
    """Begin a new run, as in `Start`, with what the present one has learnt of the scene."""

    choice: Choice = Choice()
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


PREVIEW_SHARE = 0.15
"""So that watching costs training less than a fifth of its time."""


class Plane(msgspec.Struct, frozen=True):
    """Where n · x = ``offset``, scene frame, the unit ``normal`` being n; contours of the signed
    distance are drawn every ``spacing`` scene units."""

    normal: Point = (0.0, 0.0, 1.0)
    offset: float = 0.0
    spacing: float = 0.05


class MeshLook(msgspec.Struct, frozen=True):
    """How a mesh at rest is cut: so many ``cells`` along the longest side of the region, simplified
    to ``faces`` (None: as cut); the others: see `core.config.run.MeshOptions`."""

    cells: int = 256
    faces: int | None = None
    density: float = DENSITY_AT_LEVEL
    watertight: bool = False
    unseen: Unseen = "parts"


class SetView(Message, frozen=True):
    """The camera of the preview. ``scene_from_camera``: 16 numbers, row-major [4, 4], unit-ball
    frame, OpenCV axes; ``fov_y`` radians; ``width`` x ``height`` pixels of the viewport;
    ``levels`` limits the hash levels shown (None: all that are active); ``moving``: a drag is
    under way, so speed matters more than resolution; ``share``: of the time that pictures may take
    from training while the camera rests; ``span``: of a parallel view, scene units from its upper
    edge to its lower one (None: in perspective, by ``fov_y``); ``plane``: of a slice; ``photo``:
    the name of the photo whose camera this is, "" for any other view; ``behind``: what is seen
    where nothing is. ``view_id`` grows with each change and comes back in
    `PreviewReady`."""

    key: ClassVar[str | None] = "view"
    view_id: int
    scene_from_camera: tuple[float, ...]
    fov_y: float
    width: int
    height: int
    mode: PreviewMode = "color"
    levels: int | None = None
    moving: bool = False
    share: float = PREVIEW_SHARE
    plane: Plane = Plane()
    photo: str = ""
    span: float | None = None
    mesh: MeshLook = MeshLook()
    behind: Gradient = BACKDROP


class Region(msgspec.Struct, frozen=True, tag=True):
    """Train, show and export what lies in this box: 16 numbers, row-major [4, 4], the affine map
    from the cube [-1, 1]³ to the scene frame, as in `core.geometry.box`."""

    cube: tuple[float, ...]


class Turn(msgspec.Struct, frozen=True, tag=True):
    """Turn the world by a quarter about an axis of the upright frame."""

    axis: Literal["x", "y", "z"]


class Ground(msgspec.Struct, frozen=True, tag=True):
    """The plane through ``point`` across ``normal``, scene frame, is the level ground."""

    point: Point
    normal: Point


class Length(msgspec.Struct, frozen=True, tag=True):
    """From ``a`` to ``b``, scene frame, it is ``length`` of ``unit``."""

    a: Point
    b: Point
    length: float
    unit: str


class Arrange(Message, frozen=True):
    """Change where the scene is looked at, its up or its scale."""

    edit: Region | Turn | Ground | Length


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


class Way(msgspec.Struct, frozen=True):
    """Of a film's camera: through the ``views``, each a pose as in `SetView`, seen with ``fov_y``,
    in so many ``seconds``, ``rate`` pictures in each; ``closed``: back to the first."""

    views: tuple[tuple[float, ...], ...] = ()
    fov_y: float = 0.8
    seconds: float = 6.0
    rate: int = 30
    closed: bool = False


NO_WAY = Way()


class PlanFilm(Message, frozen=True):
    """A film is to go this ``way``, which is saved with the project."""

    way: Way


class Film(Message, frozen=True):
    """Write to ``path``, a .mp4 or .png, ``n_frames`` pictures of ``width`` x ``height`` pixels,
    ``rate`` a second, from a smooth path through the cameras ``keys``, each as in `SetView`;
    ``closed``: back to the first one. ``mode`` color, clay, normals or depth. ``force``: even over
    a file that Gradina did not write."""

    path: str
    keys: tuple[tuple[float, ...], ...]
    fov_y: float
    width: int
    height: int
    n_frames: int = 1
    rate: int = 30
    closed: bool = False
    mode: PreviewMode = "color"
    levels: int | None = None
    force: bool = False


class Save(Message, frozen=True):
    """Save the project into the folder ``path``."""

    path: str


class Shutdown(Message, frozen=True):
    pass


Command = (
    Open | Close | Choose | Start | Pause | Reset | Continue | Renew | Cancel | SetView | Arrange
    | Exclude | Undo | Redo | Pick | AskSize | Export | PlanFilm | Film | Save | Shutdown
)
