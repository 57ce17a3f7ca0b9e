"""Events about the scene that is open: photos, poses, arrangement and picked points."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.base.text import Text
from core.config.run import RunOptions
from core.geometry.box import Setting
from core.geometry.view import EMPTY_PATH, IDENTITY, CameraPath, Point
from core.protocol.base import Message


class InputDetected(Message, frozen=True):
    """The kind of input that was detected while opening."""

    lines: tuple[Text, ...]
    """the kind, and why the input is taken for that"""


class Arrangement(Message, frozen=True):
    """Poses of the cameras, the region, and the frame in which the scene is upright.

    Matrices are [4, 4], row-major, as 16 numbers. The scene frame is that of the unit ball.
    """

    cameras: tuple[tuple[float, ...], ...]
    """scene_from_camera of each photo, the held-out ones last; OpenCV axes"""
    region: tuple[float, ...]
    """scene_from_cube: the region is the image of the cube [-1, 1]³"""
    upright_from_scene: tuple[float, ...]
    """similarity to the frame where +Z is up and lengths are in ``unit``"""
    unit: str
    """unit of length; "" while the scale is unknown"""
    scene_from_old_scene: tuple[float, ...] = IDENTITY
    """similarity from the scene frame before this event to the present one"""


class PhotoReport(msgspec.Struct, frozen=True):
    """The result of structure from motion for one photo."""

    name: str
    """name of the photo"""
    used: bool
    """whether its pose was solved"""
    reason: Text
    """why it was not used; empty where it was"""
    n_features: int = 0
    """number of features detected"""
    best_match: str = ""
    """name of the photo that shares most matches with it; "" for none"""
    n_matches: int = 0
    """number of matches with ``best_match``"""
    error_px: float | None = None
    """mean reprojection error, pixels of the working copy"""
    sharpness: float | None = None
    """sharpness relative to the median photo"""


class PoseReport(Message, frozen=True):
    """The solved poses of the photos, or the models that a capture offers."""

    photos: tuple[PhotoReport, ...]
    """a report for each photo"""
    groups: tuple[int, ...]
    """number of photos in each connected group or model"""
    group: int
    """index in ``groups`` of the one that is used"""
    advice: tuple[Text, ...]
    """what a person can do for better poses"""
    attempts: tuple[Text, ...]
    """the settings of structure from motion that were tried, and their results"""


class PosesSoFar(Message, frozen=True):
    """The partial reconstruction while poses are being solved.

    Its frame fits the cameras and most points into the unit ball.
    """

    key: ClassVar[str | None] = "solving"
    cameras: tuple[tuple[float, ...], ...]
    """as in `Arrangement`, of the photos solved so far"""
    points: bytes
    """sparse points, float32 [P, 3], little endian"""


class Picked(Message, frozen=True):
    """Answer to `Pick`."""

    point: Point | None
    """point of the surface, or a sparse point before training, scene frame; None for a miss"""
    normal: Point | None
    """normal of the surroundings of ``point``, scene frame; None where it is unknown"""


class RunOptionsChanged(Message, frozen=True):
    """The options of the next run have changed."""

    choice: RunOptions
    """as in `SetRunOptions`"""


class ExcludedPhotos(Message, frozen=True):
    """The photos that are excluded from training have changed."""

    names: tuple[str, ...]
    """names of all excluded photos"""


class MethodInfo(msgspec.Struct, frozen=True):
    """A reconstruction method, described for people."""

    description: Text
    """what the method is good for"""
    presets: dict[str, Text]
    """descriptions of its presets, by name"""


class Opened(Message, frozen=True):
    """A scene is open."""

    path: str
    """file or folder that was opened"""
    kind: Text
    """kind of the input, for people"""
    device: str
    """torch device that trains"""
    n_photos: int
    """number of training photos"""
    n_held_out: int
    """number of held-out photos"""
    n_points: int
    """number of sparse points of the capture"""
    has_masks: bool
    """whether the photos are masked"""
    arrangement: Arrangement
    """poses and region"""
    names: tuple[str, ...]
    """names of the photos in the order of the cameras, the held-out ones last"""
    points: bytes
    """subset of the sparse points, float32 [P, 3], scene frame, little endian"""
    fov_y: float
    """vertical field of view of the first photo, radians"""
    aspect: float
    """width by height of the first photo"""
    n_levels: int
    """number of levels of the hash grid"""
    choice: RunOptions
    """options of the project, or those that suit the device; None only for minutes or steps"""
    methods: dict[str, MethodInfo] = msgspec.field(default_factory=dict[str, MethodInfo])
    """all methods, by name"""
    setting: Setting = "object"
    """kind of scene"""
    lenses: tuple[tuple[float, float], ...] = ()
    """vertical field of view, radians, and aspect of each photo"""
    excluded: tuple[str, ...] = ()
    """names of the photos excluded from training"""
    notices: tuple[Text, ...] = ()
    """remarks about the capture"""
    project: str = ""
    """project folder that was opened; "" for a capture or an automatic save"""
    autosave: str = ""
    """folder of the automatic saves"""
    camera_path: CameraPath = EMPTY_PATH
    """camera path of the video, scene frame"""
    prompt: str = ""
    """text prompt of a scene without photos; "" for any other"""
