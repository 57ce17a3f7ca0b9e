"""Options as frozen dataclasses: of a run, of opening a capture, of a mesh; and the prompt file.

Here: values and their documentation. Not here: presets (`core.training.presets`), what a machine's
memory allows (`core.training.planner`), the command line's arguments (`core.cli.arguments`), and
what a person chooses about the window (`app.store.settings`). Tests: ``tests/core/config`` for the
prompt file; the options are tested where they are used, such as in ``tests/core/training``.
"""
