"""The commands, one module for each group: the parser of a command, and what it does.

Each command has ``add_<command>``, which adds its parser, and a function of the command's name,
which carries it out and returns the exit status. What is heavy (torch, readers, training) is
imported by the function that needs it, so that the window and ``--help`` appear at once.

Here: commands. Not here: arguments that several commands share (`core.cli.arguments`), the list of
all commands (`core.cli.parser`), how results are printed (`core.cli.results`).
Tests: ``tests/core/cli``.
"""
