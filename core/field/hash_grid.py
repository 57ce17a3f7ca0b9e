"""A trainable multi-resolution hash grid (Müller et al. 2022, "Instant NGP").

Its domain is [-1, 1]³, the cube around the unit ball, or [-2, 2]³ for contracted space.
"""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor, nn

from core.kernels import GridLayout, for_device


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, table, layout: GridLayout, weights, kernels: ModuleType):
        ctx.save_for_backward(x, table, weights)
        ctx.layout, ctx.kernels = layout, kernels
        return kernels.encode(x, table, layout, weights)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, table, weights = ctx.saved_tensors
        grad = grad.contiguous()
        along = None
        if ctx.needs_input_grad[0]:
            along = ctx.kernels.encode_gradient(x, grad, table, ctx.layout, weights)
        return (
            along,
            ctx.kernels.encode_backward(x, grad, table, ctx.layout, weights),
            None,
            None,
            None,
        )


class _EncodeGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, v, table, layout: GridLayout, weights, kernels: ModuleType):
        ctx.save_for_backward(x, v, table, weights)
        ctx.layout, ctx.kernels = layout, kernels
        return kernels.encode_gradient(x, v, table, layout, weights)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, v, table, weights = ctx.saved_tensors
        grad_v, grad_table = ctx.kernels.encode_gradient_backward(
            x, v, grad, table, ctx.layout, weights
        )
        return None, grad_v, grad_table, None, None, None


class HashGrid(nn.Module):
    """Features of points by trilinear interpolation at several resolutions.

    Callers use scene units in [-reach, reach]³; nothing else knows the kernels' [0, 1]³.
    ``active_levels`` may be fractional: the last level fades in.
    """

    def __init__(self, layout: GridLayout, reach: float = 1.0) -> None:
        super().__init__()
        self.layout, self.reach = layout, reach
        self.table = nn.Parameter(_nearly_zero(layout.n_rows, layout.n_features))

    def grow(self, layout: GridLayout) -> None:
        """Become a grid of ``layout``, whose coarsest levels are those of this grid."""
        more = _nearly_zero(layout.n_rows - self.layout.n_rows, layout.n_features)
        self.table = nn.Parameter(torch.cat([self.table, more.to(self.table.device)]))
        self.layout = layout

    def level_weights(self, active_levels: float) -> Tensor:
        """Return the weights [L] of the levels, in [0, 1]."""
        levels = torch.arange(self.layout.n_levels, dtype=torch.float32, device=self.table.device)
        return (active_levels - levels).clamp(0, 1)

    def cell_size(self, active_levels: float) -> float:
        """Return the edge of a cell of the (fractional) finest active level, scene units."""
        r = self.layout.resolutions
        level = min(max(active_levels - 1, 0.0), len(r) - 1.0)
        low = int(level)
        high = min(low + 1, len(r) - 1)
        return 2.0 * self.reach / float(r[low] * (r[high] / r[low]) ** (level - low))

    def forward(
        self, positions: Tensor, active_levels: float, sizes: Tensor | None = None
    ) -> Tensor:
        """Return features [N, L·F], once differentiable in positions and table.

        Args:
            positions: [N, 3], scene units.
            active_levels: number of levels in use, may be fractional.
            sizes: [N] standard deviation of the volume that each position represents; None: a
                point.
        """
        features = _Encode.apply(
            self._unit(positions),
            self.table,
            self.layout,
            self.level_weights(active_levels),
            for_device(self.table.device),
        )
        if sizes is None:
            return features
        seen = self.seen(sizes).repeat_interleave(self.layout.n_features, dim=1)
        return features * seen

    def seen(self, sizes: Tensor) -> Tensor:
        """Return [N, L] factors that attenuate levels finer than volumes of ``sizes`` [N].

        Towards 1 where cells are much larger, towards 0 where many fit in (Barron et al. 2023,
        "Zip-NeRF", section 3.2).
        """
        cells = 2 * self.reach / torch.as_tensor(self.layout.resolutions, device=sizes.device)
        return torch.erf(cells.float() / (8**0.5 * sizes.clamp(min=1e-9)[:, None]))

    def _unit(self, positions: Tensor) -> Tensor:
        return positions * (0.5 / self.reach) + 0.5

    def gradient(self, positions: Tensor, v: Tensor, active_levels: float) -> Tensor:
        """Return Σ v · ∂features/∂position [N, 3], differentiable in ``v`` and the table."""
        return (
            0.5
            / self.reach
            * _EncodeGradient.apply(
                self._unit(positions),
                v,
                self.table,
                self.layout,
                self.level_weights(active_levels),
                for_device(self.table.device),
            )
        )

    @torch.no_grad()
    def gradients_by_level(self, positions: Tensor, v: Tensor, active_levels: float) -> Tensor:
        """Return the terms of `gradient` by level, [N, L, 3]."""
        weights, kernels = self.level_weights(active_levels), for_device(self.table.device)
        alone = torch.eye(len(weights), device=weights.device) * weights
        return (
            0.5
            / self.reach
            * torch.stack(
                [
                    kernels.encode_gradient(self._unit(positions), v, self.table, self.layout, one)
                    for one in alone
                ],
                1,
            )
        )


def _nearly_zero(rows: int, n_features: int) -> Tensor:
    """Initialise a table [rows, F] with tiny distinct values (Müller et al. 2022, section 4)."""
    return torch.empty(rows, n_features).uniform_(-1e-4, 1e-4)
