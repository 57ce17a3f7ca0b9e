"""A field is fitted to photos, or to a text prompt.

Here: the step, losses, schedules, the optimiser, presets, the conversion of a density to an SDF,
warm starts. Not here: what each option means (`core.config.run`), the fields (`core.field`), when a
step is due (`core.session.training_loop`), files (`core.project.store`).
Tests: ``tests/core/training``.
"""
