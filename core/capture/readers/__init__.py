"""One module for each layout of a posed capture; each returns a `core.capture.scene.Scene`.

Here: parsing, and the conversion to Gradina's conventions (OpenCV camera axes, pixel centres at
one half). Not here: which reader takes a path (`core.capture.open`) and the decoding of photos
(`core.capture.photos`). Tests: ``tests/core/capture/readers``.
"""
