from dataclasses import replace

import numpy as np
import pytest
import torch

from core.config.run import TrainConfig
from core.training import losses, schedule
from core.training.presets import PRESETS

TRAIN = TrainConfig(
    warm_up_until=0.1,
    initial_levels=4,
    levels_from=0.2,
    levels_until=0.6,
    cos_anneal_until=0.1,
    initial_inv_s=20.0,
    final_inv_s=320.0,
    lambda_curvature=2.0,
    curvature_until=0.25,
    lambda_points=3.0,
    points_until=0.4,
    decay_total=16.0,
)
PROGRESS = np.linspace(0, 1, 101)


def curve(function):
    """Values over a run; asking twice gives the same."""
    values = [function(p) for p in PROGRESS]
    assert values == [function(p) for p in PROGRESS]
    return np.array(values)


def test_a_ramp():
    assert [schedule.ramp(p, 0.2, 0.6) for p in (0, 0.2, 0.4, 0.6, 1)] == pytest.approx(
        [0, 0, 0.5, 1, 1]
    )
    assert [schedule.ramp(p, 0.5, 0.5) for p in (0.4, 0.5, 1)] == [0, 1, 1]


def test_levels_open_one_after_the_other():
    levels = curve(lambda p: schedule.active_levels(TRAIN, 12, p))
    assert levels[0] == levels[20] == 4
    assert levels[40] == pytest.approx(8)
    assert levels[60] == levels[-1] == 12
    assert (np.diff(levels) >= 0).all()
    assert schedule.active_levels(TRAIN, 3, 0.0) == 3, "no more than there are"


def test_the_cosine_anneals():
    assert [schedule.cos_anneal_ratio(TRAIN, p) for p in (0, 0.05, 0.1, 1)] == [0, 0.5, 1, 1]


def test_sharpness_grows_by_equal_factors_to_its_end():
    inv_s = curve(lambda p: schedule.inv_s(TRAIN, p))
    assert inv_s[0] == 20
    assert inv_s[-1] == pytest.approx(320)
    assert (np.diff(inv_s) >= 0).all()
    late = inv_s[50:]
    np.testing.assert_allclose(late[1:] / late[:-1], (late[-1] / late[0]) ** (1 / 50))
    assert late[-1] / late[0] >= 4, "at least half of the way, in octaves, is in this half"


def test_the_learning_rate_warms_up_and_decays_smoothly():
    rate = curve(lambda p: schedule.learning_rate(TRAIN, p))
    assert 0 < rate[0] <= 0.01
    assert rate[5] == pytest.approx(0.5)
    assert rate[10] == pytest.approx(1)
    assert rate[55] == pytest.approx(1 / 4)
    assert rate[-1] == pytest.approx(1 / 16)
    assert (np.diff(rate[:11]) > 0).all()
    assert (np.diff(rate[10:]) < 0).all()


def test_the_rate_of_the_warm_up_stays_and_that_of_the_surface_begins_anew():
    train = replace(TRAIN, density_until=0.4)
    rates = [schedule.learning_rate(train, p) for p in (0.05, 0.1, 0.39, 0.4, 0.45, 0.5, 0.75, 1)]
    assert rates == pytest.approx([0.5, 1, 1, 0.01, 0.5, 1, 1 / 4, 1 / 16])


