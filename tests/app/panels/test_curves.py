"""Few ticks at round values, whatever is plotted."""

import math
import re
from itertools import pairwise

import pytest

from app.panels.curves import CURVE_TABS, axis_range, ticks
from app.text.catalog import tr_group
from core.protocol import TrainingStats
from tests.app.driver import ROOT


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (12.3, 29.8), (0.0, 1734.0), (-2.0, 3e6)])
def test_ticks_are_few_round_and_within(low, high):
    values = ticks(low, high, False)
    assert 2 <= len(values) <= 5
    steps = {round((b - a) / 10 ** math.floor(math.log10(b - a)), 6) for a, b in pairwise(values)}
    assert steps <= {1.0, 2.0, 5.0, 10.0}
    assert low <= values[0]
    assert values[-1] <= high * (1 + 1e-9)


def test_many_sizes_have_powers_of_ten():
    assert ticks(2e-5, 0.5, True) == [1e-4, 1e-3, 1e-2, 1e-1]
    assert 2 <= len(ticks(0.2, 0.8, True)) <= 5


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("values", [[], [0.3], [math.nan, 2.0], [1.0, 4.0]])
def test_limits_hold_all_and_are_never_empty(values, logarithmic):
    low, high = axis_range(values, logarithmic)
    assert low < high
    assert all(low <= v <= high for v in values if math.isfinite(v))


def stats(step, **losses):
    return TrainingStats(step, 0.0, 0.0, None, losses, 20.0, 10.0, 4.0, 8, 1.0, 1.0)


def test_terms_of_the_loss_are_lines_in_the_order_in_which_they_began():
    told = [stats(0, color=0.3, mask=0.1), stats(5, color=0.2, mask=0.0, eikonal=0.04)]
    lines = CURVE_TABS["loss"].lines(told)
    assert lines == {"color": [(0, 0.3), (5, 0.2)], "mask": [(0, 0.1)], "eikonal": [(5, 0.04)]}
    assert list(lines) == ["color", "mask", "eikonal"]
    many = {f"term{i}": 0.1 for i in range(20)}
    assert len(CURVE_TABS["loss"].lines([stats(0, **many)])) == CURVE_TABS["loss"].n


def test_each_term_of_the_loss_has_a_name():
    source = "".join(p.read_text() for p in (ROOT / "core" / "training").rglob("*.py"))
    terms = set(re.findall(r'terms\["(\w+)"\]', source))
    for literal in re.findall(r"terms = \{([^}]+)\}", source):
        terms |= set(re.findall(r'"(\w+)":', literal))
    assert {"sparsity", "eikonal", "sentence", "distortion"} <= terms
    assert terms <= set(tr_group("curves"))
