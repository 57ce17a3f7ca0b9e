"""Helpers that know nothing of photos, scenes or meshes.

Here: jobs in slices, threads and child processes, cores and memory, files and where they are kept,
signals, errors, colormaps. Not here: functions of geometry (`core.geometry`) and options of a run
(`core.config`). Tests: ``tests/core/base``.
"""
