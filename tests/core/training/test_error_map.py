"""Rays that are drawn where the colours are wrong."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.training.error_map import ERROR_UPDATE_RATE, MAX_CELLS, MIN_CELL, ErrorMap
from core.training.ray_source import RaySource
from tests.core.shaded_ball import CPU, SIZE, ball_store

SIZES = ((13, 9), (8, 16), (30, 17), (3, 2))  # no multiples of a cell, but one


def photos(sizes=SIZES):
    """What the error map asks of a store: photos (width, height), one after the other."""
    widths, heights = (np.array(a, np.int32) for a in zip(*sizes))
    offsets = np.concatenate([[0], np.cumsum(widths * heights)[:-1]]).astype(np.int64)
    return SimpleNamespace(widths=widths, heights=heights, offsets=offsets)


def pixels(store):
    """Photo, u, v [N] of every pixel, in the order of the store."""
    parts = []
    for i, (width, height) in enumerate(zip(store.widths, store.heights)):
        v, u = np.mgrid[0:height, 0:width]
        parts.append(np.stack([np.full(u.size, i), u.ravel(), v.ravel()]))
    return np.concatenate(parts, axis=1)


def test_every_pixel_has_a_cell_that_it_shares_with_its_neighbours_alone():
    store = photos()
    errors = ErrorMap(store)
    photo, u, v = pixels(store)
    cells = errors.cells(photo, u, v)
    assert len(errors.errors) == 2 * 2 + 1 * 2 + 4 * 3 + 1
    assert set(cells) == set(range(len(errors.errors)))
    for cell in range(len(errors.errors)):
        mine = cells == cell
        assert len(set(photo[mine])) == 1
        for along in (u[mine], v[mine]):
            assert np.ptp(along) < MIN_CELL
            assert along.min() % MIN_CELL == 0


def test_many_pixels_share_larger_cells():
    large = ErrorMap(photos(((4000, 3000),) * 50))
    assert large.cell > MIN_CELL
    assert 0.9 * MAX_CELLS < len(large.errors) < 1.1 * MAX_CELLS


def test_a_cell_that_alone_is_wrong_gets_every_ray_at_the_edges_too():
    store = photos()
    errors = ErrorMap(store)
    cells = errors.cells(*pixels(store))
    random = np.random.default_rng(0)
    for cell in range(len(errors.errors)):
        errors.errors[:] = 0
        errors.errors[cell] = 0.3
        drawn = errors.sample_pixels(2000, random)
        assert set(cells[drawn]) == {cell}
        assert set(drawn) == set(np.flatnonzero(cells == cell)), "every pixel of it is drawn"


def test_cells_are_drawn_in_proportion_to_their_errors():
    store = photos(((40, 24), (16, 16)))
    errors = ErrorMap(store)
    random = np.random.default_rng(1)
    errors.errors[:] = random.random(len(errors.errors)) + 0.1
    n = 40_000
    cells = errors.cells(*pixels(store))[errors.sample_pixels(n, random)]
    found = np.bincount(cells, minlength=len(errors.errors))
    wanted = n * errors.errors / errors.errors.sum()
    freedom = len(wanted) - 1
    chi_square = ((found - wanted) ** 2 / wanted).sum()
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom)


def test_pixels_of_a_whole_cell_are_drawn_alike():
    errors = ErrorMap(photos(((8, 8),)))
    found = np.bincount(errors.sample_pixels(64_000, np.random.default_rng(2)), minlength=64)
    assert ((found - 1000) ** 2 / 1000).sum() < 63 + 4 * np.sqrt(2 * 63)


def test_learning_moves_an_error_towards_the_new_one():
    errors = ErrorMap(photos())
    assert (errors.errors == 1).all(), "before any ray every cell may be wrong"
    for _ in range(3):
        errors.update(np.array([2, 5]), np.array([0.0, 0.5]))
    left = (1 - ERROR_UPDATE_RATE) ** 3
    assert errors.errors[[2, 5]].tolist() == pytest.approx([left, 0.5 + 0.5 * left])
    assert (np.delete(errors.errors, [2, 5]) == 1).all()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as made:
        yield made


def test_a_share_of_the_rays_goes_where_the_colours_are_wrong(store):
    source = RaySource(store, CPU, seed=3)
    source.error_map.errors[:] = 0
    wrong = int(source.error_map.cells(*(np.array([a]) for a in (5, SIZE - 1, 0)))[0])
    source.error_map.errors[wrong] = 1
    batch = source.sample(4000, error_fraction=0.7)
    fair = batch.fair.numpy()
    assert fair.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 4000))
    assert (batch.cells[~fair] == wrong).all()
    assert batch.rays.photo is not None
    assert (batch.rays.photo.numpy()[~fair] == 5).all()
    # by chance one in 8 photos · 36 cells
    assert (batch.cells[fair] == wrong).mean() < 0.02


def test_fair_rays_ask_nothing_of_the_errors(store):
    plain, other = RaySource(store, CPU, seed=4), RaySource(store, CPU, seed=4)
    other.error_map.errors[7] = 100
    batches = [source.sample(500) for source in (plain, other)]
    assert all(batch.fair.all() for batch in batches)
    assert batches[0].rays.directions.equal(batches[1].rays.directions)
