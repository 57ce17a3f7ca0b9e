"""Texture atlases: charts, colours baked from photos, transfer to levels of detail.

Here: which photos colour a place, and how their exposures are levelled. Not here: vertex colours of
the field (`core.meshing.build`), image files (`core.meshing.export`).
Tests: ``tests/core/meshing/texture``.
"""
