"""The pictures by which the benchmark `tests.benchmarks.lods` compares levels of detail."""

from dataclasses import replace

import numpy as np

from core.base.jobs import run_task
from core.meshing.mesh import Mesh
from core.meshing.texture.atlas import unwrap
from core.meshing.texture.transfer import bake_normal_map
from tests.benchmarks import lods
from tests.core.meshing.painted_ball import ball
from tests.core.meshing.texture.test_transfer import bumpy

PAPER = np.full((8, 8, 3), 255, np.uint8)


def white(mesh: Mesh) -> Mesh:
    uvs = np.full((len(mesh.vertices), 2), 0.5, np.float32) if mesh.uvs is None else mesh.uvs
    return replace(mesh, texture=PAPER, uvs=uvs)


def test_the_relief_of_a_coarse_level_is_lit_as_the_fine_mesh_is(monkeypatch):
    monkeypatch.setattr(lods, "HEIGHT", 240)
    fine = ball(5)
    fine = replace(fine, normals=bumpy(fine.vertices).astype(np.float32))
    coarse = run_task(unwrap(ball(3), 256))
    shaped = run_task(bake_normal_map(fine, coarse, 256))
    with_relief, without = [], []
    for camera in lods.around(fine, 3):
        plain, wanted = lods.pictures(white(fine), *camera)
        height = np.any(plain != lods.GREY, axis=(1, 2)).mean()
        assert 0.4 < height < 0.6, "arm's length: about half of the picture"
        assert lods.apart(wanted, wanted) == np.inf
        with_relief.append(lods.apart(lods.pictures(white(shaped), *camera)[1], wanted))
        without.append(lods.apart(lods.pictures(white(coarse), *camera)[1], wanted))
    assert min(with_relief) > max(without) + 3
