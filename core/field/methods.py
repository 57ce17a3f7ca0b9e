"""The reconstruction methods by name; nothing else knows which there are.

All but "surface" are radiance fields: densities that explain the photos. "surface" begins as a
radiance field and is then converted to a signed distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.base.text import Text, text
from core.config.run import FieldConfig, MethodName, RunConfig
from core.field.analytic import BoxInWorld, BoxVolume
from core.field.base import Field
from core.field.color import Color, ColorNetwork
from core.field.nerf import FINE, NerfColor, NerfField
from core.field.sdf_field import SdfField
from core.field.voxels import HarmonicColor, VoxelField, n_bytes

RADIANCE_RADIUS = 0.05
"""Of the ball that a density starts from, scene units: almost nothing."""
ROOM_RADIUS = 0.9
"""Of the hollow that it starts from in a room. Density so far from the cameras still has a slope to
learn by, which that of a ball in the middle has not."""
SMALLEST_TABLE = 15


@dataclass(frozen=True)
class Method:
    """One method: its configuration, field and colour network."""

    words: Text
    """description for people"""
    run: Callable[[RunConfig], RunConfig]
    """changes a preset to this method"""
    density: Callable[[RunConfig], Field]
    """creates the density field"""
    size: Callable[[FieldConfig], Text]
    """describes the size of the field"""
    smaller: Callable[[FieldConfig], FieldConfig | None]
    """halves the size of the field; None where it would be too small"""
    makes_surface: bool = False
    """whether the density is converted to a surface"""
    color: Callable[[FieldConfig], Color] = ColorNetwork
    """creates the colour network"""


def _hash_density(config: RunConfig, n_levels: int | None = None) -> Field:
    field = config.field
    radius = ROOM_RADIUS if field.inside_out else RADIANCE_RADIUS
    return SdfField(replace(field, sphere_radius=radius, weight_norm=False), n_levels)


def _hash_size(field: FieldConfig) -> Text:
    return text("tables of 2^{log2} rows", log2=field.log2_hashmap_size)


def _smaller_hash(field: FieldConfig) -> FieldConfig | None:
    if field.log2_hashmap_size <= SMALLEST_TABLE:
        return None
    return replace(field, log2_hashmap_size=field.log2_hashmap_size - 1)


def _radiance(config: RunConfig, **train: object) -> RunConfig:
    """Return a run that stays a radiance field to its end, whose colours use no normals."""
    values = {"density_until": 1.0, "levels_from": 0.0, "levels_until": 0.0, **train}
    return replace(
        config, train=replace(config.train, **values), field=replace(config.field, fd_stride=4)
    )


def _ngp(config: RunConfig) -> RunConfig:
    return _radiance(config, density_decay=30.0)


VOXELS = {"draft": (3, 96, 1), "standard": (4, 192, 2), "high": (4, 256, 3)}
"""Levels of detail, cells along the domain at the last, and the degree of the colour's spherical
harmonics, by preset; others are as high."""


def _voxels(config: RunConfig) -> RunConfig:
    config = _radiance(
        config,
        density_decay=10.0,
        density_learning_rate=5e-2,
        density_levels=1,
        levels_until=0.5,
        density_skip=3e-3,
    )
    n_levels, finest, degree = VOXELS.get(config.preset, VOXELS["high"])
    return replace(
        config,
        field=replace(
            config.field, n_levels=n_levels, finest_resolution=finest, direction_degree=degree
        ),
    )


def _voxel_size(field: FieldConfig) -> Text:
    resolution, megabytes = field.finest_resolution, n_bytes(field) / 1e6
    return text("{cells}³ voxels ({megabytes:.0f} MB)", cells=resolution, megabytes=megabytes)


def _fewer_voxels(field: FieldConfig) -> FieldConfig | None:
    if field.n_levels == 1:
        return None
    half = field.finest_resolution // 2
    return replace(field, n_levels=field.n_levels - 1, finest_resolution=half)


def _nerf(config: RunConfig) -> RunConfig:
    """Use the published sizes, or for drafts a small variant that needs no GPU."""
    small = config.preset == "draft"
    batch = {"draft": 16384, "standard": 65536}.get(config.preset, 196608)
    config = _radiance(
        config,
        density_learning_rate=5e-3 if small else 5e-4,
        density_decay=10.0,
        density_samples=batch,
        n_rays=batch // 192,
        density_skip=3e-3,
        weight_decay=0.0,
        warm_up_until=0.01,
        color_loss="l2",
        lambda_sparsity=0.0,
        error_ray_fraction=0.0,
    )
    width, layers, head = (64, 4, 32) if small else (256, 8, 128)
    return replace(
        config,
        field=replace(
            config.field,
            n_levels=FINE,
            sdf_width=width,
            sdf_layers=layers,
            color_width=head,
            n_geometry_features=width,
            ray_samples=(32, 32) if small else (64, 128),
        ),
    )


def _box(config: RunConfig) -> RunConfig:
    config = _radiance(
        config,
        density_decay=20.0,
        density_learning_rate=3e-2,
        density_levels=1,
        levels_until=0.8,
        lambda_sparsity=0.0,
        density_cull_weight=0.0,
        density_skip=1e-5,
    )
    return replace(config, field=replace(config.field, n_levels=8))


def _box_color(field: FieldConfig) -> Color:
    """Return a colour network that takes features only if surroundings provide them."""
    n = field.n_geometry_features if field.unbounded else 0
    return ColorNetwork(replace(field, n_geometry_features=n))


def _box_volume(config: RunConfig) -> Field:
    return BoxInWorld(config.field) if config.field.unbounded else BoxVolume(config.field)


METHODS: dict[MethodName, Method] = {
    "surface": Method(
        text("A clean surface: trains a density first, then converts it to a signed distance"),
        lambda config: config,
        lambda config: _hash_density(config, config.train.density_levels),
        _hash_size,
        _smaller_hash,
        makes_surface=True,
    ),
    "ngp": Method(
        text("The best images soonest: a density on a hash grid; its surface is only approximate"),
        _ngp,
        _hash_density,
        _hash_size,
        _smaller_hash,
    ),
    "voxels": Method(
        text("Density and colour at the corners of a regular grid: simple, needs much memory"),
        _voxels,
        lambda config: VoxelField(config.field),
        _voxel_size,
        _fewer_voxels,
        color=HarmonicColor,
    ),
    "nerf": Method(
        text("The original NeRF: plain networks, slow to train; the published sizes need a GPU"),
        _nerf,
        lambda config: NerfField(config.field),
        lambda field: text(
            "{layers} layers of width {width}", layers=field.sdf_layers, width=field.sdf_width
        ),
        lambda field: None,
        color=NerfColor,
    ),
    "box": Method(
        text("One box whose centre and sides are fitted to the photos: for box-shaped objects"),
        _box,
        _box_volume,
        lambda field: text("one box"),
        lambda field: None,
        color=_box_color,
    ),
}


def with_method(config: RunConfig, method: MethodName) -> RunConfig:
    """Return the preset ``config`` changed to ``method``."""
    return METHODS[method].run(replace(config, method=method))
