"""Helpers that know nothing of photos, scenes or meshes.

Here: jobs in slices, threads and child processes, cores and memory, files and where they are kept,
signals, texts for people and errors, checks of shapes, colormaps. Not here: functions of geometry
(`core.geometry`), options of a run (`core.config`), and helpers of one room alone, which lie there.
Tests: ``tests/core/base``.
"""
