"""A limit of a file's size is kept by fewer faces and smaller pictures, not refused."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import UserError
from core.base.jobs import run_task
from core.config.mesh import MeshOptions
from core.meshing.export import size_limit as fitting
from core.meshing.export.size_limit import finish_within_size
from core.meshing.export.writers import ExportMetadata, write_mesh
from core.meshing.mesh import Mesh
from core.meshing.pipeline import FinishedMesh
from tests.core.meshing.painted_ball import ball
from tests.core.meshing.test_pipeline import sphere, subject

TEXTURED = MeshOptions(
    resolution=40, faces=3000, format="glb", texture=True, texture_size=512, normal_map=True
)


def written(mesh: Mesh, jpeg: int | None, path) -> int:
    return write_mesh(mesh, path, metadata=ExportMetadata(jpeg=jpeg))


@pytest.mark.slow
def test_a_limit_is_kept_by_what_shows_least(tmp_path):
    """All of it; then the texture compressed, the pictures halved, and at last fewer faces."""
    shown, notes = [], []
    for limit in (500_000, 90_000, 45_000):
        done, jpeg = run_task(
            finish_within_size(subject(sphere, tmp_path), replace(TEXTURED, max_bytes=limit))
        )
        mesh = done.lods[0]
        n_bytes = written(mesh, jpeg, tmp_path / "m.glb")
        assert n_bytes <= limit
        shown.append((len(mesh.faces), len(mesh.texture), len(mesh.normal_map), jpeg or 100))
        notes.append(done.notes)
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == (3000, 512, 512, 100)
    assert notes[0] == ()
    assert len({faces for faces, *_ in shown}) == len(set(shown)) == 3
    assert shown[-1][1:3] == (256, 256)
    assert f"To fit into 0.045 MB: {shown[-1][0]:,} faces, texture of" in str(notes[-1][0])


def test_without_a_texture_the_faces_alone_give_way(tmp_path):
    options = MeshOptions(resolution=40, format="glb", max_bytes=50_000)
    done, jpeg = run_task(finish_within_size(subject(sphere, None), options))
    assert jpeg is None
    assert 35_000 < written(done.lods[0], None, tmp_path / "m.glb") <= 50_000
    whole, _ = run_task(
        finish_within_size(subject(sphere, None), replace(options, max_bytes=10**7))
    )
    assert whole.notes == ()
    assert len(whole.lods[0].faces) > len(done.lods[0].faces)


def test_faces_are_halved_where_they_were_guessed_too_many(monkeypatch):
    asked, balls = [], [ball(n) for n in range(4)]  # of 20, 80, 320 and 1280 faces

    def finish(subject, options):
        asked.append(options.faces)
        yield from ()
        return FinishedMesh([balls[int(np.log(options.faces / 20) / np.log(4))]], {}, True)

    monkeypatch.setattr(fitting, "finish_mesh", finish)
    monkeypatch.setattr(fitting, "max_faces", lambda options: 5000)
    done, _ = run_task(
        finish_within_size(subject(sphere, None), MeshOptions(format="glb", max_bytes=6000))
    )
    assert asked == [5000, 640, 160]
    assert len(done.lods[0].faces) == 80
    with pytest.raises(UserError, match=r"does not fit into 0\.003 MB"):
        run_task(
            finish_within_size(subject(sphere, None), MeshOptions(format="glb", max_bytes=3000))
        )


def test_a_halved_relief_keeps_unit_normals_and_levels_keep_below_the_first():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(1024, 1024, 3)) + [0, 0, 3]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    relief = np.round((normals + 1) * 127.5).astype(np.uint8)
    picture = rng.integers(0, 256, (1024, 1024, 3), np.uint8)
    mesh = replace(ball(1), texture=picture, normal_map=relief)
    sizes = [(len(m.normal_map), len(m.texture)) for m in fitting._smaller_textures(mesh)]
    assert sizes == [(1024, 1024), (512, 1024), (512, 512), (256, 512), (256, 256)]
    *_, last = fitting._smaller_textures(mesh)
    length = np.linalg.norm(last.normal_map / 127.5 - 1, axis=2)
    assert np.abs(length - 1).max() < 0.02
    np.testing.assert_allclose(last.texture.mean(), picture.mean(), atol=0.5)
    coarser = fitting._limit_textures(mesh, replace(mesh, texture=picture[:512, :512]))
    assert len(coarser.texture) == 512