def test_the_learning_rate_falls_in_steps_where_they_are_named():
    train = replace(TRAIN, decay_at=(0.6, 0.8), decay_factor=10.0)
    rates = [schedule.learning_rate(train, p) for p in (0.05, 0.1, 0.59, 0.6, 0.79, 0.8, 1.0)]
    assert rates == pytest.approx([0.5, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_curvature_starts_at_nothing_and_shrinks_with_the_tap_distance():
    weights = curve(lambda p: schedule.curvature_weight(TRAIN, p, 1.0))
    assert weights[0] == 0
    assert 0 < weights[20] < 2
    assert weights[25] == weights[-1] == pytest.approx(2)
    assert (np.diff(weights) >= 0).all()
    assert schedule.curvature_weight(TRAIN, 1.0, 0.25) == pytest.approx(0.5)


def test_points_guide_the_start_alone():
    weights = curve(lambda p: schedule.points_weight(TRAIN, p))
    assert weights[0] == weights[20] == 3
    assert weights[30] == pytest.approx(1.5)
    assert (weights[40:] == 0).all()
    assert (np.diff(weights) <= 0).all()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_sound_curves(name):
    train, n_levels = PRESETS[name].train, PRESETS[name].field.n_levels
    levels = curve(lambda p: schedule.active_levels(train, n_levels, p))
    assert levels[-1] == n_levels
    assert (np.diff(levels) >= 0).all()
    assert schedule.cos_anneal_ratio(train, 1.0) == 1
    assert schedule.curvature_weight(train, 0.0, 1.0) == 0
    rate = curve(lambda p: schedule.learning_rate(train, p))
    assert (rate > 0).all()
    assert rate[-1] < rate.max()
    assert schedule.inv_s(train, 1.0) == pytest.approx(train.final_inv_s)


def test_a_warm_up_comes_before_the_curves_of_the_surface():
    train = replace(
        TRAIN,
        density_until=0.2,
        density_levels=3,
        initial_inv_s=50.0,
        final_inv_s=800.0,
        curvature_until=0.4,
    )
    at = (0, 0.2, 0.4, 0.6, 1)
    assert [schedule.radiance_levels(train, 11, p) for p in at] == pytest.approx([3, 3, 7, 11, 11])
    assert schedule.radiance_levels(train, 2, 0.0) == 2, "no more than there are"
    # 16 = 2⁴ times in all, a quarter of the way each 0.2
    assert [schedule.inv_s(train, p) for p in at] == pytest.approx([50, 50, 100, 200, 800])
    assert [schedule.curvature_weight(train, p, 1.0) for p in (0, 0.2, 0.3, 0.4, 1)] == (
        pytest.approx([0, 0, 1, 2, 2])
    )


def test_losses_by_hand():
    a, b = torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([[0.3, 0.5, 0.4]])
    assert float(losses.color_loss(a, b, "l1")) == pytest.approx(0.3)
    assert float(losses.color_loss(a, b, "l2")) == pytest.approx((0.09 + 0.36) / 3)
    # Huber: half the square below 0.1, a line above, times ten
    assert float(losses.color_loss(a, a + 0.04, "huber")) == pytest.approx(10 * 0.5 * 0.04**2)
    assert float(losses.color_loss(a, a + 0.5, "huber")) == pytest.approx(10 * 0.1 * 0.45)
    gradients = torch.tensor([[0.0, 0, 1], [2, 0, 0], [0, 0, 0]])
    assert float(losses.eikonal_loss(gradients)) == pytest.approx(2 / 3)
    assert float(losses.curvature_loss(torch.tensor([-2.0, 1.0]))) == pytest.approx(1.5)
    assert float(losses.points_loss(torch.tensor([-0.02, 0.04, 5.0]))) == pytest.approx(0.16 / 3)
    assert losses.psnr_of(torch.tensor(0.01)) == pytest.approx(20)


def test_points_that_were_seen_let_hardly_any_light_pass():
    """Through a step 1/80 long: at level 0 of 30 per unit, far outside all of it."""
    passed = float(losses.point_transmittance_loss(torch.tensor([0.0, 5.0])))
    assert passed == pytest.approx((np.exp(-30 / 80) + 1) / 2, rel=1e-5)


def test_the_sparsity_loss_is_the_mean_opacity_of_a_step():
    """At level 0 the density is 30 per unit, a step 1/80 long; far outside there is none."""
    levels = torch.tensor([0.0, 5.0])
    expected = (1 - np.exp(-30 / 80)) / 2
    assert float(losses.sparsity_loss(levels)) == pytest.approx(expected, rel=1e-5)


def test_the_mask_loss_is_a_cross_entropy_that_stays_finite():
    half = torch.tensor([0.5])
    assert float(losses.mask_loss(half, torch.ones(1))) == pytest.approx(np.log(2))
    wrong, right = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert float(losses.mask_loss(wrong, right)) == pytest.approx(-np.log(1e-3), rel=1e-3)
    assert float(losses.mask_loss(right, right)) < 2e-3
