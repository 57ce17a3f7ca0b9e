"""The meaning of every kernel, in plain torch, for any device.

The functions are forward passes and their hand-stated backward passes; none relies on autograd, so
that a faster backend can be held to each of them separately.

Letters: N points, L levels, F features per level, R rays, S packed samples, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.kernels.grid_layout import HASH_PRIMES, GridLayout


def _corners(x: Tensor, layout: GridLayout, level: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows [N, 8] of the table, weights [N, 8] and their derivative [N, 8, 3] by x."""
    resolution = int(layout.resolutions[level])
    scaled = x.clamp(0, 1) * resolution
    cell = scaled.floor().clamp(max=resolution - 1)
    fraction = scaled - cell
    corner = torch.tensor(
        [[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)], device=x.device
    )  # [8, 3]
    vertex = cell.long()[:, None] + corner
    if layout.dense[level]:
        side = resolution + 1
        row = vertex[..., 0] + side * (vertex[..., 1] + side * vertex[..., 2])
    else:
        size = int(layout.offsets[level + 1] - layout.offsets[level])
        row = vertex[..., 0] * HASH_PRIMES[0]
        row = row ^ (vertex[..., 1] * HASH_PRIMES[1]) ^ (vertex[..., 2] * HASH_PRIMES[2])
        row = row & (size - 1)
    row = row + int(layout.offsets[level])
    part = torch.where(corner.bool(), fraction[:, None], 1 - fraction[:, None])  # [N, 8, 3]
    slope = torch.where(corner.bool(), 1.0, -1.0) * resolution  # [8, 3]
    inside = ((x > 0) & (x < 1)).to(x.dtype)[:, None]  # a clamped coordinate has no slope
    weight = part.prod(-1)
    d_weight = torch.stack(
        [slope[:, i] * part[..., (i + 1) % 3] * part[..., (i + 2) % 3] for i in range(3)], -1
    )
    return row, weight, d_weight * inside


def encode(x: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor) -> Tensor:
    """Features [N, L·F] of points ``x`` [N, 3] in [0, 1]³; level l is scaled by its weight and
    exactly 0 where that is 0."""
    out = []
    for level in range(layout.n_levels):
        row, weight, _ = _corners(x, layout, level)
        out.append((table[row] * weight[..., None]).sum(1) * level_weights[level])
    return torch.cat(out, -1)


