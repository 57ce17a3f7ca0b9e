"""Textured meshes on disk, read back by readers that are not ours."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from core.base.errors import UserError
from core.base.jobs import run_task
from core.base.outputs import Outputs
from core.meshing.export.writers import ExportMetadata, write_lods_task, write_mesh
from core.meshing.mesh import Mesh
from core.meshing.texture.atlas import unwrap
from core.meshing.texture.transfer import bake_normal_map
from tests.core.meshing.painted_ball import ball
from tests.files import results

FAR = np.array([1000.0, -2000.0, 30.0])
VALIDATE = """
const fs = require('fs'), validator = require(process.argv[1]);
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])))
    .then(report => console.log(JSON.stringify(report)));
"""


def write_lods(lods, path):
    with Outputs(path.parent) as outputs:
        run_task(write_lods_task(lods, path, outputs))


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    """A ball far from the origin with an atlas of random texels and a normal map."""
    flat = run_task(unwrap(ball(3), 128))
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    return replace(
        run_task(bake_normal_map(ball(4), flat, 64)), texture=noise, vertices=flat.vertices + FAR
    )


def texture_and_corners(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[S, S, 3] texture, [F, 3, 3] positions and [F, 3, 2] uvs, v up, as trimesh reads them."""
    loaded = trimesh.load(path, process=False, force="mesh")
    material = loaded.visual.material
    picture = getattr(material, "baseColorTexture", None) or material.image
    return (
        np.asarray(picture.convert("RGB")),
        loaded.vertices[loaded.faces],
        np.asarray(loaded.visual.uv)[loaded.faces],
    )


@pytest.mark.parametrize("format", ["obj", "glb"])
def test_trimesh_reads_geometry_texture_and_coordinates(mesh, format, tmp_path):
    path = tmp_path / f"m.{format}"
    assert write_mesh(mesh, path) == sum(p.stat().st_size for p in results(tmp_path))
    texture, corners, uvs = texture_and_corners(path)
    np.testing.assert_array_equal(texture, mesh.texture)
    np.testing.assert_allclose(corners, mesh.vertices[mesh.faces], atol=1e-6)
    np.testing.assert_allclose(uvs, mesh.uvs[mesh.faces], atol=1e-6)


def test_an_obj_names_its_pictures_and_stands_as_plain_text(mesh, tmp_path):
    write_mesh(mesh, tmp_path / "m.obj")
    assert {p.name for p in results(tmp_path)} == {"m.obj", "m.mtl", "m.png", "m_normals.png"}
    material = (tmp_path / "m.mtl").read_text()
    assert "map_Kd m.png" in material
    assert "norm m_normals.png" in material
    lines = (tmp_path / "m.obj").read_text().splitlines()
    assert "mtllib m.mtl" in lines
    rows = {
        kind: [line.split()[1:] for line in lines if line.startswith(kind + " ")]
        for kind in ("v", "vt", "vn", "f")
    }
    np.testing.assert_allclose(np.array(rows["v"], float), mesh.vertices, atol=1e-7)
    np.testing.assert_allclose(np.array(rows["vt"], float), mesh.uvs, atol=1e-6)
    corner = np.array([[c.split("/") for c in face] for face in rows["f"]], int)
    np.testing.assert_array_equal(corner, np.repeat(mesh.faces[..., None] + 1, 3, -1))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "m.png")), mesh.texture)


def test_a_ply_carries_coordinates_at_its_vertices_and_names_its_texture(mesh, tmp_path):
    """By its own bytes: all properties are 32-bit floats."""
    write_mesh(mesh, tmp_path / "m.ply")
    head, _, body = (tmp_path / "m.ply").read_bytes().partition(b"end_header\n")
    lines = head.decode().splitlines()
    assert "comment TextureFile m.png" in lines
    names = [line.split()[2] for line in lines if line.startswith("property float")]
    table = np.frombuffer(body, "<f4", len(mesh.vertices) * len(names)).reshape(-1, len(names))
    np.testing.assert_allclose(table[:, :3], mesh.vertices, rtol=1e-6)
    columns = table[:, [names.index("s"), names.index("t")]]
    np.testing.assert_array_equal(columns, mesh.uvs)


