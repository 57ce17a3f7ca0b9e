"""What is learnt about a scene: functions of a position, as torch modules.

Here: the signed distance, radiance fields and voxels, colours, the background, appearance of single
photos; ``methods`` knows all methods by name, ``model`` holds all that is learnt. Not here: rays
and samples (`core.rendering`), losses (`core.training.losses`), and the hash grid's arithmetic
(`core.kernels`). Tests: ``tests/core/field``.
"""
