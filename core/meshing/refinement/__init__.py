"""Refinement of a mesh against the photos: what neighbouring photos agree on, at their full detail.

Here: photos as the refinement reads them, their correlation over the mesh, the smooth step
that follows from it, and finer faces where the photos show more. Not here: which photo sees what
for textures and holes (`core.meshing.repair.visibility`). Tests: ``tests/core/meshing/refinement``.
"""
