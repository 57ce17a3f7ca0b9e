"""Pure functions and values of geometry: transforms, lenses, boxes, planes, views, camera paths.

Here: arrays in, arrays out, on the CPU. Not here: files (`core.capture`), rays of a training batch
(`core.training.ray_source`), triangle meshes (`core.meshing`). Tests: ``tests/core/geometry``.
"""
