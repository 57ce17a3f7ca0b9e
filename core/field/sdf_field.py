"""The signed distance field: hash features and position through a small network.

Negative inside; gradients point outward. Source: Li et al. 2023, "Neuralangelo", section 3;
initialisation: Atzmon & Lipman 2020, "SAL", section 4.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.config.run import FieldConfig
from core.field.base import TETRAHEDRON, Field, FieldSamples
from core.field.contraction import REACH, Frustums, contract, far_density_bias
from core.field.hash_grid import HashGrid
from core.kernels import GridLayout

# Offsets of the finite differences along the axes, in units of the step.
_AXES = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


class _LastLayer(torch.autograd.Function):
    """The last hidden layer and the head.

    All points need the distance (column 0); only the first ``n``, which belong to no
    finite-difference stencil, need the features. Written out because autograd's passes over the
    hidden values took half of a step's time.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, head, head_bias, n: int, relu: bool):
        z = torch.addmm(bias, x, weight.T)
        h = z.relu_() if relu else F.softplus(z, beta=100)
        ctx.save_for_backward(x, h, weight, head)
        ctx.n, ctx.relu = n, relu
        sdf = torch.mv(h, head[0]).add_(head_bias[0])
        features = torch.addmm(head_bias[1:], h[:n], head[1:].T)
        return sdf, features

    @staticmethod
    def backward(ctx, grad_sdf, grad_features):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, h, weight, head = ctx.saved_tensors
        n = ctx.n
        grad_head = torch.cat([(grad_sdf @ h)[None], grad_features.T @ h[:n]])
        grad_head_bias = torch.cat([grad_sdf.sum()[None], grad_features.sum(0)])
        dz = torch.outer(grad_sdf, head[0])
        dz[:n].addmm_(grad_features, head[1:])
        if ctx.relu:
            dz = torch.ops.aten.threshold_backward(dz, h, 0)
        else:  # softplus'(z) = 1 - exp(-β softplus(z))
            dz.mul_(torch.expm1(h * -100).neg_())
        grad_x = dz @ weight
        return grad_x, (x.T @ dz).T, dz.sum(0), grad_head, grad_head_bias, None, None


