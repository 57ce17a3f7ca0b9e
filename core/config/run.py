"""All numbers that shape a run, as frozen dataclasses. Presets are values, not code.

Fractions named ``*_until`` or ``*_over`` are of the run's progress in [0, 1], so that a run of
three minutes and one of three hours are the same curve stretched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gradients = Literal["taps4", "taps6", "analytic"]
MethodName = Literal["surface", "ngp", "voxels", "nerf", "box"]
"""How a scene is learnt, see `core.field.methods`."""


@dataclass(frozen=True)
class FieldConfig:
    """The signed distance field and the colours on it."""

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
    """features handed from the SDF network to the colour network"""
    color_width: int = 64
    color_layers: int = 2
    direction_degree: int = 3
    """degree of the spherical harmonics of the view direction: degree² numbers"""
    appearance_size: int = 0
    """size of the per-photo appearance embedding; 0 switches it off"""
    sphere_radius: float = 0.5
    """radius of the initial sphere, scene units"""
    inside_out: bool = False
    """for interiors: the initial sphere is seen from within"""
    gradients: Gradients = "taps4"
    """how ∇sdf is taken: finite differences with 4 or 6 taps, or analytically"""
    fd_stride: int = 1
    """samples along a ray for each that has taps; the others take their slope from the samples
    beside them, and colour then knows no normals"""
    fd_eps_cells: float = 1.0
    """finite-difference step ε in cells of the finest active level"""
    background: Literal["auto", "none", "contraction"] = "auto"
    """what lies beyond the ball: "auto" is "none" where there are masks, else "contraction" """
    unbounded: bool = False
    """what lies beyond the ball is part of the field, through a contraction of space, and there is
    no background"""
    weight_norm: bool = False
    """weight normalisation in the SDF network, as published"""
    frequencies: int = 10
    """of a field without a grid: how many the position is told in, each twice the one before"""
    direction_frequencies: int = 4
    ray_samples: tuple[int, int] = (64, 128)
    """its even steps along a ray, and those that are put where they found something"""


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation, schedules and loss weights."""

    minutes: float = 10.0
    """training time when neither minutes nor steps are given"""
    n_rays: int = 1024
    """rays of the first step"""
    samples_per_step: int = 8192
    """the ray count adapts to hold this many samples that reach the field with gradients"""
    max_rays: int = 16384
    max_photo_side: int = 1600
    """photos are trained on at most this large, pixels"""
    occupancy_resolution: int = 64
    march_steps: int = 1024
    """smallest marching step: the ball's diameter over this"""
    march_sharpness: float = 1.0
    """marching step in units of 1 / inv_s, while that is above the smallest"""
    cull_weight: float = 2e-3
    """samples of less rendering weight are dropped before gradients; 0 keeps all"""
    background_samples: int = 16
    learning_rate: float = 1e-2
    """of the hash grid and the networks"""
    surface_rate: float = 1.0
    """of an SDF that was made of a density, as a fraction of that rate at the start"""
    surface_decay: float = 1.0
    """until the end that share falls to one part in so many. Short runs end smoother for it; long
    ones, which have time to mend the dents they start from, do not"""
    sharpness_learning_rate: float = 1e-3
    warm_up_until: float = 0.02
    """the rate grows to full until here, and as long again once a density has become an SDF"""
    decay_at: tuple[float, ...] = ()
    """progress at which the rate is divided by `decay_factor`; empty: exponential decay"""
    decay_factor: float = 10.0
    decay_total: float = 30.0
    """exponential decay divides the rate by this, from the end of the topology warm-up on"""
    weight_decay: float = 1e-2
    """of the networks; the hash grid has none"""
    initial_levels: int = 4
    levels_from: float = 0.02
    """until here only the initial levels are active"""
    levels_until: float = 0.4
    """all levels are active from here on"""
    cos_anneal_until: float = 0.1
    density_until: float = 0.0
    """topology warm-up: until here the scene is a radiance field whose density then becomes an SDF
    into the SDF, so that hollows are found; 0 leaves it out"""
    density_levels: int = 5
    """active levels of the radiance field through the warm-up"""
    density_cull_weight: float = 2e-3
    """as `cull_weight`, through the warm-up"""
    density_learning_rate: float = 3e-2
    """of everything through the warm-up"""
    density_decay: float = 1.0
    """that rate falls to one part in so many until the warm-up's end, if it is the run's end too"""
    density_step: float = 0.0125
    """of a march through density, scene units: the thinnest walls that are found"""
    density_skip: float = 0.05
    """cells through which a step is less opaque than this, or than the mean, are skipped"""
    density_samples: int = 16384
    """as `samples_per_step`, through the warm-up, where a sample has no taps"""
    hard_rays: float = 0.7
    """share of the rays that is drawn where the colours are wrong"""
    surface_hard_rays: float = 0.0
    """the same of a surface that was made of a density: it mends hollows and blunts plain walls,
    which few rays then keep smooth"""
    traced_from: float = 1.0
    """from here on a ray shows one point, where it meets the surface, instead of samples around it
    (`core.rendering.surface_trace`); 1 leaves that out"""
    sharpness: Literal["learnt", "scheduled"] = "scheduled"
    initial_inv_s: float = 20.0
    final_inv_s: float = 400.0
    """of a scheduled sharpness; a learnt one is held at or below 8 times the schedule"""
    color_loss: Literal["l1", "l2", "huber"] = "l1"
    lambda_color: float = 1.0
    lambda_eikonal: float = 0.1
    lambda_curvature: float = 5e-4
    curvature_until: float = 0.05
    """linear warm-up of the curvature weight, from the end of the topology warm-up; it is then
    divided by the growth per open level"""
    lambda_mask: float = 0.1
    lambda_sparsity: float = 0.0
    """weight, through the topology warm-up, of the mean opacity of space: without it fog that few
    photos look through stays, in the hollow of a vase above all"""
    lambda_seen_points: float = 0.03
    """weight, through the topology warm-up, of the light that passes structure-from-motion points:
    without it what has the colour of what lies behind it, white letters before a white desk, is
    left open"""
    lambda_transient: float = 0.05
    """weight of the mean opacity of what single photos show before the scene (`RunConfig.wild`)"""
    lambda_distortion: float = 0.01
    """weight, of a field of all of space, of how far apart light is stopped along a ray"""
    lambda_points: float = 0.1
    """weight of |sdf| at structure-from-motion points"""
    points_until: float = 0.3
    view_side: int = 112
    """of the pictures that are compared with a sentence, pixels"""
    view_copies: int = 4
    """backgrounds that each of them is put before"""
    transmittance: tuple[float, float] = (0.5, 0.9)
    """share of their light that passes the scene, at first and in the end, at least"""
    transmittance_until: float = 0.2
    lambda_transmittance: float = 0.5
    continue_from: float = 0.6
    """a finished run that goes on re-enters its schedules here"""
    region_margin: float = 1.25
    """the box that is trained, as a multiple of the region, which alone is shown and exported"""
    autosave_minutes: float = 2.0


