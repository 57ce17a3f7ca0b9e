"""Laws of every schedule, for any sound set of settings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.run import TrainConfig
from core.training import schedule
from tests.core.strategies import floats, log_floats

PROGRESS = np.linspace(0, 1, 101)


@st.composite
def settings(draw: st.DrawFn) -> TrainConfig:
    """Thresholds in their order; rates, weights and levels of any size."""
    warm, density, levels_from, levels_until = sorted(draw(floats(0, 0.9)) for _ in range(4))
    return TrainConfig(
        warm_up_until=warm * 0.5,
        density_until=draw(st.sampled_from([0.0, density])),
        density_decay=draw(floats(1, 30)),
        density_levels=draw(st.integers(1, 16)),
        initial_levels=draw(st.integers(1, 16)),
        levels_from=levels_from,
        levels_until=levels_until,
        cos_anneal_until=draw(floats(0, 1)),
        initial_inv_s=draw(log_floats(5, 100)),
        final_inv_s=draw(log_floats(100, 3000)),
        lambda_curvature=draw(floats(0, 3)),
        curvature_until=density + draw(floats(0, 0.1)),
        lambda_points=draw(floats(0, 3)),
        points_until=draw(floats(0, 1)),
        decay_total=draw(floats(1, 100)),
        decay_at=draw(st.sampled_from([(), (0.5,), (0.6, 0.8)])),
        decay_factor=draw(floats(1, 20)),
        sdf_lr_scale=draw(floats(0.05, 1)),
        sdf_lr_decay=draw(floats(1, 10)),
        transmittance=draw(st.sampled_from([(0.5, 0.9), (0.2, 0.5), (0.4, 0.95)])),
        transmittance_until=draw(floats(0.01, 1)),
    )


def rising(values: np.ndarray) -> bool:
    """Whether no value is less than the one before, but for rounding."""
    return bool((np.diff(values) >= -1e-9 * np.abs(values).max(initial=0)).all())


@given(floats(0, 1), floats(0, 1), floats(0, 1), floats(0, 1))
def test_a_ramp_rises_from_0_to_1(p, q, a, b):
    (low, high), (start, end) = sorted((p, q)), sorted((a, b))
    values = [schedule.ramp(x, start, end) for x in (low, high)]
    assert 0 <= values[0] <= values[1] <= 1
    assert schedule.ramp(end, start, end) == 1
    assert start == end or schedule.ramp(start, start, end) == 0


@given(settings(), st.integers(1, 20))
def test_levels_open_from_the_first_to_the_last_and_never_close(train, n_levels):
    for function, first in (
        (schedule.active_levels, train.initial_levels),
        (schedule.radiance_levels, train.density_levels),
    ):
        levels = np.array([function(train, n_levels, p) for p in PROGRESS])
        assert rising(levels)
        assert levels[0] == min(first, n_levels) or train.levels_until == 0
        assert levels[-1] == n_levels
        assert ((levels >= 1) & (levels <= n_levels)).all()


@given(settings())
def test_sharpness_and_annealing_rise_to_their_ends(train):
    inv_s = np.array([schedule.inv_s(train, p) for p in PROGRESS])
    assert rising(inv_s)
    assert inv_s[-1] == pytest.approx(train.final_inv_s)
    np.testing.assert_allclose(inv_s[train.density_until >= PROGRESS][1:], train.initial_inv_s)
    ratio = np.array([schedule.cos_anneal_ratio(train, p) for p in PROGRESS])
    assert rising(ratio)
    assert ((ratio >= 0) & (ratio <= 1)).all()
    assert ratio[-1] == 1


@given(settings())
def test_rates_are_positive_factors_that_fall_once_a_stage_is_warm(train):
    rate = np.array([schedule.learning_rate(train, p) for p in PROGRESS])
    assert ((rate > 0) & (rate <= 1)).all()
    began = train.density_until + train.warm_up_until
    for stage in (
        (train.warm_up_until <= PROGRESS) & (train.density_until > PROGRESS),
        max(began, train.density_until) <= PROGRESS,
    ):
        assert rising(-rate[stage])
    surface = np.array([schedule.sdf_lr_scale(train, p) for p in PROGRESS])
    assert rising(-surface)
    assert surface[-1] == pytest.approx(train.sdf_lr_scale / train.sdf_lr_decay)


@given(settings(), floats(0.01, 1))
def test_weights_of_losses_begin_and_end_as_named(train, shrink):
    curvature = np.array([schedule.curvature_weight(train, p, shrink) for p in PROGRESS])
    assert rising(curvature)
    assert curvature[-1] == pytest.approx(train.lambda_curvature * shrink)
    points = np.array([schedule.points_weight(train, p) for p in PROGRESS])
    assert rising(-points)
    assert points[-1] == 0
    assert points[0] in (0, train.lambda_points)
    passes = np.array([schedule.transmittance(train, p) for p in PROGRESS])
    assert rising(passes)
    assert passes[[0, -1]] == pytest.approx(train.transmittance)
