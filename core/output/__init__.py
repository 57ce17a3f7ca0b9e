"""Images and videos of a trained scene, in files.

Here: photos rendered again, orbits and camera paths, contact sheets. Not here: the renderers
(`core.rendering`), the live preview (`core.session.viewer`), meshes (`core.meshing.export`).
Tests: ``tests/core/output``.
"""
