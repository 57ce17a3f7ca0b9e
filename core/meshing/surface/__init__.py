"""Level sets: marching cubes block by block, and the welding of blocks.

Not here: what is done to the mesh afterwards (`core.meshing.repair`), and the conversion of a
density to an SDF (`core.training.density_to_sdf`). Tests: ``tests/core/meshing/surface``.
"""
