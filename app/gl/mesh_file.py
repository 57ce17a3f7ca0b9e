"""Reads the mesh that the worker leaves in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.gl.frame import Surface
from core.protocol import MeshReady


def load_mesh_file(ready: MeshReady) -> Surface | None:
    """Read and remove the file that ``ready`` announces.

    Returns:
        The mesh; None if the file is gone, since a newer one is there, or damaged.
    """
    path, n, m = Path(ready.path), ready.n_vertices, ready.n_faces
    try:
        data = path.read_bytes()
        path.unlink()
    except OSError:
        return None
    if len(data) != n * (12 + 4 + 4) + m * 12:
        return None
    parts = np.split(np.frombuffer(data, np.uint8), np.cumsum([12 * n, 4 * n, 4 * n]))
    faces = parts[3].view("<u4").reshape(m, 3)
    if m and int(faces.max()) >= n:
        return None
    return Surface(
        parts[0].view("<f4").reshape(n, 3), parts[1].reshape(n, 4), parts[2].reshape(n, 4), faces
    )
