"""What the window says, in the language that was chosen.

Here: the window's texts by key, what puts the engine's texts into words, the files for translators,
and sentences that depend on the state. Not here: the window's texts themselves (``assets/text``),
and those of the engine, which are written where they arise (`core.base.text`).
Tests: ``tests/app/text``.
"""
