"""The command line: what can be asked, and the answers.

Here: the parser, the commands, progress on stderr; ``bench`` measures this machine. Not here: the
work itself (`core.api` and the rooms below it), the window (`app`). Tests: ``tests/core/cli``.
"""
