"""The presets, named by purpose, and the choice among them. Values only."""

from __future__ import annotations

from dataclasses import replace

from core.base.errors import UserError
from core.base.text import text
from core.config.run import FieldConfig, RunConfig, RunOptions, TrainConfig
from core.field.methods import with_method
from core.geometry.box import Setting

DESCRIPTIONS = {
    "draft": text("A first look in minutes, on any computer"),
    "standard": text("Clean and detailed: minutes on a GPU, under half an hour on a CPU"),
    "high": text("The finest detail in the photos; needs a GPU or patience"),
    "neuralangelo": text("The published Neuralangelo settings: a day on a large GPU"),
}

_DENSITY_FIRST = TrainConfig(
    density_until=0.4,
    initial_levels=10,
    levels_from=0.4,
    levels_until=0.6,
    cos_anneal_until=0.0,
    curvature_until=0.6,
    learning_rate=1.5e-3,
    decay_total=8.0,
    initial_inv_s=300.0,
    final_inv_s=600.0,
    lambda_mask=0.0,
    lambda_curvature=2e-3,
    points_until=0.8,
    lambda_sparsity=0.05,
)
"""Starts as a radiance field: from the published sphere, opaque at once, the hollow of a vase was
never found. The random backdrops already say where masks end; a mask term on top of them took the
vase farther from the truth."""

PRESETS = {
    "draft": RunConfig(
        preset="draft",
        field=FieldConfig(
            n_levels=10,
            log2_hashmap_size=16,
            finest_resolution=384,
            appearance_size=4,
            fd_stride=4,
        ),
        train=replace(
            _DENSITY_FIRST,
            minutes=3,
            samples_per_step=4096,
            max_photo_side=800,
            march_sharpness=2.0,
            cull_weight=1e-2,
            density_until=0.7,
            levels_from=0.7,
            levels_until=0.8,
            curvature_until=0.8,
            sdf_lr_scale=0.2,
            sdf_lr_decay=10.0,
            sdf_error_ray_fraction=0.5,
            prompt_image_side=64,
            prompt_backgrounds=2,
        ),
    ),
    "standard": RunConfig(
        preset="standard",
        field=FieldConfig(
            n_levels=12,
            log2_hashmap_size=18,
            finest_resolution=768,
            appearance_size=4,
        ),
        train=replace(_DENSITY_FIRST, minutes=20, samples_per_step=12288, final_inv_s=800.0),
    ),
    "high": RunConfig(
        preset="high",
        field=FieldConfig(
            n_levels=14,
            log2_hashmap_size=19,
            finest_resolution=1536,
            sdf_activation="softplus",
            appearance_size=8,
        ),
        train=replace(
            _DENSITY_FIRST,
            minutes=60,
            samples_per_step=32768,
            max_photo_side=2400,
            occupancy_resolution=128,
            march_steps=2048,
            final_inv_s=1200.0,
            prompt_image_side=168,
            prompt_backgrounds=8,
        ),
    ),
    "neuralangelo": RunConfig(
        preset="neuralangelo",
        field=FieldConfig(
            n_levels=16,
            n_features_per_level=8,
            log2_hashmap_size=22,
            base_resolution=16,
            finest_resolution=1024,
            sdf_width=256,
            sdf_activation="softplus",
            n_geometry_features=256,
            color_width=256,
            color_layers=4,
            direction_degree=4,
            appearance_size=8,
            fd_eps_cells=0.5,
            weight_norm=True,
        ),
        train=TrainConfig(
            minutes=960,
            n_rays=512,
            samples_per_step=65536,
            occupancy_resolution=128,
            march_steps=2048,
            cull_weight=1e-4,
            background_samples=32,
            learning_rate=1e-3,
            sharpness_learning_rate=1e-3,
            warm_up_until=0.01,
            decay_at=(0.6, 0.8),
            initial_levels=4,
            levels_from=0.01,
            levels_until=0.17,
            sharpness="learnt",
            final_inv_s=3000.0,
            lambda_color=3.0,
            curvature_until=0.01,
            error_ray_fraction=0.0,
            prompt_image_side=168,
            prompt_backgrounds=8,
        ),
    ),
}


SAMPLES_PER_RAY = 24
"""On average, of the pictures that are compared with a sentence."""
WILD_APPEARANCE = 8
"""Size of the appearance embedding of photos of several days and lights, at least."""


def default_preset(device_type: str) -> str:
    """The preset for a person who named none."""
    return "standard" if device_type == "cuda" else "draft"


def run_config(choice: RunOptions, device_type: str = "cpu", *, seed: int = 0) -> RunConfig:
    """The run that a person chose. Raises UserError."""
    preset = choice.preset or default_preset(device_type)
    if preset not in PRESETS:
        raise UserError(
            text("There is no preset {preset}", preset=preset),
            text("Choose one of {presets}", presets=", ".join(PRESETS)),
        )
    config = replace(PRESETS[preset], steps=None, seed=seed, wild=choice.wild)
    config = replace(config, field=replace(config.field, unbounded=choice.unbounded))
    return with_budget(with_method(config, choice.method), choice)


def with_budget(config: RunConfig, choice: RunOptions) -> RunConfig:
    """``config`` with the minutes or steps of ``choice``; with its own where both are None."""
    if choice.minutes is not None:
        train = replace(config.train, minutes=choice.minutes)
        config = replace(config, train=train, steps=None)
    return config if choice.steps is None else replace(config, steps=choice.steps)


def for_scene(
    config: RunConfig, has_masks: bool, setting: Setting = "object", from_prompt: bool = False
) -> RunConfig:
    """``config`` for a capture: photos that were cut out share one light, so the appearance
    embeddings, which would only blur who is to blame for a colour, stay off; a room is empty in the
    middle and has nothing behind it; photos taken in the wild need embeddings in any case; one that
    is ``from_prompt`` from a sentence is learnt from whole pictures. Where masks cut photos out, or
    there are none, nothing is to be seen beyond the region."""
    field = config.field
    if config.wild:
        field = replace(field, appearance_size=max(WILD_APPEARANCE, field.appearance_size))
    elif has_masks:
        field = replace(field, appearance_size=0)
    unbounded = field.unbounded and not (has_masks or from_prompt)
    config = replace(
        config, field=replace(field, inside_out=setting == "room", unbounded=unbounded)
    )
    return _for_prompt(config) if from_prompt else config


def _for_prompt(config: RunConfig) -> RunConfig:
    """Each step draws a whole picture, as large as the samples of a step allow. Little is culled:
    no photo says where things are, and what has no gradient never comes to be. What one picture
    asks for is far from what the next does, so steps are shorter."""
    train = config.train
    n_rays = train.prompt_image_side**2
    return replace(
        config,
        train=replace(
            train,
            n_rays=n_rays,
            max_rays=n_rays,
            density_samples=n_rays * SAMPLES_PER_RAY,
            samples_per_step=n_rays * SAMPLES_PER_RAY // 2,
            density_skip=train.density_skip / 10,
            density_cull_weight=train.density_cull_weight / 4,
            density_learning_rate=train.density_learning_rate / 3,
        ),
    )
