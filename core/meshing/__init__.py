"""A mesh of a trained field: extracted, repaired, simplified, textured, written.

Here: ``pipeline`` runs the stages, ``from_model`` applies them to a model; the stages are in
``surface``, ``repair``, ``texture`` and ``export``. Not here: drawing of meshes
(`core.rendering.raster`), the live mesh of the window (`core.session.viewer.live_mesh`), distances
to a reference (`core.evaluation`). Tests: ``tests/core/meshing``.
"""
