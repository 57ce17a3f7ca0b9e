"""Captures that cannot be used, each wrong in one way."""

import json
from pathlib import Path

from PIL import Image

from tests.core.captures import noise_photo
from tests.core.shaded_ball import shaded_ball


def _transforms(folder: Path, change) -> Path:
    file = shaded_ball(folder, n=4) / "transforms.json"
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    return folder


def _nan(data):
    data["frames"][2]["transform_matrix"][1][1] = float("nan")


def _singular(data):
    data["frames"][1]["transform_matrix"][0] = [0, 0, 0, 0]


def _no_lens(data):
    del data["fl_x"]


def _wrong_masks(folder: Path) -> Path:
    def add(data):
        Image.new("L", (10, 10), 255).save(folder / "mask.png")
        data["frames"][1]["mask_path"] = "mask.png"

    return _transforms(folder, add)


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def texts(folder: Path) -> Path:
    (empty(folder) / "notes.txt").write_text("no photo")
    return folder


def two(folder: Path) -> Path:
    for i in range(2):
        noise_photo(folder / f"{i}.png", i)
    return folder


def not_json(folder: Path) -> Path:
    (empty(folder) / "transforms.json").write_text("{ half")
    return folder


def _colmap_without_images(folder: Path) -> Path:
    model = empty(folder) / "sparse" / "0"
    model.mkdir(parents=True)
    (model / "cameras.txt").write_text("1 PINHOLE 80 60 70 70 40 30\n")
    (model / "images.txt").write_text("# no images\n")
    (model / "points3D.txt").write_text("")
    return folder


# how it is made; words of the complaint; the file it names, if not the capture itself
BAD = {
    "missing": (lambda f: f, "does not exist", ""),
    "empty": (empty, "is empty", ""),
    "texts": (texts, "holds no photos", ""),
    "two photos": (two, "only 2", ""),
    "not json": (not_json, "not valid JSON", "transforms.json"),
    "no intrinsics": (lambda f: _transforms(f, _no_lens), "lacks intrinsics", "transforms.json"),
    "nan": (lambda f: _transforms(f, _nan), "transform_matrix", "transforms.json"),
    "singular": (lambda f: _transforms(f, _singular), "transform_matrix", "transforms.json"),
    "masks": (_wrong_masks, "10x10", "mask.png"),
    "colmap": (_colmap_without_images, "has no photo with a pose", "sparse/0"),
}
