"""USDZ packages, by Pixar's library (the optional extra ``usd``)."""
# USD has no type stubs
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from core.base.errors import UserError
from core.base.text import text
from core.meshing.export.gltf import encode_image, srgb_to_linear
from core.meshing.mesh import Mesh


def require_usd(path: Path) -> None:
    """Raise UserError where the library is missing."""
    try:
        import_module("pxr")
    except ImportError as error:
        raise UserError(
            text("{path}: USDZ needs an optional package", path=path),
            text("Run pip install 'gradina[usd]', or choose GLB"),
        ) from error


def encode_usdz(mesh: Mesh, up: str, metres_per_unit: float) -> bytes:
    """Encode ``mesh`` as a USDZ.

    Args:
        mesh: the mesh.
        up: "Y" or "Z".
        metres_per_unit: of its lengths.
    """
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
            for name, image in files.items():
                if image is not None:
                    (Path(folder) / name).write_bytes(encode_image(image))
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
    """Write points, faces and normals."""
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
    """Write a diffuse material with the texture, and with the normal map if there is one."""
    from pxr import Gf, Sdf, UsdShade

    kinds = Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, "/Gradina/Material")
    surface = UsdShade.Shader.Define(stage, "/Gradina/Material/Surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("roughness", kinds.Float).Set(1.0)
    reader = UsdShade.Shader.Define(stage, "/Gradina/Material/Coordinates")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", kinds.String).Set("st")

    def texture(name: str, space: str) -> Any:
        sampler = UsdShade.Shader.Define(stage, f"/Gradina/Material/{name.split('.')[0]}")
        sampler.CreateIdAttr("UsdUVTexture")
        sampler.CreateInput("file", kinds.Asset).Set(
            f"./{name}"
        )  # a relative path, not searched for
        sampler.CreateInput("sourceColorSpace", kinds.Token).Set(space)
        st = sampler.CreateInput("st", kinds.Float2)
        st.ConnectToSource(reader.ConnectableAPI(), "result")
        return sampler

    color = texture("texture.png", "sRGB")
    color.CreateOutput("rgb", kinds.Float3)
    surface.CreateInput("diffuseColor", kinds.Color3f).ConnectToSource(
        color.ConnectableAPI(), "rgb"
    )
    if with_normals:
        normals = texture("normals.png", "raw")
        normals.CreateInput("scale", kinds.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
        normals.CreateInput("bias", kinds.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
        normals.CreateOutput("rgb", kinds.Float3)
        surface.CreateInput("normal", kinds.Normal3f).ConnectToSource(
            normals.ConnectableAPI(), "rgb"
        )
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(shape.GetPrim()).Bind(material)


def _array(values: np.ndarray) -> Any:
    """Rows of two or three floats as an array of USD."""
    from pxr import Vt

    kind = {2: Vt.Vec2fArray, 3: Vt.Vec3fArray}[values.shape[1]]
    return kind.FromNumpy(np.ascontiguousarray(values, np.float32))
