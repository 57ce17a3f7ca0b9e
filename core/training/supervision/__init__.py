"""What a run learns from: photos, or a text prompt by way of CLIP.

Here: the batches of a step and their targets, behind the interface in ``base``. Not here: the loss
terms (`core.training.losses`) and the colours of random pixels (`core.training.ray_source`).
Tests: ``tests/core/training``.
"""
