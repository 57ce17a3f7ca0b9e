"""What the window remembers from run to run: settings, recent projects, unsaved work.

Here: small JSON files that may be lost without harm. Not here: projects (`core.project`, saved by
the worker). Tests: ``tests/app/store``.
"""
