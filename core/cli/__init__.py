"""The command line: arguments, commands and printed results.

Here: the parser, ``commands``, progress on stderr; ``bench`` measures this machine. Not here: the
work itself (`core.api` and the rooms below it), the window (`app`). Tests: ``tests/core/cli``.
"""
