"""Options of a mesh: how it is extracted, cleaned, simplified, textured and exported.

Units, formats and purposes are listed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MeshFormat = Literal["obj", "ply", "glb", "stl", "usdz"]
Axes = Literal["input", "z", "y"]
"""Axes of an export: those of the input (upright where they mean nothing), or upright with that
axis up."""
Unseen = Literal["keep", "parts", "cut"]
"""What happens to surface that no camera saw: it is kept, its floating parts are removed, or all
of it that lies far from seen surface is removed."""
Unit = Literal["m", "cm", "mm", "in", "ft"]
Purpose = Literal["game", "archive", "print", "web"]
"""What a mesh is made for."""

DENSITY_AT_LEVEL = 30.0
"""Density per scene unit at which the surface of a radiance field is extracted."""

TEXTURED_FACES = 50_000
"""Largest number of faces of a textured mesh, where no other is chosen."""


@dataclass(frozen=True)
class MeshOptions:
    """How a mesh is extracted from the field and processed."""

    resolution: int = 256
    """marching-cubes cells along the longest side of the region"""
    levels: int | None = None
    """number of hash levels used; None: all active ones"""
    format: MeshFormat = "obj"
    axes: Axes = "input"
    min_component: float = 0.02
    """components with less than this fraction of the largest one's area are removed; only area that
    cameras saw counts, where that is known. 0 keeps all"""
    unit: Unit | Literal[""] = ""
    """unit that lengths are converted to; empty: scene lengths as they are"""
    unseen: Unseen = "parts"
    seen_through: bool = True
    """whether surface is removed through which photos show background, by their masks"""
    close_holes: float = 0.02
    """holes up to this fraction of the mesh's diagonal are closed; 0 closes none"""
    watertight: bool = False
    """whether the surface is closed where the region cuts it, as at the ground"""
    faces: int | None = None
    """largest number of faces; None: all that were extracted, or `TEXTURED_FACES` with a texture"""
    max_error: float | None = None
    """simplifies as far as the mesh stays within this distance of the extracted one, in units of
    the export"""
    lods: int = 1
    """number of levels of detail, each with a quarter of the faces of the one before"""
    refine: bool = False
    """whether vertices are moved to where the photos agree on them, if held-out photos confirm that
    it is better"""
    texture: bool = False
    """whether a texture is baked from the photos; else vertices have the field's colours"""
    texture_size: int | None = None
    """texels a side; None: as many as the photos resolve, at most 4096"""
    normal_map: bool = False
    """whether a textured mesh gets a normal map of the extracted surface"""
    max_bytes: int | None = None
    """largest size of a GLB: faces are removed, and images compressed and halved, until it fits"""
    density: float = DENSITY_AT_LEVEL
    """density per scene unit at which a method without an SDF is extracted"""


PURPOSES: dict[Purpose, MeshOptions] = {
    "game": MeshOptions(
        format="glb",
        axes="y",
        faces=20_000,
        lods=4,
        refine=True,
        texture=True,
        texture_size=2048,
        normal_map=True,
    ),
    "archive": MeshOptions(
        resolution=512, format="ply", faces=200_000, refine=True, texture=True, unseen="keep"
    ),
    "print": MeshOptions(format="stl", axes="z", unit="mm", watertight=True, faces=500_000),
    "web": MeshOptions(
        format="glb",
        axes="y",
        faces=15_000,
        refine=True,
        texture=True,
        texture_size=2048,
        normal_map=True,
        max_bytes=5_000_000,
    ),
}
"""Options for each purpose of a mesh."""
