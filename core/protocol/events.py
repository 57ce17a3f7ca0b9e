"""What the worker tells the window."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from core.base.text import NO_TEXT, Text
from core.config.mesh import MeshOptions
from core.config.run import RunOptions
from core.geometry.box import Setting
from core.geometry.view import EMPTY_PATH, IDENTITY, CameraPath, MeshPreviewOptions, Point
from core.protocol.base import Message
from core.protocol.commands import Action

State = Literal[
    "empty",  # nothing opened
    "opening",  # reading a capture or a project
    "solving",  # poses are being solved
    "ready",  # a scene is open, training has not begun
    "training",
    "paused",
    "finished",  # the budget is spent; can be continued
]

Phase = Literal[
    "radiance",  # the scene is a radiance field to the end
    "density",  # it is one
    "converting",  # which is being made a surface
    "surface",
]


class StateChanged(Message, frozen=True):
    """What can be done now."""

    state: State
    allowed: tuple[Action, ...]
    reasons: dict[Action, Text]
    """why each of the other actions is not allowed"""
    undo: Text = NO_TEXT
    """the edit that undo takes back; empty for none"""
    redo: Text = NO_TEXT
    """the edit that redo does again; empty for none"""
    unsaved: bool = False
    """the person's own project lacks something"""


class Arrangement(Message, frozen=True):
    """Where things are. ``cameras``: per photo, the held-out ones last, 16 numbers, row-major
    [4, 4] scene_from_camera, unit-ball frame, OpenCV axes; ``region`` as in `Region`;
    ``upright_from_scene`` [4, 4], a similarity to where +Z is up and lengths are in ``unit`` (""
    while that is unknown). ``moved`` [4, 4]: by this similarity the scene frame itself is another
    one than before."""

    cameras: tuple[tuple[float, ...], ...]
    region: tuple[float, ...]
    upright_from_scene: tuple[float, ...]
    unit: str
    moved: tuple[float, ...] = IDENTITY


class PhotoReport(msgspec.Struct, frozen=True):
    """What became of one photo: not ``used`` for a ``reason``; how many ``details`` were found in
    it; the photo it has most in ``common`` with, and how many details that is; its reprojection
    error, pixels of the working copies; its ``sharpness`` beside the usual one."""

    name: str
    used: bool
    reason: Text
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
    advice: tuple[Text, ...]
    attempts: tuple[Text, ...]


class PosesSoFar(Message, frozen=True):
    """The poses found so far: ``cameras`` as in `Arrangement` and ``points`` as in `Opened`, in a
    frame that fits them into the unit ball."""

    key: ClassVar[str | None] = "solving"
    cameras: tuple[tuple[float, ...], ...]
    points: bytes


class Picked(Message, frozen=True):
    """Answers `Pick`: a ``point`` of the surface, or where there is none yet a sparse point, with
    the ``normal`` of what lies around it, scene frame; both None where nothing was met."""

    point: Point | None
    normal: Point | None


class RunOptionsChanged(Message, frozen=True):
    """The settings of the next run, as in `SetRunOptions`."""

    choice: RunOptions


class ExcludedPhotos(Message, frozen=True):
    """The ``names`` of all photos that training does without."""

    names: tuple[str, ...]


class MethodWords(msgspec.Struct, frozen=True):
    """What a method is good for, in ``words``, and the ``presets``, with the words that describe
    them."""

    words: Text
    presets: dict[str, Text]


class Opened(Message, frozen=True):
    """A scene is open."""

    path: str
    kind: Text
    """of the input, for people"""
    device: str
    n_photos: int
    n_held_out: int
    n_points: int
    has_masks: bool
    arranged: Arrangement
    names: tuple[str, ...]
    """of the photos, in the order of the cameras; the last ``n_held_out`` are held out"""
    points: bytes
    """some of the sparse points, float32 [P, 3], scene frame"""
    fov_y: float
    """of the first photo, radians"""
    aspect: float
    """of the first photo"""
    n_levels: int
    choice: RunOptions
    """of a project, or what suits this device; nothing of it None but minutes or steps"""
    methods: dict[str, MethodWords] = msgspec.field(default_factory=dict)
    """all of them"""
    setting: Setting = "object"
    lenses: tuple[tuple[float, float], ...] = ()
    """of each photo the angle seen from top to bottom, radians, and the aspect"""
    excluded: tuple[str, ...] = ()
    """as in `ExcludedPhotos`"""
    notices: tuple[Text, ...] = ()
    project: str = ""
    """the person's own folder that it was opened from; "" for a capture or an automatic save"""
    autosave: str = ""
    """folder of its automatic saves"""
    camera_path: CameraPath = EMPTY_PATH
    """of its video, scene frame"""
    sentence: str = ""
    """the text prompt, where there are no photos"""


