"""What a field of all of space shows beyond the region that rays cross.

Source: Barron et al. 2022, "Mip-NeRF 360", sections 3 and 3.1, along rays measured in contracted
space. A ray is asked where its proposal says that light is stopped. Behind all of space it is
black: were it of a colour that is learnt, that would be learnt first, and no density at all.
Letters: R rays, N bins of the proposal, K pieces of what is beyond the region, S pieces in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.field.contraction import ContractedRay, Frustums, contract
from core.field.model import SceneModel
from core.rendering.hierarchical import inverse_transform
from core.rendering.occupancy import Crossing
from core.rendering.rays import Rays
from core.rendering.sampling import Samples
from core.rendering.volume import density_alpha

EVERYWHERE = 0.02
"""Share of the pieces that goes evenly to all bins, whatever the proposal says."""
DARK = 1e-3
"""Of the light that comes from beyond the region; where less gets through nobody asks there."""


@dataclass(frozen=True)
class SampleCounts:
    """In how many ``bins`` the proposal looks at a ray, and how many ``pieces`` it is asked in."""

    bins: int
    pieces: int


TRAINED = SampleCounts(bins=32, pieces=8)


@dataclass(frozen=True)
class WeightHistogram:
    """Where along rays light is stopped: pieces between ``starts`` and ``ends`` [S], shares of the
    rays in contracted space, front to back, those of ray r from ``ray_starts[r]`` on, stop the
    share ``weights`` [S] of it."""

    starts: Tensor
    ends: Tensor
    weights: Tensor
    ray_starts: Tensor

    @property
    def rays(self) -> Tensor:
        """[S] the ray of each piece."""
        counts = self.ray_starts.diff()
        return torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)


@dataclass(frozen=True)
class UnboundedRender:
    """``color`` [R, 3] of what lies beyond the region; its ``course``, between the ``lengths``
    [R, 2], contracted, where the rays leave the region and where they end; what is ``proposed``
    [R, N] for as long bins of that."""

    color: Tensor
    course: WeightHistogram
    lengths: Tensor
    proposed: Tensor


def render_beyond(
    model: SceneModel,
    rays: Rays,
    crossing: Crossing,
    through: Tensor,
    jitter: Tensor | None,
    levels: float | None = None,
    fine: SampleCounts = TRAINED,
) -> UnboundedRender:
    """Of ``rays``, whose light the region lets ``through`` [R]. ``jitter`` [R] in [0, 1) shifts
    where they are asked."""
    passage = ContractedRay.of(rays.origins, rays.directions)
    first, last = passage.length(crossing.beyond[:, None])[:, 0], passage.end()
    share = torch.linspace(0, 1, fine.bins + 1, device=first.device)
    bins = first[:, None] + (last - first)[:, None] * share
    proposed = through.detach()[:, None] * _proposed(model, rays, passage, bins, jitter)
    with torch.no_grad():
        drawn = inverse_transform(bins, proposed + EVERYWHERE / fine.bins, fine.pieces - 1, jitter)
        pieces = torch.cat([bins[:, :1], drawn, bins[:, -1:]], -1)
        t, t_middle = passage.at(pieces), passage.at(0.5 * (pieces[:, 1:] + pieces[:, :-1]))
    lit = (through > DARK).nonzero()[:, 0]
    some, lengths, k = rays[lit], pieces[lit].diff(dim=-1), fine.pieces
    each = some[torch.arange(len(lit), device=lit.device).repeat_interleave(k)]
    positions = each.origins + each.directions * t_middle[lit].view(-1, 1)
    wide = frustums(each, t[lit, :-1].reshape(-1), t[lit, 1:].reshape(-1))
    assert model.radiance is not None
    level, features = model.radiance.sdf_and_features(positions, levels, wide)
    color = model.color(
        contract(positions),
        None,
        each.directions,
        features,
        model.appearance(each.photo, len(each)),
        levels,
    )
    alphas = density_alpha(level, lengths.view(-1)).view(-1, k)
    weights = through[lit, None] * alphas * _before(1 - alphas)
    shown = (weights[..., None] * color.view(-1, k, 3)).sum(1)
    shares = ((pieces - first[:, None]) / (last - first)[:, None])[lit]
    counts = k * (through > DARK)
    course = WeightHistogram(
        shares[:, :-1].reshape(-1),
        shares[:, 1:].reshape(-1),
        weights.view(-1),
        F.pad(counts.cumsum(0), (1, 0)),
    )
    seen = torch.zeros_like(rays.origins).index_copy(0, lit, shown)
    return UnboundedRender(seen, course, torch.stack([first, last], -1), proposed)


def frustums(rays: Rays, t_starts: Tensor, t_ends: Tensor) -> Frustums | None:
    """Of pieces [S] of as many ``rays``, where it is known how wide these are."""
    if rays.width is None:
        return None
    return Frustums.of(rays.directions, t_starts, t_ends, rays.width)


def full_histogram(
    beyond: UnboundedRender, rays: Rays, samples: Samples, weights: Tensor
) -> WeightHistogram:
    """From where the first of the ``samples`` in the region, which stop ``weights`` [S] of the
    light, could be, to the end of the rays."""
    passage, of = ContractedRay.of(rays.origins, rays.directions), samples.ray_indices
    within = passage[of].length(torch.stack([samples.t_starts, samples.t_ends], -1))
    first, last = beyond.lengths.unbind(-1)
    begin = first - 2  # the ball is no wider
    along = beyond.course.rays

    def shares(inside: Tensor, outside: Tensor) -> Tensor:
        outside = first[along] + outside * (last - first)[along]
        ray = torch.cat([of, along])
        return (torch.cat([inside, outside]) - begin[ray]) / (last - begin)[ray]

    starts = shares(within[:, 0], beyond.course.starts)
    ends = shares(within[:, 1], beyond.course.ends)
    order = torch.cat([of, along]).argsort(stable=True)  # what is within comes first
    return WeightHistogram(
        starts[order],
        ends[order],
        torch.cat([weights, beyond.course.weights])[order],
        samples.ray_starts + beyond.course.ray_starts,
    )


def _proposed(
    model: SceneModel, rays: Rays, passage: ContractedRay, edges: Tensor, jitter: Tensor | None
) -> Tensor:
    """[R, N] what the proposal thinks that each bin stops of the light."""
    assert model.proposal is not None
    long = edges.diff(dim=-1)
    place = 0.5 if jitter is None else jitter[:, None]
    t = passage.at(edges[:, :-1] + place * long)
    positions = rays.origins[:, None] + rays.directions[:, None] * t[..., None]
    density = model.proposal(positions.view(-1, 3)).view(t.shape)
    left = torch.exp(-density * long)
    return (1 - left) * _before(left)


def _before(left: Tensor) -> Tensor:
    """[R, K] what all those before each let through, of the shares ``left`` [R, K] by each."""
    return F.pad(left.cumprod(-1)[:, :-1], (1, 0), value=1.0)
