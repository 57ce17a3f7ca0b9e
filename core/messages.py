"""Every fact that passes between the window and the worker.

Commands go one way, events the other, as msgpack (never pickle) over a pipe. A message whose
``key`` is not None is replaced by a newer one of the same key while it waits: only the newest
camera, progress or statistics matter. Preview pixels travel in shared memory (`preview_ring`);
`PreviewReady` only says which slot holds them.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from core.config import Axes, MeshFormat, OpenOptions, Setting

PreviewMode = Literal["color", "normals", "depth"]
State = Literal[
    "empty",      # nothing opened
    "opening",    # reading a capture or a project
    "solving",    # poses are being solved
    "ready",      # a scene is open, training has not begun
    "training",
    "paused",
    "finished",   # the budget is spent; can be continued
]


Point = tuple[float, float, float]
STILL = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
"""No motion, as 16 numbers."""


class Message(msgspec.Struct, frozen=True, tag=True):
    key: ClassVar[str | None] = None


# --- commands: window → worker -------------------------------------------------------------


class Open(Message, frozen=True):
    """Open any input (photo folder, film, posed capture, saved project); the kind is detected."""

    path: str
    how: OpenOptions = OpenOptions()


class Start(Message, frozen=True):
    """Start training, or resume it when paused. ``minutes`` or ``steps`` set the budget of a
    fresh run (neither: the preset's own)."""

    preset: str | None = None
    minutes: float | None = None
    steps: int | None = None


class Pause(Message, frozen=True):
    pass


class Reset(Message, frozen=True):
    """Throw the trained field away and go back to "ready"."""


class Continue(Message, frozen=True):
    """Train on past the end for ``minutes`` more."""

    minutes: float


class Cancel(Message, frozen=True):
    """Stop the long task under way (opening, solving, exporting)."""


PREVIEW_SHARE = 0.15
"""So that watching costs training less than a fifth of its time."""


class SetView(Message, frozen=True):
    """The camera of the preview. ``scene_from_camera``: 16 numbers, row-major [4, 4], unit-ball
    frame, OpenCV axes; ``fov_y`` radians; ``width`` x ``height`` pixels of the viewport;
    ``levels`` limits the hash levels shown (None: all that are active); ``moving``: a drag is
    under way, so speed matters more than resolution; ``share``: of the time that pictures may take
    from training while the camera rests. ``view_id`` grows with each change and comes back in
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


class Pick(Message, frozen=True):
    """What lies along the ray from ``origin`` in ``direction``, scene frame? Answered by
    `Picked`."""

    origin: Point
    direction: Point


class Export(Message, frozen=True):
    """Write a mesh. ``resolution``: marching-cubes cells along the longest side of the region;
    ``levels`` as in `SetView`, ``axes`` as in `MeshOptions`."""

    path: str
    format: MeshFormat
    resolution: int
    levels: int | None = None
    axes: Axes = "input"


class Save(Message, frozen=True):
    """Save the project into the folder ``path``."""

    path: str


class Shutdown(Message, frozen=True):
    pass


Command = (
    Open | Start | Pause | Reset | Continue | Cancel | SetView | Arrange | Pick | Export | Save
    | Shutdown
)


# --- events: worker → window ---------------------------------------------------------------


class StateChanged(Message, frozen=True):
    """``allowed`` names the commands that make sense now (class names in lower case); ``reasons``
    says for each of the others, in plain words, why not."""

    state: State
    allowed: tuple[str, ...]
    reasons: dict[str, str]


class Arranged(Message, frozen=True):
    """Where things are. ``cameras``: per photo 16 numbers, row-major [4, 4] scene_from_camera,
    unit-ball frame, OpenCV axes; ``region`` as in `Region`; ``upright_from_scene`` [4, 4], a
    similarity to where +Z is up and lengths are in ``unit`` ("" while that is unknown). ``moved``
    [4, 4]: by this similarity the scene frame itself is another one than before."""

    cameras: tuple[tuple[float, ...], ...]
    region: tuple[float, ...]
    upright_from_scene: tuple[float, ...]
    unit: str
    moved: tuple[float, ...] = STILL


class PhotoReport(msgspec.Struct, frozen=True):
    """What became of one photo: not ``used`` for a ``reason``; how many ``details`` were found in
    it; the photo it has most in ``common`` with, and how many details that is; its reprojection
    error, pixels of the working copies; its ``sharpness`` beside the usual one."""

    name: str
    used: bool
    reason: str
    details: int = 0
    common: str = ""
    n_common: int = 0
    error_px: float | None = None
    sharpness: float | None = None


class PoseReport(Message, frozen=True):
    """The solved poses of what was opened: sizes of the ``groups`` that photos fall into, and the
    number of the one used; what to do, in sentences; what was tried."""

    photos: tuple[PhotoReport, ...]
    groups: tuple[int, ...]
    group: int
    advice: tuple[str, ...]
    attempts: tuple[str, ...]


class Solving(Message, frozen=True):
    """The poses found so far: ``cameras`` as in `Arranged` and ``points`` as in `Opened`, in a
    frame that fits them into the unit ball."""

    key: ClassVar[str | None] = "solving"
    cameras: tuple[tuple[float, ...], ...]
    points: bytes


class Picked(Message, frozen=True):
    """Answers `Pick`: a ``point`` of the surface, or where there is none yet a sparse point, with
    the ``normal`` of what lies around it, scene frame; both None where nothing was met."""

    point: Point | None
    normal: Point | None


class Opened(Message, frozen=True):
    """A scene is open. ``names`` of the photos, in the order of the cameras; ``points``: some of
    the sparse points, float32 [P, 3], scene frame; ``fov_y`` of the first photo in radians;
    ``preset``: chosen for this device; ``presets``: all, with the words that describe them."""

    path: str
    kind: str
    device: str
    n_photos: int
    n_held_out: int
    n_points: int
    has_masks: bool
    arranged: Arranged
    names: tuple[str, ...]
    points: bytes
    fov_y: float
    aspect: float
    n_levels: int
    preset: str
    presets: dict[str, str]
    minutes: float
    setting: Setting = "object"
    notices: tuple[str, ...] = ()


class TaskProgress(Message, frozen=True):
    """``task``: "open", "solve" or "export"; ``eta_s`` None while unknown; fraction 1 ends it."""

    key: ClassVar[str | None] = "task"
    task: str
    fraction: float
    detail: str = ""
    eta_s: float | None = None


class TrainingStats(Message, frozen=True):
    """``losses``: weighted terms by name. ``psnr``: dB of the last batches of training rays.
    ``elapsed_s`` and ``eta_s`` count training time."""

    key: ClassVar[str | None] = "stats"
    step: int
    progress: float
    elapsed_s: float
    eta_s: float | None
    losses: dict[str, float]
    psnr: float
    inv_s: float
    active_levels: float
    n_levels: int
    rays_per_s: float
    samples_per_s: float


class PreviewReady(Message, frozen=True):
    """Pixels of ``view_id`` lie in slot ``slot`` of the ring, ``width`` x ``height``, written as
    sequence number ``sequence``; ``final`` when no finer version will follow."""

    key: ClassVar[str | None] = "preview"
    view_id: int
    slot: int
    sequence: int
    width: int
    height: int
    final: bool
    render_ms: float


class Exported(Message, frozen=True):
    path: str
    n_vertices: int
    n_faces: int
    n_bytes: int


class Saved(Message, frozen=True):
    path: str
    automatic: bool = False


class Notice(Message, frozen=True):
    """Something worth knowing that needs no action."""

    text: str


class Failure(Message, frozen=True):
    """``text`` is one line naming the thing and the remedy; ``task`` what was being done."""

    text: str
    task: str = ""


Event = (
    StateChanged | Opened | Arranged | PoseReport | Solving | Picked | TaskProgress
    | TrainingStats | PreviewReady | Exported | Saved | Notice | Failure
)

_encoder = msgspec.msgpack.Encoder()
_command_decoder = msgspec.msgpack.Decoder(Command)
_event_decoder = msgspec.msgpack.Decoder(Event)


def encode(message: Message) -> bytes:
    return _encoder.encode(message)


def decode_command(data: bytes) -> Command:
    return _command_decoder.decode(data)


def decode_event(data: bytes) -> Event:
    return _event_decoder.decode(data)


def coalesce(messages: list[Message]) -> list[Message]:
    """Drop every message that a later one of the same ``key`` replaces; order is kept."""
    newest = {m.key: i for i, m in enumerate(messages) if m.key is not None}
    return [m for i, m in enumerate(messages) if m.key is None or newest[m.key] == i]
