"""Everything that is learnt about a scene."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from core.config.run import RunConfig
from core.field.appearance import Appearance
from core.field.background import Background
from core.field.base import Field
from core.field.contraction import Frustums
from core.field.methods import METHODS, Method
from core.field.proposal import Proposal
from core.field.sdf_field import SdfField
from core.field.transient import TransientHead

N_BLENDED_CAMERAS = 4
"""How many views make up the colour of a point on the surface: what a single one saw stains."""


class SceneModel(nn.Module):
    """The fields of a scene: shape, colour, background, appearance, transients and sharpness.

    With a topology warm-up (`TrainConfig.density_until`) there is a second field, ``radiance``. Its
    density is the shape until it is converted to the SDF (`has_sdf`), and its features give the
    colours throughout. A method without a surface has only ``radiance``; ``sdf_field`` is None.

    If unbounded (`FieldConfig.unbounded`), ``radiance`` also renders what lies outside the region,
    at samples from ``proposal``; otherwise there may be a ``background``.

    Args:
        config: the run.
        n_photos: number of photos, each with an appearance embedding.
        has_background: photos show surroundings, they are not masked.
        method: overrides that of ``config``.
    """

    _has_sdf: Tensor

    def __init__(
        self, config: RunConfig, n_photos: int, has_background: bool, method: Method | None = None
    ) -> None:
        super().__init__()
        field, method = config.field, method or METHODS[config.method]
        warm_up = config.train.density_until > 0
        self.radiance = method.density(config) if warm_up or field.unbounded else None
        self.sdf_field = None
        if method.makes_surface:
            alone = self.radiance is None
            self.sdf_field = SdfField(
                field if alone else replace(field, n_geometry_features=0, unbounded=False)
            )
        self.register_buffer("_has_sdf", torch.tensor(not warm_up))
        self.color = method.color(field)
        self.appearance = Appearance(n_photos, field.appearance_size)
        wanted = field.background == "contraction" or (
            field.background == "auto" and has_background and not field.inside_out
        )
        self.background = self.proposal = None
        if field.unbounded:
            self.proposal = Proposal()
        elif wanted:
            self.background = Background(field.appearance_size)
        self.transient = TransientHead(n_photos) if config.wild else None
        self.log_inv_s = nn.Parameter(torch.tensor(math.log(config.train.initial_inv_s)))

    @property
    def device(self) -> torch.device:
        return self.log_inv_s.device

    @property
    def inv_s(self) -> Tensor:
        """Sharpness of the logistic density (NeuS's 1/s), per scene unit; a scalar tensor."""
        return self.log_inv_s.exp()

    @property
    def renders_background(self) -> bool:
        """Whether the model renders what lies outside the region."""
        return self.background is not None or self.proposal is not None

    @property
    def has_sdf(self) -> bool:
        """Whether the SDF is rendered; until then it is the density of the radiance field."""
        return bool(self._has_sdf)

    @property
    def is_density_stage(self) -> bool:
        """Whether the density is still to be converted to a surface."""
        return self.sdf_field is not None and not self.has_sdf

    def use_sdf(self) -> None:
        """Render the SDF from now on.

        The radiance field then only gives colours and gets all its levels, which would have cost
        time and memory before.
        """
        self._has_sdf.fill_(True)
        self.unlock_all_levels()

    def unlock_all_levels(self) -> None:
        """Allocate all levels of the radiance field."""
        if self.radiance is not None:
            self.radiance.grow(self.radiance.n_levels)

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Load a ``state`` dict, switching to its stage. Raises as `load_state_dict` does."""
        if state["_has_sdf"]:
            self.use_sdf()
        elif self.radiance is not None:
            self.radiance.grow(float(state["radiance._active"]))
        self.load_state_dict(state)

    @property
    def surface(self) -> SdfField:
        """The signed distance field, of a method that has one."""
        assert self.sdf_field is not None
        return self.sdf_field

    @property
    def shape(self) -> Field:
        """The field whose zero level set is the current surface."""
        if self.radiance is not None and not self.has_sdf:
            return self.radiance
        return self.surface

    def features(
        self,
        positions: Tensor,
        shape_features: Tensor,
        lod: float | None = None,
        frustums: Frustums | None = None,
    ) -> Tensor:
        """Return features [N, G] for the colour network.

        Args:
            positions: [N, 3], scene units.
            shape_features: [N, G] features that `shape` returned for ``positions``.
            lod: upper limit of the active levels of detail.
            frustums: see `Field.value_and_features`.
        """
        if self.radiance is None or not self.has_sdf:
            return shape_features
        return self.radiance.value_and_features(positions, lod, frustums)[1]

    def surface_color(
        self, positions: Tensor, camera_centers: Tensor, lod: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the colours [N, 3] and unit normals [N, 3] of surface points.

        Args:
            positions: [N, 3] points on the surface, scene units.
            camera_centers: [E, 3], scene units; the most frontal of them are blended.
            lod: upper limit of the active levels of detail.
        """
        samples = self.shape.samples(positions, lod)
        normals = nn.functional.normalize(samples.gradients, dim=-1)
        features = self.features(positions, samples.features, lod)
        appearance = self.appearance(None, len(positions))
        color = torch.zeros_like(positions)
        for center, weight in _most_frontal_cameras(positions, normals, camera_centers):
            directions = nn.functional.normalize(positions - center, dim=-1)
            seen = self.color(positions, normals, directions, features, appearance, lod)
            color += weight[:, None] * seen
        return color, normals


def _most_frontal_cameras(
    positions: Tensor, normals: Tensor, camera_centers: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield camera centres [N, 3] and weights [N], most frontal first; weights sum to 1.

    A weight fades to zero before its camera is replaced, so that colours change continuously.
    """
    above = normals @ camera_centers.T - (normals * positions).sum(-1, keepdim=True)  # [N, E]
    cosine = above / torch.cdist(positions, camera_centers).clamp(min=1e-9)
    best, which = cosine.topk(min(N_BLENDED_CAMERAS + 1, len(camera_centers)), dim=-1)
    lead = best[:, :N_BLENDED_CAMERAS] - best[:, -1:] + 1e-6
    weights = lead / lead.sum(-1, keepdim=True)
    for k in range(weights.shape[1]):
        yield camera_centers[which[:, k]], weights[:, k]