class SdfField(Field):
    """Positions in scene units → signed distance and features.

    With ``n_levels`` it starts with its coarsest levels and adds the others by `grow`. If
    unbounded, it is evaluated in contracted space with twice the cells along each side, so that
    cells in the unit ball are as small as without.
    """

    def __init__(self, config: FieldConfig, n_levels: int | None = None) -> None:
        super().__init__(config.n_levels)
        self.config = config
        reach = int(REACH) if config.unbounded else 1
        self._layout = GridLayout.create(
            config.n_levels,
            config.n_features_per_level,
            config.log2_hashmap_size,
            reach * config.base_resolution,
            reach * config.finest_resolution,
        )
        self.grid = HashGrid(self._layout.coarsest(n_levels), reach)
        self.active_levels = self.grid.layout.n_levels
        sizes = [3 + self.grid.layout.width] + [config.sdf_width] * config.sdf_layers
        self._layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
        self.hidden = nn.ModuleList(self._layers)
        self.head = nn.Linear(sizes[-1], 1 + config.n_geometry_features)
        self._initialise_sphere()
        if config.weight_norm:
            for layer in self._layers:
                nn.utils.parametrizations.weight_norm(layer)

    @property
    def floats_per_sample(self) -> float:
        config = self.config  # where, what is encoded, hidden
        inputs = 3 + self._layout.width
        return 3 + inputs + config.sdf_width * config.sdf_layers

    def cell_size(self, lod: float) -> float:
        return self.grid.cell_size(lod)

    @property
    def normal_eps(self) -> float:
        """Finite-difference step ε of the finest active level, scene units."""
        return self.config.fd_eps_cells * self.grid.cell_size(self.active_levels)

    @property
    def eps_ratio(self) -> float:
        """ε over that of the fourth level, at which Neuralangelo starts: by how much the
        curvature weight, stated there, has to shrink."""
        return self.normal_eps / (self.config.fd_eps_cells * self.grid.cell_size(4))

    @torch.no_grad()
    def grow(self, lod: float) -> bool:
        n_levels = math.ceil(lod)
        if self.grid.layout.n_levels >= min(n_levels, self.n_levels):
            return False
        first, layout = self._layers[0], self._layout.coarsest(n_levels)
        lacking = layout.width - self.grid.layout.width
        self.grid.grow(layout)
        wider = torch.cat([first.weight, first.weight.new_zeros(len(first.weight), lacking)], 1)
        first.weight, first.in_features = nn.Parameter(wider), wider.shape[1]
        return True

    def _initialise_sphere(self) -> None:
        """A sphere of `sphere_radius`: hash columns are zero, so only the position speaks; the
        first layer's directions are spread evenly (antipodal Fibonacci points), which makes the
        sphere round even with few of them."""
        config = self.config
        with torch.no_grad():
            for i, layer in enumerate(self._layers):
                out = layer.out_features
                nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / out))
                nn.init.zeros_(layer.bias)
                if i == 0:
                    layer.weight.zero_()
                    one = config.sdf_layers == 1
                    scale = 4 / math.sqrt(math.pi * out) if one else math.sqrt(6 / out)
                    layer.weight[:, :3] = scale * _even_directions(out)
            width = self.head.in_features
            sign = -1.0 if config.inside_out else 1.0
            nn.init.normal_(self.head.weight, 0.0, 0.1 * math.sqrt(2 / width))
            nn.init.zeros_(self.head.bias)
            self.head.weight[0] = sign * math.sqrt(math.pi / width)
            self.head.bias[0] = -sign * config.sphere_radius

    def _activate(self, z: Tensor) -> Tensor:
        return z.relu_() if self.config.sdf_activation == "relu" else F.softplus(z, beta=100)

    def _placed(self, positions: Tensor) -> Tensor:
        return contract(positions) if self.config.unbounded else positions

    def _trunk(self, positions: Tensor, lod: float, frustums: Frustums | None = None) -> Tensor:
        x, sizes = self._placed(positions), None
        if self.config.unbounded and frustums is not None:
            sizes = frustums.size(positions)
        h = torch.cat([x, self.grid(x, lod, sizes)], -1)
        for layer in self._layers:
            h = self._activate(layer(h))
        return h

    def implicit_value(self, positions: Tensor, lod: float | None = None) -> Tensor:
        """Return signed distances [N] at ``positions`` [N, 3], at most ``lod`` levels."""
        h = self._trunk(positions, self.effective_lod(lod))
        sdf = F.linear(h, self.head.weight[:1], self.head.bias[:1])[:, 0]
        return sdf - far_density_bias(positions) if self.config.unbounded else sdf

    def value_and_features(
        self, positions: Tensor, lod: float | None = None, frustums: Frustums | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return signed distances [N] and features [N, G] for the colour network."""
        out = self.head(self._trunk(positions, self.effective_lod(lod), frustums))
        sdf = out[:, 0] - far_density_bias(positions) if self.config.unbounded else out[:, 0]
        return sdf, out[:, 1:]

    def samples(
        self,
        positions: Tensor,
        lod: float | None = None,
        *,
        fd_indices: Tensor | None = None,
        analytic: bool = False,
    ) -> FieldSamples:
        """Evaluate as any `Field`; ``analytic`` uses the chain rule.

        Analytic gradients are less smooth but cost half, whatever the field is trained with.
        """
        if fd_indices is None:
            fd_indices = torch.arange(len(positions), device=positions.device)
        if analytic or self.config.gradients == "analytic":
            return self._analytic(positions, fd_indices, self.effective_lod(lod))
        return self._finite_differences(positions, fd_indices, self.effective_lod(lod))

    def _finite_differences(
        self, positions: Tensor, fd_indices: Tensor, lod: float
    ) -> FieldSamples:
        """Compute derivatives by central differences (Neuralangelo, eq. 5).

        A stencil of 6 points, or a tetrahedron of 4 points with ∇ = Σ kᵢ f(x + kᵢ h) / 4h, h =
        ε/√3. The Laplacian uses the same values.
        """
        eps = self.config.fd_eps_cells * self.grid.cell_size(lod)
        four = self.config.gradients == "fd4"
        offsets = positions.new_tensor(TETRAHEDRON if four else _AXES)  # [K, 3]
        step = eps / math.sqrt(3) if four else eps
        n = len(positions)
        stencil = positions[fd_indices, None] + step * offsets
        stencil_points = self._placed(torch.cat([positions, stencil.view(-1, 3)]))
        h = torch.cat([stencil_points, self.grid(stencil_points, lod)], -1)
        for layer in self._layers[:-1]:
            h = self._activate(layer(h))
        last, head = self._layers[-1], self.head
        values, features = _LastLayer.apply(
            h,
            last.weight,
            last.bias,
            head.weight,
            head.bias,
            n,
            self.config.sdf_activation == "relu",
        )
        sdf, stencil_values = values[:n], values[n:].view(len(fd_indices), len(offsets))
        gradients = stencil_values @ offsets / (4 * step if four else 2 * step)
        middle = sdf[fd_indices]
        if four:
            laplacian = (0.5 * stencil_values.sum(1) - 2 * middle) / step**2
        else:
            laplacian = (stencil_values.sum(1) - 6 * middle) / step**2
        return FieldSamples(sdf, features, gradients, laplacian)

    def level_gradients(self, positions: Tensor, lod: float | None = None) -> tuple[Tensor, Tensor]:
        """Return analytic gradients [N, 3] and each grid level's part of them, [N, L, 3]."""
        limit, positions = self.effective_lod(lod), self._placed(positions)
        every = torch.arange(len(positions), device=positions.device)
        _, v = self._chained(positions, every, limit)
        parts = self.grid.gradients_by_level(positions, v[:, 3:].contiguous(), limit)
        return v[:, :3] + parts.sum(1), parts

    def _analytic(self, positions: Tensor, fd_indices: Tensor, lod: float) -> FieldSamples:
        """Compute gradients by the chain rule; contraction is the identity inside the ball."""
        positions = self._placed(positions)
        out, v = self._chained(positions, fd_indices, lod)
        along = self.grid.gradient(positions[fd_indices], v[:, 3:].contiguous(), lod)
        return FieldSamples(out[:, 0], out[:, 1:], v[:, :3] + along, None)

    def _chained(self, positions: Tensor, fd_indices: Tensor, lod: float) -> tuple[Tensor, Tensor]:
        """Return the output [N, 1 + G] and, at ``fd_indices``, ∂sdf/∂input [M, 3 + L·F].

        Written out so that it can itself be differentiated.
        """
        h = torch.cat([positions, self.grid(positions, lod)], -1)
        slopes = []
        for layer in self._layers:
            z = layer(h)
            h = self._activate(z)
            relu = self.config.sdf_activation == "relu"
            slopes.append((z > 0).to(z.dtype) if relu else torch.sigmoid(100 * z))
        v = self.head.weight[0].expand(len(fd_indices), -1)
        for layer, slope in zip(reversed(self._layers), reversed(slopes)):
            v = (v * slope[fd_indices]) @ layer.weight
        return self.head(h), v


def _even_directions(n: int) -> Tensor:
    """Return [n, 3] unit vectors spread evenly over the sphere, in antipodal pairs."""
    half = (n + 1) // 2
    i = torch.arange(half) + 0.5
    z = 1 - i / half  # one hemisphere
    angle = math.pi * (1 + math.sqrt(5)) * i
    r = (1 - z * z).sqrt()
    up = torch.stack([r * angle.cos(), r * angle.sin(), z], -1)
    return torch.cat([up, -up])[:n]
