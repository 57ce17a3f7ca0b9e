"""What the photos show: cameras are entered into the database, and details found in each photo.

Part of the solving process (`process`).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

from core.base.cores import usable_cores
from core.base.text import text
from core.capture.poses.database import copy_features, open_database, set_aside
from core.capture.poses.progress_estimate import ProgressEstimator, batches
from core.capture.poses.working_copies import WorkingCopy

_BYTES_PER_THREAD = 1 << 29
"""That finding the features of one photo takes at most. Measured, at 4:3: 0.38 GB where 1400 pixels
are the longer side, 0.25 GB where 1000 are; a square photo takes a third more."""
LENS = "SIMPLE_RADIAL"
_PHOTOS_PER_LOT = 4


def find_features(
    database: Path,
    photos: Path,
    copies: list[WorkingCopy],
    sift: dict[str, Any],
    clock: ProgressEstimator,
) -> set[frozenset[str]]:
    """SIFT features, by pycolmap's options ``sift``. Photos that were taken alike share a camera.
    Returns the pairs of copies that were compared before."""
    import pycolmap

    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = _threads()
    options.sift.mergedict(sift)
    before = set_aside(database)
    pycolmap.Database.open(str(database)).close()  # creates it
    groups = [(group, _reader(group[0])) for group in cameras(copies)]
    for group, reader in groups:
        # entered first: else the threads of the extraction number the photos as they finish, and
        # a seed would not repeat the poses
        pycolmap.import_images(
            str(database),
            str(photos),
            camera_mode=pycolmap.CameraMode.SINGLE,
            image_names=[c.copy for c in group],
            options=reader,
        )
    known, pairs = copy_features(before, database)
    clock.expect(features=len(copies) - len(known))
    done = 0
    for group, reader in groups:
        for lot in batches(
            [c.copy for c in group if c.copy not in known],
            max(_PHOTOS_PER_LOT, options.num_threads),
        ):
            clock.update(
                "features",
                done,
                len(copies) - len(known),
                text(
                    "finding features in photo {i} of {n}", i=len(known) + done + 1, n=len(copies)
                ),
            )
            pycolmap.extract_features(
                str(database),
                str(photos),
                image_names=lot,
                camera_mode=pycolmap.CameraMode.SINGLE,
                reader_options=reader,
                extraction_options=options,
                device=pycolmap.Device.cpu,
            )
            done += len(lot)
    clock.finish("features")
    return pairs


def _threads() -> int:
    """As many as may run and as the memory has room for."""
    fitting = psutil.virtual_memory().available // _BYTES_PER_THREAD
    return min(usable_cores(), max(1, fitting))


def cameras(copies: list[WorkingCopy]) -> list[list[WorkingCopy]]:
    """Those that were taken alike, so that one lens fits them all."""
    groups: dict[tuple[Any, ...], list[WorkingCopy]] = {}
    for copy in copies:
        groups.setdefault((copy.size, copy.focal, copy.camera), []).append(copy)
    return list(groups.values())


def _reader(copy: WorkingCopy) -> Any:
    """How pycolmap is to enter ``copy`` and those that share its camera."""
    import pycolmap

    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = LENS
    width, height = copy.copy_size
    if copy.focal is not None:
        reader.camera_params = f"{copy.focal},{width / 2},{height / 2},0"
    return reader


def with_lens(database: Path, target: Path, lens: str, focal: float, seed: int) -> None:
    """``target`` becomes what ``database`` is, but with cameras of the pycolmap model ``lens``,
    which start at a focal length of ``focal`` times the longer side."""
    import pycolmap

    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    with open_database(target) as content:
        for old in content.read_all_cameras():
            new = pycolmap.Camera.create_from_model_name(
                old.camera_id, lens, focal * max(old.width, old.height), old.width, old.height
            )
            new.has_prior_focal_length = lens != LENS
            content.update_camera(new)
        if lens == LENS:
            return
        content.clear_two_view_geometries()  # they hold for a lens without much distortion only
    checking = pycolmap.TwoViewGeometryOptions()
    checking.ransac.random_seed = seed
    verifier = pycolmap.GeometricVerifierOptions()
    verifier.num_threads = usable_cores()
    pycolmap.geometric_verification(str(target), verifier, two_view_geometry_options=checking)