def test_usd_reads_what_was_packed(mesh, tmp_path):
    Usd = pytest.importorskip("pxr.Usd", reason="usd-core is not installed")
    from pxr import UsdGeom, UsdShade

    path = tmp_path / "m.usdz"
    write_mesh(mesh, path, metadata=ExportMetadata("Y", 0.001))
    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 0.001
    shape = UsdGeom.Mesh(stage.GetPrimAtPath("/Gradina/Mesh"))
    np.testing.assert_allclose(np.array(shape.GetPointsAttr().Get()), mesh.vertices, rtol=1e-6)
    indices = np.array(shape.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
    np.testing.assert_array_equal(indices, mesh.faces)
    st = UsdGeom.PrimvarsAPI(shape).GetPrimvar("st")
    np.testing.assert_array_equal(np.array(st.Get()), mesh.uvs)
    reader = UsdShade.Shader(stage.GetPrimAtPath("/Gradina/Material/texture"))
    asset = reader.GetInput("file").Get()
    assert asset.path.removeprefix("./") == "texture.png", "beside it, wherever that is read"
    inside = zipfile.ZipFile(path).read("texture.png")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(inside))), mesh.texture)
    bound = UsdShade.MaterialBindingAPI(shape.GetPrim()).ComputeBoundMaterial()[0]
    assert bound.GetPath() == "/Gradina/Material"


def test_without_usd_one_line_says_what_to_install(mesh, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(UserError, match=r"m\.usdz: .*optional package.*gradina\[usd\]"):
        write_mesh(mesh, tmp_path / "m.usdz")
    assert not results(tmp_path)


def test_levels_of_detail_stand_in_one_glb(mesh, tmp_path):
    lods = [mesh, ball(2), ball(1)]
    write_lods(lods, tmp_path / "m.glb")
    data = (tmp_path / "m.glb").read_bytes()
    length = int.from_bytes(data[12:16], "little")
    tree = json.loads(data[20 : 20 + length])
    ids = tree["nodes"][0]["extensions"]["MSFT_lod"]["ids"]
    assert tree["extensionsUsed"] == ["MSFT_lod"]
    assert ids == [1, 2]
    coverage = tree["nodes"][0]["extras"]["MSFT_screencoverage"]
    assert len(coverage) == 3
    assert coverage == sorted(coverage, reverse=True)
    meshes = [tree["meshes"][tree["nodes"][i]["mesh"]]["primitives"][0] for i in (0, *ids)]
    counts = [tree["accessors"][mesh["indices"]]["count"] for mesh in meshes]
    assert counts == [3 * len(lod.faces) for lod in lods]
    assert len(trimesh.load(tmp_path / "m.glb", force="mesh").faces) == len(mesh.faces)


def validator() -> Path | None:
    places = [Path(p) for p in os.environ.get("NODE_PATH", "").split(os.pathsep) if p]
    places.append(Path(sys.prefix) / "node_modules")
    return next((p / "gltf-validator" for p in places if (p / "gltf-validator").is_dir()), None)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(validator() is None, reason="npm's gltf-validator is not installed")
def test_khronos_finds_no_fault(mesh, tmp_path):
    plain = ball(3)
    write_mesh(mesh, tmp_path / "textured.glb", metadata=ExportMetadata(jpeg=80))
    write_mesh(plain, tmp_path / "colored.glb")
    write_mesh(Mesh(plain.vertices, plain.faces), tmp_path / "bare.glb")
    write_lods([mesh, plain], tmp_path / "lods.glb")
    for path in tmp_path.glob("*.glb"):
        done = subprocess.run(
            ["node", "-e", VALIDATE, str(validator()), str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        issues = json.loads(done.stdout)["issues"]
        assert issues["numErrors"] == issues["numWarnings"] == 0, (path.name, issues["messages"])
