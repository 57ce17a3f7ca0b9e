"""Mesh files: formats, units and axes, and a limit of their size.

Not here: images and videos (`core.output`), posed captures (`core.capture.poses.export`), the rule
for files that exist (`core.base.outputs`). Tests: ``tests/core/meshing/export``.
"""
