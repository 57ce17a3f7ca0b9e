"""The methods by which a scene can be learnt: the one place that knows them by name.

All but one are radiance fields: densities that explain the photos and stay densities. The method
"surface" begins as one too, and makes a signed distance of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.config import FieldConfig, MethodName, RunConfig
from core.field.color import Color, ColorNetwork
from core.field.field import Field
from core.field.sdf_field import SdfField

RADIANCE_RADIUS = 0.05
"""Of the ball that a density starts from, scene units: almost nothing."""
ROOM_RADIUS = 0.9
"""Of the hollow that it starts from in a room. Density so far from the cameras still has a slope to
learn by, which that of a ball in the middle has not."""
SMALLEST_TABLE = 15


@dataclass(frozen=True)
class Method:
    """A method: ``words`` for people; the run that it makes of a preset; the field of its density;
    whether a surface comes of that; the network of its colours; how large its field is, in words,
    and a configuration of half that size, None where it would be too small."""

    words: str
    run: Callable[[RunConfig], RunConfig]
    density: Callable[[RunConfig], Field]
    size: Callable[[FieldConfig], str]
    smaller: Callable[[FieldConfig], FieldConfig | None]
    makes_surface: bool = False
    color: Callable[[FieldConfig], Color] = ColorNetwork


def _hash_density(config: RunConfig, n_levels: int | None = None) -> Field:
    field = config.field
    radius = ROOM_RADIUS if field.inside_out else RADIANCE_RADIUS
    return SdfField(replace(field, sphere_radius=radius, weight_norm=False), n_levels)


def _hash_size(field: FieldConfig) -> str:
    return f"tables of 2^{field.log2_hashmap_size} rows"


def _smaller_hash(field: FieldConfig) -> FieldConfig | None:
    if field.log2_hashmap_size <= SMALLEST_TABLE:
        return None
    return replace(field, log2_hashmap_size=field.log2_hashmap_size - 1)


def _radiance(config: RunConfig, **train: object) -> RunConfig:
    """A run that is a radiance field to its end, whose colours know no normals."""
    values = {"density_until": 1.0, "levels_from": 0.0, "levels_until": 0.0, **train}
    return replace(
        config, train=replace(config.train, **values), field=replace(config.field, taps_every=4)
    )


def _ngp(config: RunConfig) -> RunConfig:
    return _radiance(config, density_decay=30.0, density_learning_rate=1e-2)


METHODS: dict[MethodName, Method] = {
    "surface": Method(
        "A clean surface: a density first, then a signed distance made of it",
        lambda config: config,
        lambda config: _hash_density(config, config.train.density_levels),
        _hash_size, _smaller_hash, makes_surface=True,
    ),
    "ngp": Method(
        "The best pictures soonest: density on the same hash grid, its surface only approximate",
        _ngp, _hash_density, _hash_size, _smaller_hash,
    ),
}


def with_method(config: RunConfig, method: MethodName) -> RunConfig:
    """The run of the preset ``config`` by ``method``."""
    return METHODS[method].run(replace(config, method=method))
