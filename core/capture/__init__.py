"""What lies at a path becomes a `core.capture.scene.Scene`: photos, cameras, region and frame.

Here: detection of the kind of input, photo files with EXIF and GPS, videos, masks, decoded pixels,
the proposed region. File formats are in ``readers``, the solving of unknown poses in ``poses``. Not
here: saved projects (`core.project`) and rays (`core.training.ray_source`).
Tests: ``tests/core/capture``.
"""
