"""USDZ packages, by Pixar's library (the optional extra ``usd``), which tells no types."""
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from core.base.errors import UserError
from core.base.text import text
from core.meshing.export.gltf import encode_image, srgb_to_linear
from core.meshing.mesh import Mesh


def require_usd(path: Path) -> None:
    """Raises UserError where the library is missing."""
    try:
        import pxr  # noqa: F401
    except ImportError as error:
        raise UserError(
            text("{path}: writing USDZ needs an optional part", path=path),
            text("Run pip install 'gradina[usd]', or choose GLB"),
        ) from error


def encode_usdz(mesh: Mesh, up: str, metres_per_unit: float) -> bytes:
    """The bytes of a USDZ of ``mesh``; ``up``: "Y" or "Z"."""
    from pxr import Sdf, Usd, UsdGeom, UsdUtils

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.usdc"
        stage = Usd.Stage.CreateNew(str(path))
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y if up == "Y" else UsdGeom.Tokens.z)
        UsdGeom.SetStageMetersPerUnit(stage, metres_per_unit)
        root = UsdGeom.Xform.Define(stage, "/Gradina")
        stage.SetDefaultPrim(root.GetPrim())
        shape = UsdGeom.Mesh.Define(stage, "/Gradina/Mesh")
        _geometry(shape, mesh)
        if mesh.texture is not None and mesh.uvs is not None:
            files = {"texture.png": mesh.texture, "normals.png": mesh.normal_map}
            for name, picture in files.items():
                if picture is not None:
                    (Path(folder) / name).write_bytes(encode_image(picture))
            coordinates = UsdGeom.PrimvarsAPI(shape).CreatePrimvar(
                "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex
            )
            coordinates.Set(_array(mesh.uvs))
            _material(stage, shape, mesh.normal_map is not None)
        elif mesh.colors is not None:
            shape.CreateDisplayColorPrimvar(UsdGeom.Tokens.vertex).Set(
                _array(srgb_to_linear(mesh.colors))
            )
        stage.Save()
        package = Path(folder) / "mesh.usdz"
        if not UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(path)), str(package)):
            raise UserError(text("The USDZ could not be packed"), text("Choose GLB"))
        return package.read_bytes()


def _geometry(shape: Any, mesh: Mesh) -> None:
    from pxr import UsdGeom, Vt

    points = _array(mesh.vertices)
    shape.CreatePointsAttr(points)
    shape.CreateFaceVertexIndicesAttr(
        Vt.IntArray.FromNumpy(np.ascontiguousarray(mesh.faces, np.int32).ravel())
    )
    shape.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(mesh.faces), 3, np.int32)))
    shape.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    shape.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(points))
    shape.CreateDoubleSidedAttr(True)
    if mesh.normals is not None:
        shape.CreateNormalsAttr(_array(mesh.normals))
        shape.SetNormalsInterpolation(UsdGeom.Tokens.vertex)


def _material(stage: Any, shape: Any, with_normals: bool) -> None:
    from pxr import Gf, Sdf, UsdShade

    kinds = Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, "/Gradina/Material")
    surface = UsdShade.Shader.Define(stage, "/Gradina/Material/Surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("roughness", kinds.Float).Set(1.0)
    reader = UsdShade.Shader.Define(stage, "/Gradina/Material/Coordinates")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", kinds.String).Set("st")

    def picture(name: str, space: str) -> Any:
        found = UsdShade.Shader.Define(stage, f"/Gradina/Material/{name.split('.')[0]}")
        found.CreateIdAttr("UsdUVTexture")
        found.CreateInput("file", kinds.Asset).Set(f"./{name}")  # beside it, not looked for
        found.CreateInput("sourceColorSpace", kinds.Token).Set(space)
        st = found.CreateInput("st", kinds.Float2)
        st.ConnectToSource(reader.ConnectableAPI(), "result")
        return found

    color = picture("texture.png", "sRGB")
    color.CreateOutput("rgb", kinds.Float3)
    surface.CreateInput("diffuseColor", kinds.Color3f).ConnectToSource(
        color.ConnectableAPI(), "rgb"
    )
    if with_normals:
        normals = picture("normals.png", "raw")
        normals.CreateInput("scale", kinds.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
        normals.CreateInput("bias", kinds.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
        normals.CreateOutput("rgb", kinds.Float3)
        surface.CreateInput("normal", kinds.Normal3f).ConnectToSource(
            normals.ConnectableAPI(), "rgb"
        )
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(shape.GetPrim()).Bind(material)


def _array(values: np.ndarray) -> Any:
    from pxr import Vt

    kind = {2: Vt.Vec2fArray, 3: Vt.Vec3fArray}[values.shape[1]]
    return kind.FromNumpy(np.ascontiguousarray(values, np.float32))
