"""One person's work on one scene: commands in, events out, a slice of work at a time.

Here: ``session`` routes commands, ``document`` owns what is open, ``states`` says what is allowed
when, ``undo`` takes edits back; what is looked at is in ``viewer``. Not here: the process and its
pipe (`core.engine`), the messages (`core.protocol`), the work itself (the rooms below).
Tests: ``tests/core/session``.
"""
