"""Which pairs of photos are matched."""

import numpy as np

from core.capture.poses.matching import choose_pairs, promising_pairs


def nothing_similar():
    raise AssertionError("few photos are all compared")


def test_pairs_that_share_large_features_and_neighbours_are_compared_thoroughly():
    candidates = choose_pairs(40, nothing_similar)
    shared = dict.fromkeys(candidates, 3) | {(0, 20): 50, (5, 35): 20}
    near = {(i, j) for i, j in candidates if j - i <= 2}
    assert set(promising_pairs(candidates, shared, 16)) == near | {(0, 20), (5, 35)}
    everything = promising_pairs(candidates, dict.fromkeys(candidates, 100), 16)
    assert len(everything) < len(candidates)
    assert {i for pair in everything for i in pair} == set(range(40))


def test_pairs_are_all_while_few_else_neighbours_and_those_that_look_alike():
    assert len(choose_pairs(20, nothing_similar)) == 20 * 19 / 2
    n = 1000
    alike = np.stack([np.arange(n)[::-1]] * 2, 1)
    pairs = choose_pairs(n, lambda: alike)
    assert len(pairs) < 10 * n
    assert {(i, i + 1) for i in range(n - 1)} <= set(pairs)
    assert all(i < j for i, j in pairs)
    assert {(0, 999), (400, 599)} <= set(pairs)
