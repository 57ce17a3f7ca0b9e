"""Every schedule as a pure function of progress in [0, 1]: a run of three minutes and one of
three hours are the same curves stretched."""

from __future__ import annotations

from core.config.run import TrainConfig


def ramp(progress: float, start: float, end: float) -> float:
    """0 before ``start``, 1 after ``end``, straight in between."""
    if end <= start:
        return float(progress >= start)
    return min(max((progress - start) / (end - start), 0.0), 1.0)


def learning_rate(train: TrainConfig, progress: float) -> float:
    """Factor on the base rate. Each stage begins with a linear warm-up, for the first steps of a
    fresh Adam are as long as its rate and would shake what was just fitted. The topology warm-up
    goes on at the full rate, since a falling one leaves fog in hollows, but a density that is the
    end of it falls by `density_decay`; the surface's then falls, in steps (`decay_at`) or
    exponentially."""
    began = train.density_until if progress >= train.density_until else 0.0
    full = began + train.warm_up_until
    warm = max(ramp(progress, began, full), 0.01)
    if progress < train.density_until:
        return warm * train.density_decay ** -ramp(progress, full, train.density_until)
    if train.decay_at:
        return warm / train.decay_factor ** sum(progress >= at for at in train.decay_at)
    return warm * train.decay_total ** -ramp(progress, full, 1.0)


def sdf_lr_scale(train: TrainConfig, progress: float) -> float:
    """Fraction of the rate that an SDF made of a density learns at: what it starts from is nearly
    right and must not be shaken, and what it ends with must not be rough from the last steps."""
    return train.sdf_lr_scale * train.sdf_lr_decay ** -ramp(progress, train.density_until, 1.0)


def active_levels(train: TrainConfig, n_levels: int, progress: float) -> float:
    """Fractional number of hash levels in use: the initial ones through the topology warm-up,
    then one after the other until all are there."""
    first = min(train.initial_levels, n_levels)
    return first + (n_levels - first) * ramp(progress, train.levels_from, train.levels_until)


def cos_anneal_ratio(train: TrainConfig, progress: float) -> float:
    """0 → 1: how far the true cosine has replaced the softened one (NeuS)."""
    return ramp(progress, 0.0, train.cos_anneal_until)


def inv_s(train: TrainConfig, progress: float) -> float:
    """The sharpness curve: constant through the topology warm-up, then geometric."""
    share = ramp(progress, train.density_until, 1.0)
    return train.initial_inv_s * (train.final_inv_s / train.initial_inv_s) ** share


def radiance_levels(train: TrainConfig, n_levels: int, progress: float) -> float:
    """Fractional number of levels of the radiance field: few at first, and where a surface is made
    of it as long as it is the scene's density; all of them once the surface has its own."""
    first = min(train.density_levels, n_levels)
    return first + (n_levels - first) * ramp(progress, train.levels_from, train.levels_until)


def curvature_weight(train: TrainConfig, progress: float, shrink: float) -> float:
    """Linear warm-up, so that the topology is settled before it is smoothed; then divided by the
    growth per opened level: ``shrink`` is the present finite-difference step over the first one
    (Neuralangelo, section 3.3 and its published code)."""
    warm = ramp(progress, train.density_until, train.curvature_until)
    return train.lambda_curvature * warm * shrink


def transmittance(train: TrainConfig, progress: float) -> float:
    """The share of light that a picture of a sentence's scene is to let through: what may be opaque
    shrinks geometrically (Jain et al. 2022), since fields that are empty too soon stay so."""
    first, last = 1 - train.transmittance[0], 1 - train.transmittance[1]
    return 1 - first * (last / first) ** ramp(progress, 0.0, train.transmittance_until)


def points_weight(train: TrainConfig, progress: float) -> float:
    """Structure-from-motion points guide the start and have no say at the end."""
    return train.lambda_points * (1 - ramp(progress, 0.5 * train.points_until, train.points_until))
