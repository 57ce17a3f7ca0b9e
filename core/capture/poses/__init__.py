"""Camera poses of plain photos, by COLMAP in a child process.

Here: ``solve`` is what the rest of Gradina calls; ``process`` is the child, and most other modules
are parts of it; ``report_file`` is what both know of the result; ``export`` writes the solved
capture. Not here: reading a model that exists
(`core.capture.readers.colmap`) and lens models (`core.geometry.cameras`).
Tests: ``tests/core/capture/poses``.
"""
