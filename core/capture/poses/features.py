"""SIFT features: cameras are entered into the database, and features found in each photo.

Part of the solving process (`process`).
"""

# pyright: reportUnknownMemberType=false
# pycolmap is partly typed.

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
"""Memory that finding the features of one photo takes at most. Measured, at 4:3: 0.38 GB where 1400
pixels are the longer side, 0.25 GB where 1000 are; a square photo takes a third more."""
CAMERA_MODEL = "SIMPLE_RADIAL"
"""pycolmap's camera model that mapping starts with."""
_MIN_BATCH = 4
"""Photos between two reports of progress, at least."""


def find_features(
    database: Path,
    photos: Path,
    copies: list[WorkingCopy],
    sift: dict[str, Any],
    progress: ProgressEstimator,
) -> set[frozenset[str]]:
    """Find SIFT features; photos that were taken alike share a camera.

    Args:
        database: is created; features and matches of the database there before are reused.
        photos: the folder of the working copies.
        copies: the working copies.
        sift: pycolmap's SiftExtractionOptions.
        progress: of the phase "features".

    Returns:
        The pairs of copies whose matches are known already.
    """
    import pycolmap

    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = _num_threads()
    options.sift.mergedict(sift)
    before = set_aside(database)
    pycolmap.Database.open(str(database)).close()  # creates it
    groups = [(group, _reader_options(group[0])) for group in group_by_camera(copies)]
    for group, reader in groups:
        # Entered first: else the threads of the extraction number the photos as they finish, and
        # a seed would not repeat the poses.
        pycolmap.import_images(
            str(database),
            str(photos),
            camera_mode=pycolmap.CameraMode.SINGLE,
            image_names=[c.copy for c in group],
            options=reader,
        )
    known, pairs = copy_features(before, database)
    progress.expect(features=len(copies) - len(known))
    done = 0
    for group, reader in groups:
        for batch in batches(
            [c.copy for c in group if c.copy not in known],
            max(_MIN_BATCH, options.num_threads),
        ):
            progress.update(
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
                image_names=batch,
                camera_mode=pycolmap.CameraMode.SINGLE,
                reader_options=reader,
                extraction_options=options,
                device=pycolmap.Device.cpu,
            )
            done += len(batch)
    progress.finish("features")
    return pairs


def _num_threads() -> int:
    """Return as many as may run and fit into memory."""
    fitting = psutil.virtual_memory().available // _BYTES_PER_THREAD
    return min(usable_cores(), max(1, fitting))


def group_by_camera(copies: list[WorkingCopy]) -> list[list[WorkingCopy]]:
    """Group the copies that were taken through the same optics, so that one lens fits them all."""
    groups: dict[tuple[Any, ...], list[WorkingCopy]] = {}
    for copy in copies:
        groups.setdefault((copy.size, copy.focal, copy.camera), []).append(copy)
    return list(groups.values())


def _reader_options(copy: WorkingCopy) -> Any:
    """Return pycolmap's ImageReaderOptions of ``copy`` and those that share its camera."""
    import pycolmap

    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = CAMERA_MODEL
    width, height = copy.copy_size
    if copy.focal is not None:
        reader.camera_params = f"{copy.focal},{width / 2},{height / 2},0"
    return reader


def with_lens(database: Path, target: Path, camera_model: str, focal: float, seed: int) -> None:
    """Copy a database, with other cameras.

    Args:
        database: holds features and matches.
        target: the copy.
        camera_model: pycolmap's name of it.
        focal: initial focal length over the longer side.
        seed: of the geometric verification.
    """
    import pycolmap

    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    with open_database(target) as content:
        for old in content.read_all_cameras():
            new = pycolmap.Camera.create_from_model_name(
                old.camera_id,
                camera_model,
                focal * max(old.width, old.height),
                old.width,
                old.height,
            )
            new.has_prior_focal_length = camera_model != CAMERA_MODEL
            content.update_camera(new)
        if camera_model == CAMERA_MODEL:
            return
        content.clear_two_view_geometries()  # they hold for a lens without much distortion only
    checking = pycolmap.TwoViewGeometryOptions()
    checking.ransac.random_seed = seed
    verifier = pycolmap.GeometricVerifierOptions()
    verifier.num_threads = usable_cores()
    pycolmap.geometric_verification(str(target), verifier, two_view_geometry_options=checking)