def encode_backward(
    x: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    """Gradient [rows, F] by the table, from that by the features, ``grad`` [N, L·F]."""
    grad_table = torch.zeros_like(table)
    for level in range(layout.n_levels):
        row, weight, _ = _corners(x, layout, level)
        g = grad[:, level * layout.n_features : (level + 1) * layout.n_features]
        update = weight[..., None] * (g * level_weights[level])[:, None]
        grad_table.index_add_(0, row.reshape(-1), update.reshape(-1, layout.n_features))
    return grad_table


def encode_gradient(
    x: Tensor, v: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> Tensor:
    """Σ v · ∂features/∂x, [N, 3], for a covector ``v`` [N, L·F]."""
    out = torch.zeros_like(x)
    for level in range(layout.n_levels):
        row, _, d_weight = _corners(x, layout, level)
        vl = v[:, level * layout.n_features : (level + 1) * layout.n_features]
        along = (table[row] * vl[:, None]).sum(-1) * level_weights[level]  # [N, 8]
        out += (along[..., None] * d_weight).sum(1)
    return out


def encode_gradient_backward(
    x: Tensor, v: Tensor, grad: Tensor, table: Tensor, layout: GridLayout, level_weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of `encode_gradient` by ``v`` [N, L·F] and the table, from ``grad`` [N, 3]."""
    grad_v, grad_table = [], torch.zeros_like(table)
    for level in range(layout.n_levels):
        row, _, d_weight = _corners(x, layout, level)
        vl = v[:, level * layout.n_features : (level + 1) * layout.n_features]
        along = (d_weight * grad[:, None]).sum(-1) * level_weights[level]  # [N, 8]
        grad_v.append((table[row] * along[..., None]).sum(1))
        update = along[..., None] * vl[:, None]
        grad_table.index_add_(0, row.reshape(-1), update.reshape(-1, layout.n_features))
    return torch.cat(grad_v, -1), grad_table


def march(
    origins: Tensor, directions: Tensor, t_near: Tensor, t_far: Tensor, occupied: Tensor, dt: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Steps of length ``dt`` along each ray, kept where their middle lies in an occupied cell.

    Steps are laid from ``t_near`` [R] on a lattice of dt, up to ``t_far`` [R]; ``occupied``
    [G, G, G] bool over [-1, 1]³ (x first). Returns ``t_starts, t_ends`` [S] and
    ``ray_starts`` [R + 1], the packed range of each ray.
    """
    resolution = occupied.shape[0]
    n_steps = ((t_far - t_near) / dt).floor().clamp(min=0).long()
    most = int(n_steps.max()) if len(n_steps) else 0
    k = torch.arange(most, device=origins.device)
    t = t_near[:, None] + k * dt  # [R, K]
    middle = origins[:, None] + directions[:, None] * (t + 0.5 * dt)[..., None]
    cell = ((middle + 1) * (0.5 * resolution)).floor().long().clamp(0, resolution - 1)
    keep = occupied[cell[..., 0], cell[..., 1], cell[..., 2]] & (k < n_steps[:, None])
    keep &= (middle.abs() < 1).all(-1)
    ray_starts = torch.cat([keep.new_zeros(1, dtype=torch.long), keep.sum(1).cumsum(0)])
    t_starts = t[keep]
    return t_starts, t_starts + dt, ray_starts


def approach(
    origins: Tensor, directions: Tensor, t: Tensor, t_end: Tensor, distances: Tensor, near: float
) -> Tensor:
    """How far along each ray [R] the surface may come within ``near``, from ``t`` [R] on; at least
    ``t_end`` [R] where it does not before that.

    ``distances`` [G, G, G] are those at the middles of the cells over [-1, 1]³ (x first),
    interpolated between and held beyond the outermost. A step is 0.7 of the distance, since the
    lattice is no exact field, but not less than half of ``near``.
    """
    t = t.clone()
    walking = (t < t_end).nonzero()[:, 0]
    while len(walking):
        places = origins[walking] + directions[walking] * t[walking, None]
        distance = _between(distances, places)
        walking, distance = walking[distance >= near], distance[distance >= near]
        t[walking] += (0.7 * distance).clamp(min=0.5 * near)
        walking = walking[t[walking] < t_end[walking]]
    return t


def march_near(
    origins: Tensor,
    directions: Tensor,
    t_near: Tensor,
    t_far: Tensor,
    distances: Tensor,
    dt: float,
    band: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """As `march`, but kept where the lattice ``distances`` (see `approach`) is within ``band`` of
    the surface, up to the first step deeper inside than that, which is kept only where the ray
    begins with it. Further returns whether that ended the ray, bool [R].

    Steps outside may be skipped that could be within reach only if the lattice changed by more
    than 1 / 0.7 per unit."""
    n_steps = ((t_far - t_near) / dt).floor().clamp(min=0).long()
    most = int(n_steps.max()) if len(n_steps) else 0
    k = torch.arange(most, device=origins.device)
    t = t_near[:, None] + k * dt  # [R, K]
    middle = origins[:, None] + directions[:, None] * (t + 0.5 * dt)[..., None]
    distance = _between(distances, middle.view(-1, 3)).view(len(t), most)
    on_ray = k < n_steps[:, None]
    inside = (distance < -band) & on_ray
    before_inside = inside.cumsum(1) == 0
    keep = on_ray & before_inside & (distance < band)
    if most:
        keep[:, 0] |= inside[:, 0]
    ray_starts = torch.cat([keep.new_zeros(1, dtype=torch.long), keep.sum(1).cumsum(0)])
    t_starts = t[keep]
    return t_starts, t_starts + dt, ray_starts, inside.any(1)


def _between(values: Tensor, places: Tensor) -> Tensor:
    """[N] of the values at the middles of cells over [-1, 1]³, interpolated at ``places`` [N, 3]"""
    resolution = values.shape[0]
    scaled = ((places + 1) * (0.5 * resolution) - 0.5).clamp(0, resolution - 1)
    cell = scaled.floor().clamp(max=resolution - 2)
    part, cell = scaled - cell, cell.long()
    total = torch.zeros_like(places[:, 0])
    for corner in range(8):
        bits = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2 & 1], device=places.device)
        at = cell + bits
        weight = torch.where(bits.bool(), part, 1 - part).prod(-1)
        total += weight * values[at[:, 0], at[:, 1], at[:, 2]]
    return total


def neus_weights(
    sdf: Tensor, t_starts: Tensor, t_ends: Tensor, ray_starts: Tensor, inv_s: float, ratio: float
) -> Tensor:
    """Rendering weights [S] without gradients, from the SDF at the middle of each step only.

    The slope along the ray comes from neighbouring samples (Wang et al. 2021, NeuS, section 3.2,
    up-sampling); ``ratio`` is the cosine annealing of the alphas proper.
    """
    weights = torch.zeros_like(sdf)
    middle = 0.5 * (t_starts + t_ends)
    for ray in range(len(ray_starts) - 1):
        a, b = int(ray_starts[ray]), int(ray_starts[ray + 1])
        transmittance = 1.0
        for i in range(a, b):
            slope = -1.0
            if b - a > 1:
                low, high = max(i - 1, a), min(i + 1, b - 1)
                slope = float((sdf[high] - sdf[low]) / (middle[high] - middle[low]))
            slope = min(max(slope, -1.0), 1.0)
            cos = -(max(0.5 - 0.5 * slope, 0.0) * (1 - ratio) + max(-slope, 0.0) * ratio)
            half = 0.5 * cos * float(t_ends[i] - t_starts[i])
            before = torch.sigmoid((sdf[i] - half) * inv_s)
            after = torch.sigmoid((sdf[i] + half) * inv_s)
            alpha = float(((before - after + 1e-5) / (before + 1e-5)).clamp(0, 1))
            weights[i] = alpha * transmittance
            transmittance *= 1 - alpha
    return weights


def composite(alphas: Tensor, values: Tensor, ray_starts: Tensor) -> tuple[Tensor, Tensor]:
    """Front-to-back compositing: weights [S] = T·alpha and Σ weight·value, [R, C]."""
    weights = torch.zeros_like(alphas)
    out = values.new_zeros(len(ray_starts) - 1, values.shape[1])
    for ray in range(len(ray_starts) - 1):
        a, b = int(ray_starts[ray]), int(ray_starts[ray + 1])
        if a == b:
            continue
        through = torch.cumprod(1 - alphas[a:b], 0)
        transmittance = torch.cat([through.new_ones(1), through[:-1]])
        weights[a:b] = transmittance * alphas[a:b]
        out[ray] = (weights[a:b, None] * values[a:b]).sum(0)
    return weights, out


def composite_backward(
    alphas: Tensor,
    values: Tensor,
    weights: Tensor,
    ray_starts: Tensor,
    grad_weights: Tensor,
    grad_out: Tensor,
) -> tuple[Tensor, Tensor]:
    """Gradients by alphas [S] and values [S, C] of both results of `composite`."""
    grad_alphas, grad_values = torch.zeros_like(alphas), torch.zeros_like(values)
    for ray in range(len(ray_starts) - 1):
        a, b = int(ray_starts[ray]), int(ray_starts[ray + 1])
        if a == b:
            continue
        grad_values[a:b] = weights[a:b, None] * grad_out[ray]
        g = grad_weights[a:b] + values[a:b] @ grad_out[ray]  # by each weight
        keep = 1 - alphas[a:b]
        transmittance = torch.cat([keep.new_ones(1), torch.cumprod(keep, 0)[:-1]])
        behind = torch.zeros_like(g)  # Σ over later samples of g·w, without this one's (1 - alpha)
        run = torch.zeros((), dtype=g.dtype, device=g.device)
        for i in range(b - a - 1, -1, -1):
            behind[i] = run
            run = g[i] * alphas[a + i] + keep[i] * run
        grad_alphas[a:b] = transmittance * (g - behind)
    return grad_alphas, grad_values
