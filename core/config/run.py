"""All options of a run, as frozen dataclasses. Presets are values, not code.

Fields named ``*_until`` and ``*_from`` are fractions of the run's progress in [0, 1], so that a run
of three minutes and one of three hours follow the same schedule, stretched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gradients = Literal["fd4", "fd6", "analytic"]
"""How ∇sdf is computed: finite differences with a stencil of 4 or 6 points, or analytically."""
MethodName = Literal["surface", "ngp", "voxels", "nerf", "box"]
"""How a scene is represented and trained, see `core.field.methods`."""

PresetName = Literal["draft", "standard", "high", "neuralangelo"]
"""Settings to start from, see `core.training.presets`."""
DeviceName = Literal["auto", "cpu", "cuda"]
"""What computes; "auto": a CUDA GPU if there is one."""


@dataclass(frozen=True)
class FieldConfig:
    """The signed distance field and its colour network."""

    n_levels: int = 12
    """levels of the hash grid"""
    n_features_per_level: int = 2
    log2_hashmap_size: int = 17
    """entries per level at most: 2 to this power"""
    base_resolution: int = 16
    """cells of the coarsest level along the domain [-1, 1]³ of the ball"""
    finest_resolution: int = 512
    """cells of the finest level along the domain"""
    sdf_width: int = 64
    sdf_layers: int = 1
    """hidden layers of the SDF network"""
    sdf_activation: Literal["relu", "softplus"] = "relu"
    """softplus has β = 100"""
    n_geometry_features: int = 15
    """features passed from the SDF network to the colour network"""
    color_width: int = 64
    color_layers: int = 2
    direction_degree: int = 3
    """degree of the spherical harmonics of the view direction: degree² numbers"""
    appearance_size: int = 0
    """size of the per-photo appearance embedding; 0 switches it off"""
    sphere_radius: float = 0.5
    """radius of the initial sphere, scene units"""
    inside_out: bool = False
    """whether cameras are inside the initial sphere, as in a room"""
    gradients: Gradients = "fd4"
    fd_stride: int = 1
    """every so many samples along a ray have a finite-difference stencil; the others take their
    slope from neighbouring samples, and the colour network then gets no normals"""
    fd_eps_cells: float = 1.0
    """finite-difference step ε in cells of the finest active level"""
    background: Literal["auto", "none", "contraction"] = "auto"
    """model of what lies outside the unit ball: "auto" is "none" where there are masks, else
    "contraction" """
    unbounded: bool = False
    """whether the field covers all of space, contracted; there is no separate background then"""
    weight_norm: bool = False
    """weight normalisation in the SDF network, as published"""
    n_frequencies: int = 10
    """octaves of the positional encoding of a field without a grid (NeRF)"""
    n_direction_frequencies: int = 4
    """octaves of the encoding of its view direction"""
    ray_samples: tuple[int, int] = (64, 128)
    """its coarse (even) and fine (importance) samples per ray"""


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation, schedules and loss weights."""

    minutes: float = 10.0
    """training time when neither minutes nor steps are given"""
    n_rays: int = 1024
    """rays of the first step"""
    samples_per_step: int = 8192
    """the number of rays adapts so that this many samples reach the field with gradients"""
    max_rays: int = 16384
    max_photo_side: int = 1600
    """longest side of the photos in training, pixels; larger ones are downscaled"""
    occupancy_resolution: int = 64
    march_steps: int = 1024
    """the smallest marching step is the ball's diameter divided by this"""
    march_sharpness: float = 1.0
    """marching step in units of 1 / inv_s, where that exceeds the smallest step"""
    cull_weight: float = 2e-3
    """samples of less rendering weight are dropped before gradients are computed; 0 keeps all"""
    background_samples: int = 16
    learning_rate: float = 1e-2
    """learning rate of the hash grid and the networks"""
    sdf_lr_scale: float = 1.0
    """initial factor on the learning rate of an SDF that was converted from a density"""
    sdf_lr_decay: float = 1.0
    """that factor is divided by this until the end. Short runs end smoother for it; long ones,
    which have time to repair the dents of the conversion, do not"""
    sharpness_learning_rate: float = 1e-3
    warm_up_until: float = 0.02
    """linear warm-up of the learning rate, repeated after a density was converted to an SDF"""
    decay_at: tuple[float, ...] = ()
    """progress at which the learning rate is divided by `decay_factor`; empty: exponential decay"""
    decay_factor: float = 10.0
    decay_total: float = 30.0
    """exponential decay divides the learning rate by this, from the end of the density stage on"""
    weight_decay: float = 1e-2
    """weight decay of the networks; the hash grid has none"""
    initial_levels: int = 4
    """hash levels that are active at first"""
    levels_from: float = 0.02
    """until here only the initial levels are active"""
    levels_until: float = 0.4
    """all levels are active from here on"""
    cos_anneal_until: float = 0.1
    """cosine annealing of NeuS ends here"""
    density_until: float = 0.0
    """density stage: until here the scene is a radiance field, whose density is then converted to
    an SDF, so that concavities are found; 0 leaves the stage out"""
    density_levels: int = 5
    """active hash levels in the density stage"""
    density_cull_weight: float = 2e-3
    """`cull_weight` of the density stage"""
    density_learning_rate: float = 3e-2
    """learning rate of all parameters in the density stage"""
    density_decay: float = 1.0
    """that rate is divided by this until the end of a run that is a density stage throughout"""
    density_step: float = 0.0125
    """marching step in the density stage, scene units: the thinnest walls that are found"""
    density_skip: float = 0.05
    """cells are skipped where a step has less opacity than this, or than the mean"""
    density_samples: int = 16384
    """`samples_per_step` of the density stage, where samples need no stencils"""
    error_ray_fraction: float = 0.7
    """fraction of the rays that are sampled in proportion to the colour error"""
    sdf_error_ray_fraction: float = 0.0
    """the same for an SDF that was converted from a density: it repairs concavities and blunts
    plain walls, which few rays then keep smooth"""
    traced_from: float = 1.0
    """from here on each ray is rendered at its one surface point, instead of volume rendering
    (`core.rendering.surface_trace`); 1 leaves that out"""
    sharpness: Literal["learnt", "scheduled"] = "scheduled"
    initial_inv_s: float = 20.0
    final_inv_s: float = 400.0
    """inv_s at the end of the schedule; a learnt one is clamped to 8 times the schedule"""
    color_loss: Literal["l1", "l2", "huber"] = "l1"
    lambda_color: float = 1.0
    lambda_eikonal: float = 0.1
    lambda_curvature: float = 5e-4
    curvature_until: float = 0.05
    """linear warm-up of the curvature weight, from the end of the density stage; it is then divided
    by the growth factor with each active hash level"""
    lambda_mask: float = 0.1
    lambda_sparsity: float = 0.0
    """weight of the mean opacity of space in the density stage: without it fog that few photos
    constrain remains, as inside a vase"""
    lambda_seen_points: float = 0.03
    """weight of the transmittance beyond structure-from-motion points in the density stage: without
    it surface of the background's colour, as white letters before a white desk, has holes"""
    lambda_transient: float = 0.05
    """weight of the mean opacity of transient objects of single photos (`RunConfig.wild`)"""
    lambda_distortion: float = 0.01
    """weight of the distortion loss (mip-NeRF 360) of an unbounded field"""
    lambda_points: float = 0.1
    """weight of |sdf| at structure-from-motion points"""
    points_until: float = 0.3
    """that weight is reduced to 0 until here"""
    prompt_image_side: int = 112
    """side of the images that are compared with a text prompt, pixels"""
    prompt_backgrounds: int = 4
    """number of backgrounds that each of them is composited with"""
    transmittance: tuple[float, float] = (0.5, 0.9)
    """smallest mean transmittance of those images that costs nothing, at first and at the end"""
    transmittance_until: float = 0.2
    """it has its final value from here on"""
    lambda_transmittance: float = 0.5
    continue_from: float = 0.6
    """progress at which a finished run that is continued re-enters its schedules"""
    region_margin: float = 1.25
    """size of the box that is trained, as a multiple of the region that is shown and exported"""
    autosave_minutes: float = 2.0
    """time between automatic saves"""


@dataclass(frozen=True)
class RunConfig:
    """All options of a run, as a project saves them and a command line repeats them."""

    preset: str = "standard"
    method: MethodName = "surface"
    wild: bool = False
    """whether photos are from several days and lights, with passers-by (appearance, transients)"""
    field: FieldConfig = FieldConfig()
    train: TrainConfig = TrainConfig()
    steps: int | None = None
    """number of training steps, instead of `train.minutes`"""
    seed: int = 0


@dataclass(frozen=True)
class RunOptions:
    """What a person chooses about a run; None leaves it to the device or the preset."""

    preset: str | None = None
    minutes: float | None = None
    steps: int | None = None
    """number of training steps, instead of minutes"""
    method: MethodName = "surface"
    wild: bool = False
    unbounded: bool = False

    @classmethod
    def of(cls, config: RunConfig) -> RunOptions:
        """Return the options that the run of ``config`` was started with."""
        return cls(
            config.preset,
            config.train.minutes,
            config.steps,
            config.method,
            config.wild,
            config.field.unbounded,
        )
