import numpy as np

from core.output.contact_sheet import GAP, TEXT, contact_sheet


def plain(height, width, color):
    return np.full((height, width, 3), color, np.float32)


def test_each_picture_stands_in_its_cell_under_its_title():
    red, green, blue, gray = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0.5)
    rows = [
        [plain(50, 100, red), plain(50, 100, green)],
        [plain(200, 400, blue), (plain(200, 400, gray) * 255).astype(np.uint8)],
    ]
    sheet = contact_sheet(rows, ["photo", "mesh"], ["a.jpg", "b.jpg"], max_side=100)
    assert sheet.shape == (TEXT + 2 * GAP + 2 * (50 + GAP + TEXT + GAP), 200 + 3 * GAP, 3)
    first, second = TEXT + 2 * GAP + 25, TEXT + 2 * GAP + 25 + 50 + 2 * GAP + TEXT
    left, right = GAP + 50, 2 * GAP + 150
    np.testing.assert_array_equal(sheet[first, left], [255, 0, 0])
    np.testing.assert_array_equal(sheet[first, right], [0, 255, 0])
    np.testing.assert_array_equal(sheet[second, left], [0, 0, 255])
    np.testing.assert_allclose(sheet[second, right], 127, atol=1)
    # Titles are written above both columns, names below both rows.
    for part in (sheet[: TEXT + GAP, :108], sheet[: TEXT + GAP, 108:], sheet[-TEXT - GAP :, :108]):
        assert part.min() < 100


def test_upright_and_wide_pictures_share_a_sheet():
    rows = [[plain(100, 50, 0), plain(50, 100, 0)]]
    sheet = contact_sheet(rows, ["a", "b"], max_side=100)
    assert sheet.shape[:2] == (TEXT + 2 * GAP + 100 + GAP, 50 + 100 + 3 * GAP)
