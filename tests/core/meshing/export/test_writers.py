"""Meshes on disk, read back by another library."""

import json
import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
import trimesh

from core.base.errors import UserError
from core.base.outputs import write_output
from core.meshing.export.writers import write_mesh
from core.meshing.mesh import Mesh
from tests.files import results


@pytest.fixture
def mesh() -> Mesh:
    shape = trimesh.creation.icosphere(3, 2.0).apply_translation([10, -20, 0.5])
    colors = np.random.default_rng(0).integers(0, 256, (len(shape.vertices), 3), np.uint8)
    return Mesh(
        np.asarray(shape.vertices),
        np.asarray(shape.faces, np.int32),
        colors,
        np.asarray(shape.vertex_normals, np.float32),
    )


def load(path) -> trimesh.Trimesh:
    return trimesh.load(path, force="mesh", process=False, maintain_order=True)


@pytest.mark.parametrize("format", ["obj", "ply", "glb", "stl"])
def test_geometry_comes_back_in_place(mesh, format, tmp_path):
    path = tmp_path / f"mesh.{format}"
    assert write_mesh(mesh, path) == path.stat().st_size
    back = load(path)
    np.testing.assert_allclose(back.vertices[back.faces], mesh.vertices[mesh.faces], atol=2e-6)
    assert [p.name for p in results(tmp_path)] == [path.name]


@pytest.mark.parametrize("format", ["obj", "ply"])
def test_colors_and_normals_come_back(mesh, format, tmp_path):
    write_mesh(mesh, tmp_path / "m", format)
    back = trimesh.load(
        tmp_path / "m", file_type=format, force="mesh", process=False, maintain_order=True
    )
    np.testing.assert_array_equal(back.visual.vertex_colors[:, :3], mesh.colors)
    np.testing.assert_allclose(back.vertex_normals, mesh.normals, atol=1e-5)


def test_glb_holds_linear_colors_and_a_material_that_is_not_metal(mesh, tmp_path):
    write_mesh(mesh, tmp_path / "m.glb")
    data = (tmp_path / "m.glb").read_bytes()
    length = int.from_bytes(data[12:16], "little")
    tree = json.loads(data[20 : 20 + length])
    primitive = tree["meshes"][0]["primitives"][0]
    assert tree["materials"][primitive["material"]]["pbrMetallicRoughness"]["metallicFactor"] == 0
    accessor = tree["accessors"][primitive["attributes"]["COLOR_0"]]
    view = tree["bufferViews"][accessor["bufferView"]]
    begin = 20 + length + 8 + view.get("byteOffset", 0)
    linear = np.frombuffer(data[begin : begin + view["byteLength"]], "<u2").reshape(-1, 4) / 65535
    assert accessor["componentType"] == 5123
    assert (linear[:, 3] == 1).all()
    c = linear[:, :3]
    srgb = np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(srgb * 255, mesh.colors, atol=0.5)


def test_a_mesh_without_colors_is_written_too(mesh, tmp_path):
    for format in ("obj", "ply", "glb", "stl"):
        write_mesh(Mesh(mesh.vertices, mesh.faces), tmp_path / f"m.{format}")
        assert len(load(tmp_path / f"m.{format}").faces) == len(mesh.faces)


def test_what_cannot_be_written_is_one_line_with_a_remedy(mesh, tmp_path):
    empty = Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    with pytest.raises(UserError, match=r"m\.obj: the mesh is empty.*Train longer"):
        write_mesh(empty, tmp_path / "m.obj")
    with pytest.raises(UserError, match=r"m\.xyz: unknown mesh format"):
        write_mesh(mesh, tmp_path / "m.xyz")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        write_mesh(mesh, tmp_path / "file" / "m.obj")
    (tmp_path / "folder.ply").mkdir()
    with pytest.raises(UserError, match=r"folder\.ply is a folder"):
        write_mesh(mesh, tmp_path / "folder.ply")
    assert sorted(p.name for p in results(tmp_path)) == ["file", "folder.ply"]


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_other(mesh, tmp_path):
    """Stood in for by the limit on a file's size, in a process of its own."""
    path = tmp_path / "m.ply"
    write_output(path, b"the old mesh")
    code = (
        "import sys, pathlib, trimesh, numpy as np\n"
        "from core.base.errors import UserError\n"
        "from core.meshing.export.writers import write_mesh\n"
        "from core.meshing.mesh import Mesh\n"
        "s = trimesh.creation.icosphere(4)\n"
        "mesh = Mesh(s.vertices, np.asarray(s.faces, np.int32))\n"
        "try: write_mesh(mesh, pathlib.Path(sys.argv[1]))\n"
        "except UserError as error: print(error)\n"
    )

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    assert "m.ply cannot be written (File too large)" in done.stdout
    assert path.read_bytes() == b"the old mesh"
    assert results(tmp_path) == [path]
