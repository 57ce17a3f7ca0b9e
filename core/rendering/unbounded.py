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

UNIFORM_FRACTION = 0.02
"""Share of the pieces that goes evenly to all bins, whatever the proposal says."""
MIN_TRANSMITTANCE = 1e-3
"""Of the light that comes from beyond the region; where less gets through nobody asks there."""


@dataclass(frozen=True)
class SampleCounts:
    """Numbers of samples along a ray outside the region."""

    bins: int
    """bins of the proposal"""
    pieces: int
    """samples of the field"""


TRAIN_SAMPLE_COUNTS = SampleCounts(bins=32, pieces=8)


@dataclass(frozen=True)
class WeightHistogram:
    """Weights of S intervals along rays R, packed, front to back."""

    starts: Tensor
    """[S] as fractions of the contracted ray"""
    ends: Tensor
    """[S]"""
    weights: Tensor
    """[S]"""
    ray_starts: Tensor
    """[R + 1] first interval of each ray"""

    @property
    def rays(self) -> Tensor:
        """[S] the ray of each piece."""
        counts = self.ray_starts.diff()
        return torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)


@dataclass(frozen=True)
class UnboundedRender:
    """What rays R show outside the region."""

    color: Tensor
    """[R, 3]"""
    histogram: WeightHistogram
    """weights outside the region"""
    lengths: Tensor
    """[R, 2] contracted lengths at the exit from the region and at the end"""
    proposed: Tensor
    """[R, N] weights that the proposal gives to uniform bins"""


def render_unbounded(
    model: SceneModel,
    rays: Rays,
    crossing: Crossing,
    transmittance: Tensor,
    jitter: Tensor | None,
    lod: float | None = None,
    sample_counts: SampleCounts = TRAIN_SAMPLE_COUNTS,
) -> UnboundedRender:
    """Render what lies outside the region in an unbounded field.

    Args:
        model: the scene.
        rays: R rays.
        crossing: where they cross the region.
        transmittance: [R] of the region.
        jitter: [R] in [0, 1), shifts the samples.
        lod: upper limit of the levels of detail.
        sample_counts: numbers of proposal bins and of samples.
    """
    contracted = ContractedRay.of(rays.origins, rays.directions)
    first, last = contracted.length(crossing.t_exit[:, None])[:, 0], contracted.end()
    fraction = torch.linspace(0, 1, sample_counts.bins + 1, device=first.device)
    bins = first[:, None] + (last - first)[:, None] * fraction
    proposed = transmittance.detach()[:, None] * _proposal_weights(
        model, rays, contracted, bins, jitter
    )
    with torch.no_grad():
        sampled = inverse_transform(
            bins, proposed + UNIFORM_FRACTION / sample_counts.bins, sample_counts.pieces - 1, jitter
        )
        pieces = torch.cat([bins[:, :1], sampled, bins[:, -1:]], -1)
        t, t_middle = contracted.at(pieces), contracted.at(0.5 * (pieces[:, 1:] + pieces[:, :-1]))
    visible = (transmittance > MIN_TRANSMITTANCE).nonzero()[:, 0]
    some, lengths, k = rays[visible], pieces[visible].diff(dim=-1), sample_counts.pieces
    each = some[torch.arange(len(visible), device=visible.device).repeat_interleave(k)]
    positions = each.origins + each.directions * t_middle[visible].view(-1, 1)
    wide = frustums(each, t[visible, :-1].reshape(-1), t[visible, 1:].reshape(-1))
    assert model.radiance is not None
    level, features = model.radiance.value_and_features(positions, lod, wide)
    color = model.color(
        contract(positions),
        None,
        each.directions,
        features,
        model.appearance(each.photo, len(each)),
        lod,
    )
    alphas = density_alpha(level, lengths.view(-1)).view(-1, k)
    weights = transmittance[visible, None] * alphas * _transmittance_before(1 - alphas)
    shown = (weights[..., None] * color.view(-1, k, 3)).sum(1)
    shares = ((pieces - first[:, None]) / (last - first)[:, None])[visible]
    counts = k * (transmittance > MIN_TRANSMITTANCE)
    histogram = WeightHistogram(
        shares[:, :-1].reshape(-1),
        shares[:, 1:].reshape(-1),
        weights.view(-1),
        F.pad(counts.cumsum(0), (1, 0)),
    )
    seen = torch.zeros_like(rays.origins).index_copy(0, visible, shown)
    return UnboundedRender(seen, histogram, torch.stack([first, last], -1), proposed)


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
    contracted, of = ContractedRay.of(rays.origins, rays.directions), samples.ray_indices
    within = contracted[of].length(torch.stack([samples.t_starts, samples.t_ends], -1))
    first, last = beyond.lengths.unbind(-1)
    begin = first - 2  # the ball is no wider
    along = beyond.histogram.rays

    def shares(inside: Tensor, outside: Tensor) -> Tensor:
        outside = first[along] + outside * (last - first)[along]
        ray = torch.cat([of, along])
        return (torch.cat([inside, outside]) - begin[ray]) / (last - begin)[ray]

    starts = shares(within[:, 0], beyond.histogram.starts)
    ends = shares(within[:, 1], beyond.histogram.ends)
    order = torch.cat([of, along]).argsort(stable=True)  # what is within comes first
    return WeightHistogram(
        starts[order],
        ends[order],
        torch.cat([weights, beyond.histogram.weights])[order],
        samples.ray_starts + beyond.histogram.ray_starts,
    )


def _proposal_weights(
    model: SceneModel, rays: Rays, contracted: ContractedRay, edges: Tensor, jitter: Tensor | None
) -> Tensor:
    """[R, N] what the proposal thinks that each bin stops of the light."""
    assert model.proposal is not None
    long = edges.diff(dim=-1)
    offset = 0.5 if jitter is None else jitter[:, None]
    t = contracted.at(edges[:, :-1] + offset * long)
    positions = rays.origins[:, None] + rays.directions[:, None] * t[..., None]
    density = model.proposal(positions.view(-1, 3)).view(t.shape)
    left = torch.exp(-density * long)
    return (1 - left) * _transmittance_before(left)


def _transmittance_before(left: Tensor) -> Tensor:
    """[R, K] what all those before each let through, of the shares ``left`` [R, K] by each."""
    return F.pad(left.cumprod(-1)[:, :-1], (1, 0), value=1.0)
