"""Images of fields and of triangle meshes.

Here: occupancy, samples along rays, volume rendering, sphere tracing, rasterisers, the live
preview's modes. Nothing here changes a field. Not here: when a preview is due
(`core.session.viewer`), images and videos in files (`core.output`).
Tests: ``tests/core/rendering``.
"""
