"""Every schedule as a pure function of progress in [0, 1]: a run of three minutes and one of
three hours are the same curves stretched."""

from __future__ import annotations

from core.config import TrainConfig


def ramp(progress: float, start: float, end: float) -> float:
    """0 before ``start``, 1 after ``end``, straight in between."""
    if end <= start:
        return float(progress >= start)
    return min(max((progress - start) / (end - start), 0.0), 1.0)


def learning_rate(train: TrainConfig, progress: float) -> float:
    """Factor on the base rate: linear warm-up, then steps (`decay_at`) or exponential decay."""
    warm = max(ramp(progress, 0.0, train.warm_up_until), 0.01)
    if train.decay_at:
        return warm / train.decay_factor ** sum(progress >= at for at in train.decay_at)
    return warm * train.decay_total ** -ramp(progress, train.warm_up_until, 1.0)


def active_levels(train: TrainConfig, n_levels: int, progress: float) -> float:
    """Fractional number of hash levels in use: the initial ones through the topology warm-up,
    then one after the other until all are there."""
    first = min(train.initial_levels, n_levels)
    return first + (n_levels - first) * ramp(progress, train.levels_from, train.levels_until)


def cos_anneal_ratio(train: TrainConfig, progress: float) -> float:
    """0 → 1: how far the true cosine has replaced the softened one (NeuS)."""
    return ramp(progress, 0.0, train.cos_anneal_until)


def view_dependence(train: TrainConfig, progress: float) -> float:
    """0 through the topology warm-up: while a place has one colour from all sides, a film across
    a hollow cannot imitate what moves behind it, so the hollow is carved; then up to 1."""
    return ramp(progress, train.view_from, train.view_until)


def inv_s(train: TrainConfig, progress: float) -> float:
    """The sharpness curve: constant in the full fog, geometric up to `settled_inv_s` while it
    fades, at which thin walls are opaque (else they would thicken into the hollows beside them),
    and on to `final_inv_s`."""
    settled = train.settled_inv_s if train.fog_until > 0 else train.initial_inv_s
    rise = ramp(progress, train.fog_until, train.fog_gone)
    share = ramp(progress, train.fog_gone, 1.0)
    start = train.initial_inv_s * (settled / train.initial_inv_s) ** rise
    return start * (train.final_inv_s / settled) ** share


def fog(train: TrainConfig, progress: float) -> float:
    """The topology warm-up: at first (1) the inside is rendered as fog that rays see into, as a
    radiance field would, because a surface that is opaque from the start closes hollows: nothing
    tells it what lies behind itself. The fog then fades, so that opacity never drops at once,
    which would swell the surface."""
    if train.fog_until <= 0:
        return 0.0
    return 1.0 - ramp(progress, train.fog_until, train.fog_gone)


def curvature_weight(train: TrainConfig, progress: float, shrink: float) -> float:
    """Linear warm-up, so that the topology is settled before it is smoothed; then divided by the
    growth per opened level: ``shrink`` is the present finite-difference step over the first one
    (Neuralangelo, section 3.3 and its published code)."""
    warm = ramp(progress, train.fog_until, train.curvature_until)
    return train.lambda_curvature * warm * shrink


def keeps_empty(train: TrainConfig, progress: float) -> bool:
    """Whether space that was empty at the end of the full fog is held empty."""
    return 0 < train.fog_until <= progress < train.empty_until


def firmness(train: TrainConfig, progress: float) -> float:
    """Factor on the eikonal and mask terms: low in the full fog, where density must be free to
    move along a ray and to give way; 1 from its end on."""
    return train.fog_freedom if progress < train.fog_until else 1.0


def points_weight(train: TrainConfig, progress: float) -> float:
    """Structure-from-motion points guide the start and have no say at the end."""
    return train.lambda_points * (1 - ramp(progress, 0.5 * train.points_until, train.points_until))
