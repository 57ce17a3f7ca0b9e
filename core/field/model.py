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

BLENDED_EYES = 4
"""How many views make up the colour of a point on the surface: what a single one saw stains."""


class SceneModel(nn.Module):
    """The SDF, the colour on it, what lies behind it, how photos differ and what of them is not the
    scene, and how sharp it is.

    With a warm-up (`TrainConfig.density_until`) there is a second field, ``radiance``: at first its
    level sets are the scene's density, and from beginning to end its features give the colours, so
    that they are known already when the surface is `has_sdf` from that density. By a method that
    makes no surface it is all there is, and ``sdf_field`` None.

    Of all of space (`FieldConfig.unbounded`) that field is asked beyond the region from beginning
    to end, at places that a ``proposal`` says; else there may be a ``background``.

    ``has_background``: photos show a real world beyond the ball (no masks). ``method``: that of
    ``config``, or one of a caller's own.
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
    def has_surroundings(self) -> bool:
        """Whether it knows what lies behind the region."""
        return self.background is not None or self.proposal is not None

    @property
    def has_sdf(self) -> bool:
        """Whether the SDF is what is rendered; until then it is the radiance field's density."""
        return bool(self._has_sdf)

    @property
    def is_density_stage(self) -> bool:
        """Whether a surface is still to be made of the density."""
        return self.sdf_field is not None and not self.has_sdf

    def use_sdf(self) -> None:
        """From now on the SDF is what is rendered, and the radiance field, of which colours alone
        are asked, has all levels: until then they would take time and memory for nothing."""
        self._has_sdf.fill_(True)
        self.unlock_all_levels()

    def unlock_all_levels(self) -> None:
        """Have all that will ever be learnt."""
        if self.radiance is not None:
            self.radiance.grow(self.radiance.n_levels)

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Be as the model whose ``state`` this is. Raises as `load_state_dict` does."""
        if state["_has_sdf"]:
            self.use_sdf()
        elif self.radiance is not None:
            self.radiance.grow(float(state["radiance._active"]))
        self.load_state_dict(state)

    @property
    def surface(self) -> SdfField:
        """The signed distance, of a method that has one."""
        assert self.sdf_field is not None
        return self.sdf_field

    @property
    def shape(self) -> Field:
        """The field whose zero level is the surface, as far as it is known."""
        if self.radiance is not None and not self.has_sdf:
            return self.radiance
        return self.surface

    def features(
        self,
        positions: Tensor,
        own: Tensor,
        levels: float | None = None,
        frustums: Frustums | None = None,
    ) -> Tensor:
        """[N, G] for the colour network, of ``positions`` of which `shape` told its ``own``."""
        if self.radiance is None or not self.has_sdf:
            return own
        return self.radiance.sdf_and_features(positions, levels, frustums)[1]

    def surface_color(
        self, positions: Tensor, eyes: Tensor, levels: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """Colour [N, 3] of points on the surface as seen by those of the ``eyes`` [E, 3] (scene
        units) that look at it most squarely, and unit normals [N, 3]."""
        samples = self.shape.samples(positions, levels)
        normals = nn.functional.normalize(samples.gradients, dim=-1)
        features = self.features(positions, samples.features, levels)
        appearance = self.appearance(None, len(positions))
        color = torch.zeros_like(positions)
        for eye, share in _most_square(positions, normals, eyes):
            directions = nn.functional.normalize(positions - eye, dim=-1)
            seen = self.color(positions, normals, directions, features, appearance, levels)
            color += share[:, None] * seen
        return color, normals


def _most_square(
    positions: Tensor, normals: Tensor, eyes: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """The eyes [N, 3] nearest to straight above each point, the best first, with shares [N] that
    sum to 1. A share fades to nothing before its eye is replaced by another, or colours would jump
    from one point to the next."""
    above = normals @ eyes.T - (normals * positions).sum(-1, keepdim=True)  # [N, E]
    cosine = above / torch.cdist(positions, eyes).clamp(min=1e-9)
    best, which = cosine.topk(min(BLENDED_EYES + 1, len(eyes)), dim=-1)
    lead = best[:, :BLENDED_EYES] - best[:, -1:] + 1e-6
    shares = lead / lead.sum(-1, keepdim=True)
    for k in range(shares.shape[1]):
        yield eyes[which[:, k]], shares[:, k]
