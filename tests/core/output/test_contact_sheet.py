import numpy as np

from core.output.contact_sheet import GAP_PX, TEXT_PX, contact_sheet


def plain(height, width, color):
    return np.full((height, width, 3), color, np.float32)


def test_each_picture_stands_in_its_cell_under_its_title():
    red, green, blue, gray = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0.5)
    rows = [
        [plain(50, 100, red), plain(50, 100, green)],
        [plain(200, 400, blue), (plain(200, 400, gray) * 255).astype(np.uint8)],
    ]
    sheet = contact_sheet(rows, ["photo", "mesh"], ["a.jpg", "b.jpg"], max_side=100)
    assert sheet.shape == (
        TEXT_PX + 2 * GAP_PX + 2 * (50 + GAP_PX + TEXT_PX + GAP_PX),
        200 + 3 * GAP_PX,
        3,
    )
    first, second = TEXT_PX + 2 * GAP_PX + 25, TEXT_PX + 2 * GAP_PX + 25 + 50 + 2 * GAP_PX + TEXT_PX
    left, right = GAP_PX + 50, 2 * GAP_PX + 150
    np.testing.assert_array_equal(sheet[first, left], [255, 0, 0])
    np.testing.assert_array_equal(sheet[first, right], [0, 255, 0])
    np.testing.assert_array_equal(sheet[second, left], [0, 0, 255])
    np.testing.assert_allclose(sheet[second, right], 127, atol=1)
    # Titles are written above both columns, names below both rows.
    for part in (
        sheet[: TEXT_PX + GAP_PX, :108],
        sheet[: TEXT_PX + GAP_PX, 108:],
        sheet[-TEXT_PX - GAP_PX :, :108],
    ):
        assert part.min() < 100


def test_upright_and_wide_pictures_share_a_sheet():
    rows = [[plain(100, 50, 0), plain(50, 100, 0)]]
    sheet = contact_sheet(rows, ["a", "b"], max_side=100)
    assert sheet.shape[:2] == (TEXT_PX + 2 * GAP_PX + 100 + GAP_PX, 50 + 100 + 3 * GAP_PX)
