"""Backgrounds are colours, and never twice the same."""

import torch

from core.rendering import backgrounds
from core.rendering.backgrounds import N_SQUARES, TEXTURES, random_backgrounds

CPU = torch.device("cpu")


def test_backgrounds_are_colours_and_all_different():
    torch.manual_seed(0)
    made = random_backgrounds(24, 20, CPU)
    assert made.shape == (24, 3, 20, 20)
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1
    apart = torch.cdist(made.flatten(1), made.flatten(1)) + torch.eye(24)
    assert float(apart.min()) > 0.1


def test_each_kind_comes_up(monkeypatch):
    seen = []
    named = [
        lambda side, device, kind=kind: seen.append(kind) or kind(side, device) for kind in TEXTURES
    ]
    monkeypatch.setattr(backgrounds, "TEXTURES", named)
    torch.manual_seed(0)
    random_backgrounds(40, 8, CPU)
    assert set(seen) == set(TEXTURES)


def test_a_checkerboard_has_two_colours_that_change_at_each_square():
    torch.manual_seed(0)
    board = backgrounds._checkerboard(4 * N_SQUARES, CPU)
    inner = board[:, 2::4, 2::4]
    assert len(torch.unique(board.flatten(1), dim=1).T) == 2
    assert (inner[:, 0, 1:] != inner[:, 0, :-1]).all()
    torch.testing.assert_close(inner[:, 1, 1:], inner[:, 0, :-1])


def test_a_blur_keeps_what_is_flat_and_evens_out_the_rest():
    torch.manual_seed(0)
    flat = torch.full((3, 16, 16), 0.3)
    torch.testing.assert_close(backgrounds._blurred(flat), flat)
    noise = torch.rand(3, 200, 200)
    after = backgrounds._blurred(noise)
    assert float(after.std()) < 0.5 * float(noise.std())
    torch.testing.assert_close(after.mean(), noise.mean(), atol=0.01, rtol=0)
