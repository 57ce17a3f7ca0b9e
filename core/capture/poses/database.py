"""COLMAP databases: opening them, and reusing what an earlier solution found of the same photos.

Part of the solving process (`process`). Working copies are named by their content, so that
equal names mean equal photos whatever else was added, removed or renamed.
"""

# pyright: reportUnknownMemberType=false
# pycolmap is partly typed.

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_FILE_SUFFIXES = ("", "-wal", "-shm")
"""Of a database and its journals (SQLite)."""


def open_database(database: Path) -> Any:
    """Open a pycolmap database, a context manager; nothing else may be writing to it."""
    import pycolmap

    return pycolmap.Database.open(str(database))


def set_aside(database: Path) -> Path:
    """Move ``database``, if it exists, out of the way of a new one; returns where it is now."""
    before = database.with_name(f"before_{database.name}")
    if database.exists():
        for suffix in _FILE_SUFFIXES:
            (before.parent / f"{before.name}{suffix}").unlink(missing_ok=True)
            journal = database.parent / f"{database.name}{suffix}"
            if journal.exists():
                journal.rename(before.parent / f"{before.name}{suffix}")
    return before


def matched_pairs(database: Path) -> list[tuple[int, int]]:
    """Return the pairs whose matches ``database`` holds, by pycolmap's image ids.

    These include pairs without any match, which pycolmap itself does not list.
    """
    import pycolmap

    with closing(sqlite3.connect(database)) as content:
        rows = content.execute("SELECT pair_id FROM matches ORDER BY pair_id").fetchall()
    return [pycolmap.pair_id_to_image_pair(pair_id) for (pair_id,) in rows]


def copy_features(before: Path, database: Path) -> tuple[set[str], set[frozenset[str]]]:
    """Copy features and matches of the same photos from another database.

    Args:
        before: the other database, which need not exist.
        database: holds the photos already.

    Returns:
        The names of the photos whose features are known now, and the pairs whose matches are.
    """
    if not before.exists():
        return set(), set()
    old_pairs = matched_pairs(before)
    with open_database(before) as old, open_database(database) as new:
        ids = {image.name: image.image_id for image in new.read_all_images()}
        names = {i.image_id: i.name for i in old.read_all_images() if i.name in ids}
        for old_id, name in names.items():
            if old.exists_descriptors(old_id) and not new.exists_descriptors(ids[name]):
                new.write_keypoints(ids[name], old.read_keypoints(old_id))
                new.write_descriptors(ids[name], old.read_descriptors(old_id))
        known = {name for name in names.values() if new.exists_descriptors(ids[name])}
        pairs: set[frozenset[str]] = set()
        for a, b in old_pairs:
            if not {names.get(a), names.get(b)} <= known:
                continue
            new_ids = ids[names[a]], ids[names[b]]
            new.write_matches(*new_ids, old.read_matches(a, b))
            if old.exists_two_view_geometry(a, b):
                new.write_two_view_geometry(*new_ids, old.read_two_view_geometry(a, b))
            pairs.add(frozenset((names[a], names[b])))
    return known, pairs