class InputDetected(Message, frozen=True):
    """What lies where something is being opened and why it is taken for that, in ``lines``."""

    lines: tuple[Text, ...]


class TaskProgress(Message, frozen=True):
    """``task``: "open", "solve", "export" or "film"; ``eta_s`` None while unknown; fraction 1 ends
    it."""

    key: ClassVar[str | None] = "task"
    task: str
    fraction: float
    detail: Text = NO_TEXT
    eta_s: float | None = None


class TrainingStats(Message, frozen=True):
    """``losses``: weighted terms by name. ``psnr``: dB of the last batches of training rays.
    ``elapsed_s`` and ``eta_s`` count training time; ``inv_s`` NaN by a method without a surface.
    ``memory``, its ``memory_peak`` so far and what was forecast: bytes, on the device that
    trains."""

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
    phase: Phase = "surface"
    memory: int = 0
    memory_peak: int = 0
    memory_forecast: int = 0


class PreviewReady(Message, frozen=True):
    """Pixels of ``view_id`` lie in slot ``slot`` of the ring, ``width`` x ``height``, written as
    sequence number ``sequence``; ``final`` when no finer version will follow; ``has_distances``
    when the slot holds those along the rays too."""

    key: ClassVar[str | None] = "preview"
    view_id: int
    slot: int
    sequence: int
    width: int
    height: int
    final: bool
    render_ms: float
    has_distances: bool = False


class MeshReady(Message, frozen=True):
    """A mesh in the file ``path``, scene frame: V vertices float32 [V, 3]; their normals uint8
    [V, 4], each component n as (n + 1) · 127.5, and colours uint8 [V, 4], the last of each unused;
    faces uint32 [F, 3]. Little endian; who reads it removes it. Cut as ``look`` says, with hash
    ``levels`` as in `SetView`, of the field after training step ``step``; ``finished`` as an
    export."""

    key: ClassVar[str | None] = "mesh"
    path: str
    n_vertices: int
    n_faces: int
    look: MeshPreviewOptions
    levels: int | None
    step: int
    finished: bool


class PhotoReady(Message, frozen=True):
    """The photo ``name`` as view ``view_id``, which looks through its camera, sees it: undistorted,
    dark where the view reaches beyond it. Pixels as of `PreviewReady`."""

    key: ClassVar[str | None] = "photo"
    name: str
    view_id: int
    slot: int
    sequence: int
    width: int
    height: int


class Thumbnails(Message, frozen=True):
    """Small ``pictures``, each a JPEG or nothing where the photo cannot be read, of the photos from
    number ``first`` of `Opened.names` on."""

    first: int
    pictures: tuple[bytes, ...]


class PhotoScored(Message, frozen=True):
    """At ``step`` the rendering of the photo ``name`` has this ``psnr``, dB."""

    name: str
    psnr: float
    step: int


class ExportEstimate(Message, frozen=True):
    """Answers `EstimateExport`."""

    key: ClassVar[str | None] = "size"
    options: MeshOptions
    """of the export"""
    n_faces: int
    """of the finest mesh; 0 where there is no surface yet"""
    n_bytes: int
    """of all files that would be written; without textures where it is not ``exact``"""
    exact: bool


class Exported(Message, frozen=True):
    """``notes``: what people should know of it."""

    path: str
    n_vertices: int
    n_faces: int
    n_bytes: int
    notes: tuple[Text, ...] = ()


class VideoWritten(Message, frozen=True):
    path: str
    n_frames: int


class Saved(Message, frozen=True):
    path: str
    automatic: bool = False


class Notice(Message, frozen=True):
    """Something worth knowing that needs no action."""

    text: Text


class Failure(Message, frozen=True):
    """``text`` is one line naming the thing and the remedy; ``task`` what was being done;
    ``photos_of``: the project that could be opened if the folder of its photos were known;
    ``replaces``: the file that would be replaced, which Gradina did not write."""

    text: Text
    task: str = ""
    photos_of: str = ""
    replaces: str = ""


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
