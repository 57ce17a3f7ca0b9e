"""Arrays of the wrong shape are refused by name, before they do harm."""

import numpy as np
import pytest
import torch

from core.base.shapes import check_shapes


def test_shapes_that_fit_pass():
    rays = np.zeros((5, 3))
    check_shapes(origins=(rays, "R 3"), directions=(torch.zeros(5, 3), "R 3"), image=(rays, "H W"))
    check_shapes(batch=(np.zeros((2, 4, 3)), "... 3"), flat=(np.zeros(3), "... 3"))


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((5, 4), "R 3"), ((5,), "R 3"), ((5, 3, 1), "R 3"), ((4,), "... 3"), ((), "... 3")],
)
def test_others_are_refused_by_name(shape, wanted):
    with pytest.raises(ValueError, match="points has shape"):
        check_shapes(points=(np.zeros(shape), wanted))


def test_a_letter_is_one_length_everywhere():
    message = r"directions has shape \[4, 3\], and \[R, 3\] is wanted, where R = 5"
    with pytest.raises(ValueError, match=message):
        check_shapes(origins=(np.zeros((5, 3)), "R 3"), directions=(np.zeros((4, 3)), "R 3"))
