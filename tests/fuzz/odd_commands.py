"""Commands with odd values of all that they carry: flat boxes, cameras inside, no views."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from core import protocol as m
from core.config.mesh import Axes, MeshFormat, MeshOptions, Unseen
from core.config.run import RunOptions
from core.field.methods import METHODS
from core.geometry.camera_path import looking_at_center
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit
from core.geometry.view import (
    CameraPath,
    Matrix,
    MeshPreviewOptions,
    PreviewMode,
    SlicePlane,
    VideoOptions,
    View,
)
from tests.core.strategies import floats, rotations

Strategy = st.SearchStrategy
booleans = st.booleans()
points = st.tuples(*[floats(-1, 1)] * 3)


def one_of(*values: Any) -> Strategy[Any]:
    """One of ``values``; those that come first are the simplest."""
    return st.sampled_from(values)


def _flat(pose: np.ndarray) -> Matrix:
    return tuple(pose.ravel().tolist())


distances = one_of(3.0, 1.0, 0.2, 60.0)
free_poses = st.builds(looking_at_center, floats(0, 6.3), floats(-1.5, 1.5), distances).map(_flat)


def poses(cameras: dict[str, Matrix]) -> Strategy[tuple[Matrix, str]]:
    """A pose and the name of the photo whose it is, "" for any other."""
    anywhere = free_poses.map(lambda pose: (pose, ""))
    if not cameras:
        return anywhere
    return anywhere | st.sampled_from([(pose, name) for name, pose in cameras.items()])


def key_poses(cameras: dict[str, Matrix]) -> Strategy[tuple[Matrix, ...]]:
    """None, one or some poses, the last of them perhaps twice."""
    some = st.lists(poses(cameras).map(lambda found: found[0]), max_size=3)
    return st.builds(lambda views, n: tuple(views + views[-1:] * n), some, one_of(0, 0, 1))


def views(cameras: dict[str, Matrix], view_id: int) -> Strategy[View]:
    """Any view, a pixel wide or from within what is seen."""
    return poses(cameras).flatmap(
        lambda seen: st.builds(
            View,
            st.just(view_id),
            st.just(seen[0]),
            floats(0.2, 1.5),
            one_of(120, 1, 17, 260),
            one_of(90, 1, 33, 200),
            mode=st.sampled_from(get_args(PreviewMode)),
            levels=one_of(None, None, 1, 3, 5),
            moving=one_of(False, False, True),
            photo=st.just(seen[1]),
            span=one_of(None, None, 0.5, 3.0),
            plane=st.builds(SlicePlane, offset=floats(-1.5, 1.5), spacing=one_of(0.05, 0.001)),
            mesh=st.builds(
                MeshPreviewOptions,
                one_of(16, 64, 128),
                one_of(None, 1, 100, 5000),
                one_of(30.0, 1.0, 300.0),
            ),
        )
    )


run_options = st.builds(
    RunOptions,
    one_of(None, "draft"),
    steps=one_of(5, 30, 80, 200),
    method=one_of("surface", "surface", *METHODS),
    wild=one_of(*[False] * 6, True),
    unbounded=one_of(*[False] * 6, True),
)

half_lengths = st.lists(one_of(0.9, 1e-3, 0.02, 0.1, 0.4, 2.0), min_size=3, max_size=3)
cube_sides = one_of(0.9, 0.01, 0.3, 3.0).map(lambda side: [side] * 3)


def _region(half: list[float], turn: np.ndarray | None, center: list[float]) -> RegionEdit:
    cube = np.eye(4)
    cube[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(half)
    cube[:3, 3] = center
    return RegionEdit(_flat(cube))


regions = st.builds(
    _region,
    half_lengths | cube_sides,
    st.none()
    | st.builds(lambda rotvec: Rotation.from_rotvec(rotvec).as_matrix(), points)
    | rotations(),
    st.lists(one_of(0.0, 0.0, 0.0, 0.3, -0.7, 3.0), min_size=3, max_size=3),
)
"""Any box, flat, minute or far away ones too."""

edits = st.one_of(
    regions,
    st.builds(QuarterTurn, one_of("x", "y", "z")),
    st.builds(GroundPlane, points, points),
    st.builds(KnownLength, points, points, one_of(1.0, 0.001, 100.0), one_of("m", "ft")),
)


def _mesh_options(max_bytes: int | None, format: MeshFormat, **others: Any) -> MeshOptions:
    return MeshOptions(format="glb" if max_bytes else format, max_bytes=max_bytes, **others)


mesh_options = st.builds(
    _mesh_options,
    one_of(None, None, None, 100, 20_000),
    st.sampled_from(get_args(MeshFormat)),
    resolution=one_of(8, 16, 48, 96),
    levels=one_of(None, None, 1, 3, 5),
    axes=st.sampled_from(get_args(Axes)),
    min_component=one_of(0.0, 0.02, 0.5),
    unit=one_of("", "", "mm"),
    unseen=st.sampled_from(get_args(Unseen)),
    seen_through=booleans,
    close_holes=one_of(0.0, 0.02, 0.5),
    watertight=one_of(False, False, True),
    faces=one_of(None, 1, 4, 100, 2000),
    max_error=one_of(None, None, 0.01, 10.0),
    lods=one_of(1, 1, 2, 4),
    refine=one_of(False, False, True),
    texture=one_of(False, False, True),
    texture_size=one_of(None, 64, 256),
    normal_map=booleans,
    density=one_of(30.0, 30.0, 1.0, 3000.0),
)
"""Any that go together, and some that do not."""


def exports(folder: Path) -> Strategy[m.Export]:
    """A mesh of any kind, into ``folder``."""
    return mesh_options.map(lambda o: m.Export(str(folder / f"mesh.{o.format}"), o))


def videos(folder: Path, cameras: dict[str, Matrix]) -> Strategy[m.WriteVideo]:
    """A small video, a picture or neither, into ``folder``."""
    options = st.builds(
        VideoOptions,
        key_poses(cameras),
        st.just(0.8),
        one_of(16, 64),
        one_of(16, 48),
        n_frames=one_of(1, 2, 4),
        closed=booleans,
        mode=one_of("color", "clay", "normals", "depth"),
        levels=one_of(None, 2),
    )
    paths = one_of("film.mp4", "film.png").map(lambda name: str(folder / name))
    return st.builds(m.WriteVideo, paths, options)


def exclusions(names: list[str]) -> Strategy[m.ExcludePhotos]:
    """Any of the photos ``names``, all of them too, are left out or come back."""
    some = st.lists(st.sampled_from(names), max_size=len(names), unique=True).map(tuple)
    return st.builds(m.ExcludePhotos, some | st.just(tuple(names)), one_of(True, True, False))


def commands(
    captures: list[Path], folder: Path, cameras: dict[str, Matrix], view_id: int
) -> dict[str, Strategy[m.Command]]:
    """By name of its action, or of what it asks for, every command but `Shutdown`.

    Args:
        captures: what can be opened, beside a project saved in ``folder``.
        cameras: poses of the open photos by name.
        view_id: of the next view.
    """
    saved = folder / "saved"
    return {
        "open": st.sampled_from([*captures, saved]).map(lambda path: m.Open(str(path))),
        "close": st.builds(m.Close, booleans),
        "set_options": st.builds(m.SetRunOptions, run_options),
        "start": st.builds(m.Start, run_options),
        "resume": st.just(m.Resume()),
        "warm_start": st.builds(m.WarmStart, run_options),
        "pause": st.just(m.Pause()),
        "discard": st.just(m.DiscardTraining()),
        "continue": st.builds(m.Continue, one_of(0.005, 0.02)),
        "cancel": st.just(m.Cancel()),
        "edit_scene": st.builds(m.EditScene, edits),
        "exclude_photos": exclusions(list(cameras)) if cameras else st.nothing(),
        "undo": st.just(m.Undo()),
        "redo": st.just(m.Redo()),
        "pick": st.builds(m.Pick, points, points),
        "export": exports(folder / "meshes"),
        "set_camera_path": st.builds(m.SetCameraPath, key_poses(cameras).map(CameraPath)),
        "write_video": videos(folder, cameras),
        "save": st.just(m.Save(str(saved))),
        "view": st.builds(m.SetView, views(cameras, view_id)),
        "size": st.builds(m.EstimateExport, mesh_options),
    }
