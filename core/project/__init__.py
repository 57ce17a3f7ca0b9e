"""Saved projects: the folder with scene, configuration and checkpoint.

Here: saving, loading, photos that were moved, the recipe that repeats a run. Not here: when work is
saved by itself (`core.session.autosave`), what the window remembers (`app.store`).
Tests: ``tests/core/project``.
"""