@dataclass(frozen=True)
class RunConfig:
    """One run, complete: what a project saves and a command line repeats."""

    preset: str = "standard"
    method: MethodName = "surface"
    wild: bool = False
    """photos of several days and lights, with passers-by"""
    field: FieldConfig = FieldConfig()
    train: TrainConfig = TrainConfig()
    steps: int | None = None
    """train for so many steps instead of `train.minutes`"""
    seed: int = 0


@dataclass(frozen=True)
class RunOptions:
    """What a person decides about a run; what is None is as the device or the preset has it."""

    preset: str | None = None
    minutes: float | None = None
    steps: int | None = None
    """the budget, instead of minutes"""
    method: MethodName = "surface"
    wild: bool = False
    unbounded: bool = False

    @classmethod
    def of(cls, config: RunConfig) -> RunOptions:
        """What was decided about the run of ``config``."""
        return cls(
            config.preset,
            config.train.minutes,
            config.steps,
            config.method,
            config.wild,
            config.field.unbounded,
        )


MeshFormat = Literal["obj", "ply", "glb", "stl", "usdz"]
PoseQuality = Literal["fast", "normal", "best"]


@dataclass(frozen=True)
class OpenOptions:
    """How a capture is opened."""

    recursive: bool = False
    """plain photos may lie in subfolders too"""
    quality: PoseQuality = "normal"
    """of poses that have to be solved"""
    group: int = 0
    """where photos form several models, or fall into groups, which of them; 0 is the largest"""
    frames: int = 100
    """that a film gives at most"""
    photos: str = ""
    """of a saved project whose photos were moved: the folder that they are in now"""


DEFAULT_OPEN = OpenOptions()
Axes = Literal["input", "z", "y"]
"""Those of the input (upright where they mean nothing), or upright with that axis up."""


Unseen = Literal["keep", "parts", "cut"]
"""What no camera saw stays, or its floating parts go, or all of it that lies far from what one
saw is cut off."""
Purpose = Literal["game", "archive", "print", "web"]


DENSITY_AT_LEVEL = 30.0
"""Per scene unit: what a level of 0 stands for where a density is learnt."""


@dataclass(frozen=True)
class MeshOptions:
    """How a mesh is cut out of the field, and finished."""

    resolution: int = 256
    """marching-cubes cells along the longest side of the region"""
    levels: int | None = None
    """hash levels used; None: all that are active"""
    format: MeshFormat = "obj"
    axes: Axes = "input"
    min_component: float = 0.02
    """parts with less than this fraction of the largest part's area are removed, where cameras
    were asked of the area that they saw; 0 keeps all"""
    unit: str = ""
    """that lengths are converted to: mm, cm, m, in or ft; empty: as the scene has them"""
    unseen: Unseen = "parts"
    seen_through: bool = True
    """what photos show background through, by their masks, is removed"""
    close_holes: float = 0.02
    """holes up to this share of the mesh's diagonal are closed; 0 closes none"""
    watertight: bool = False
    """the surface is closed where the region cuts it, at the ground above all"""
    faces: int | None = None
    """at most; None: as cut, or `TEXTURED_FACES` with a texture"""
    max_error: float | None = None
    """as few faces as stay within this distance of the surface as cut, in units of the export"""
    lods: int = 1
    """levels of detail, each with a quarter of the faces of the one before"""
    refine: bool = False
    """vertices are moved to where the photos agree on them, if photos that are held back say that
    it is better so"""
    texture: bool = False
    """baked from the photos, instead of colours of the vertices from the field"""
    texture_size: int | None = None
    """texels a side; None: as the photos have detail for, 4096 at most"""
    normal_map: bool = False
    """of the surface as cut, for a mesh with a texture"""
    max_bytes: int | None = None
    """of a GLB: it gets fewer faces, and its pictures are compressed and halved, until it fits"""
    density: float = DENSITY_AT_LEVEL
    """of a method that has no surface: the density, per scene unit, at which it is cut"""


TEXTURED_FACES = 50_000
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
"""Options by what a mesh is for."""
