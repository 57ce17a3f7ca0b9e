"""From a field that is known exactly to a finished mesh."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from core.base import paths as places
from core.base.errors import UserError
from core.base.jobs import run_task
from core.config.mesh import PURPOSES, MeshOptions
from core.meshing import spill_array as rows
from core.meshing.export.writers import write_mesh
from core.meshing.pipeline import MeshSource, finish_mesh
from core.meshing.repair import out_of_core as large
from core.meshing.repair.clean import is_watertight
from tests.core.meshing.painted_ball import painted, photos

BALL = np.array([[-1.0, -1, -1], [1, 1, 1]])
OUT = trimesh.transformations.translation_matrix([4, 5, -6]) @ np.diag([3.0, 3, 3, 1])
"""The frame of the result: three times as large, and elsewhere."""


def sphere(p, center=(0, 0, 0), radius=0.7):
    return np.linalg.norm(p - np.float32(center), axis=1) - radius


def on_the_ground(p):
    """A ball on a plate that goes on beyond the region, both solid."""
    return np.minimum(sphere(p, (0, 0, 0.1), 0.5), p[:, 2] + 0.4)


def with_bubble(p):
    """A ball with a closed hollow inside, which no camera sees."""
    return np.maximum(sphere(p), -sphere(p, radius=0.3))


def subject(sdf, folder, distance=2.5, **changes) -> MeshSource:
    seen = [] if folder is None else photos(folder, 8, masks=True, distance=distance)
    out = [replace(p, world_from_camera=moved(p.world_from_camera)) for p in seen]
    made = MeshSource(sdf, lambda p, n: painted(p) / 255, BALL, None, OUT, out, False)
    return replace(made, **changes)


def moved(pose):
    out = pose.copy()
    out[:3, 3] = pose[:3, 3] * 3 + [4, 5, -6]
    return out


def test_the_ground_is_capped_and_the_solid_closed():
    options = MeshOptions(resolution=48, watertight=True, unseen="keep")
    done = run_task(finish_mesh(subject(on_the_ground, None), options))
    mesh = done.lods[0]
    assert done.watertight
    assert is_watertight(mesh.faces)
    shape = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    # the ball above the plate, and the plate's 0.6 up to the region's walls, one cell within
    cap = 0.5 - 0.5  # the ball just touches the plate
    plate = (2 - 2 / 24) ** 2 * (0.6 - 1 / 24)
    assert shape.volume / 27 == pytest.approx(4 / 3 * np.pi * 0.5**3 + plate - cap, rel=0.02)
    lowest = mesh.vertices[:, 2] < -6 + 3 * (-1 + 1.5 / 24)
    assert np.ptp(mesh.vertices[lowest, 2]) < 1e-3, "flat"
    open_mesh = run_task(
        finish_mesh(subject(on_the_ground, None), replace(options, watertight=False))
    )
    assert not open_mesh.watertight


def test_a_bubble_that_no_camera_sees_goes_unless_it_is_kept(tmp_path):
    options = MeshOptions(resolution=40)
    solid = run_task(finish_mesh(subject(with_bubble, tmp_path), options))
    assert solid.steps["small parts"]["parts removed"] == 1
    kept = run_task(finish_mesh(subject(with_bubble, tmp_path), replace(options, unseen="keep")))
    radius = np.linalg.norm(kept.lods[0].vertices - [4, 5, -6], axis=1) / 3
    assert (radius < 0.35).any()
    assert np.linalg.norm(solid.lods[0].vertices - [4, 5, -6], axis=1).min() / 3 > 0.65


@pytest.mark.parametrize("refine", [False, True])
def test_levels_textures_and_relief_in_one_go(tmp_path, refine):
    options = MeshOptions(
        resolution=40,
        faces=3000,
        lods=3,
        texture=True,
        texture_size=256,
        normal_map=True,
        refine=refine,
    )
    fractions = []
    done = run_task(
        finish_mesh(subject(sphere, tmp_path), options),
        lambda progress: fractions.append(progress.fraction),
    )
    assert fractions == sorted(fractions)
    assert any("efined" in str(note) for note in done.notes) == refine
    assert [len(lod.faces) for lod in done.lods] == [3000, 750, 186]
    for lod in done.lods:
        assert lod.texture.shape == lod.normal_map.shape == (256, 256, 3)
        assert np.abs(np.linalg.norm(lod.vertices - [4, 5, -6], axis=1) / 2.1 - 1).max() < 0.08
        assert len(lod.uvs) == len(lod.tangents) == len(lod.normals) == len(lod.vertices)
    assert done.steps["simplified"]["faces after"] == 3000


def test_an_error_is_meant_in_units_of_the_result():
    done = run_task(finish_mesh(subject(sphere, None), MeshOptions(resolution=40, max_error=0.03)))
    radius = np.linalg.norm(done.lods[0].vertices - [4, 5, -6], axis=1)
    assert np.abs(radius - 2.1).max() < 0.05
    coarse = run_task(finish_mesh(subject(sphere, None), MeshOptions(resolution=40, max_error=0.1)))
    assert len(coarse.lods[0].faces) < len(done.lods[0].faces) / 2


def test_what_cannot_be_closed_says_so(monkeypatch):
    from core.meshing import pipeline as module

    monkeypatch.setattr(module, "fill_holes", lambda mesh, size: (mesh, {}))
    monkeypatch.setattr(module, "clip_to_box", lambda sdf, *rest: sdf)
    with pytest.raises(UserError, match=r"cannot be made watertight: \d+ edges"):
        run_task(
            finish_mesh(
                subject(on_the_ground, None), MeshOptions(24, watertight=True, unseen="keep")
            )
        )


def test_nothing_there_gives_one_empty_mesh():
    for options in (MeshOptions(24), PURPOSES["game"], PURPOSES["print"]):
        done = run_task(
            finish_mesh(subject(lambda p: np.ones(len(p)), None), replace(options, resolution=24))
        )
        assert len(done.lods) == 1
        assert not len(done.lods[0].faces)


def in_two_parts(p):
    """A ball, and a smaller one beside it that no mask shows."""
    return np.minimum(sphere(p), sphere(p, (0.8, 0.8, 0.3), 0.12))


def test_what_is_too_large_is_done_piece_by_piece_and_told(tmp_path, monkeypatch):
    options = MeshOptions(resolution=96, min_component=0.001)
    whole = run_task(finish_mesh(subject(in_two_parts, tmp_path, 4.0, has_masks=True), options))
    monkeypatch.setattr(large, "max_faces_in_memory", lambda: 5000)
    monkeypatch.setattr(large, "PROXY_RESOLUTION", 32)
    monkeypatch.setattr(rows, "MAX_MEMORY_BYTES", 0)
    monkeypatch.setattr(places, "spill_folder", lambda: tmp_path / "spill")
    pieces = run_task(finish_mesh(subject(in_two_parts, tmp_path, 4.0, has_masks=True), options))
    assert (tmp_path / "spill").exists()
    assert pieces.steps["seen through"]["faces that cameras saw through"] > 300
    for name in ("vertices", "faces", "normals", "colors"):
        np.testing.assert_array_equal(
            getattr(pieces.lods[0], name), getattr(whole.lods[0], name), name
        )
    for format in ("ply", "obj", "stl", "glb"):
        for name, done in (("pieces", pieces), ("whole", whole)):
            write_mesh(done.lods[0], tmp_path / f"{name}.{format}")
        written = (tmp_path / f"pieces.{format}").read_bytes()
        assert written == (tmp_path / f"whole.{format}").read_bytes()
    assert pieces.watertight
    assert pieces.notes == ()
    cut = replace(subject(on_the_ground, tmp_path), photos=[])
    (note,) = run_task(finish_mesh(cut, replace(options, unseen="keep"))).notes
    assert "holes stay open" in str(note)
    with pytest.raises(UserError, match=r"too many to be simplified, textured.*at most \d+"):
        run_task(finish_mesh(cut, replace(options, faces=500, texture=True)))
    closed = run_task(finish_mesh(cut, replace(options, unseen="keep", watertight=True)))
    assert closed.watertight
    assert is_watertight(closed.lods[0].faces)
