"""What the window says, in the language that was chosen.

Here: the catalogue of texts, and sentences that depend on the state. Not here: the texts themselves
(``assets/text``). Tests: ``tests/app/text``.
"""
