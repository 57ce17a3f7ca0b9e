"""Refinement of a mesh against the photos: what neighbouring photos agree on, at their full detail.

Belongs here: photos as the refinement reads them, their correlation over the mesh, the smooth step
that follows from it, and finer faces where the photos show more. Does not: which photo sees what
for textures and holes (`core.meshing.repair.visibility`). Its tests: tests/core/meshing/refinement.
"""
