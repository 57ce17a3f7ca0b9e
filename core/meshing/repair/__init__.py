"""What is removed from an extracted mesh or mended in it.

Here: specks, what the photos contradict, holes, meshes that do not fit into memory. Not here:
fewer faces (`core.meshing.simplify`), a closer fit to the photos (`core.meshing.refinement`).
Tests: ``tests/core/meshing/repair``.
"""
