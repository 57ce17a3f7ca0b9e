"""Small pieces that several panels use: labelled inputs, questions, short messages.

Not here: whole sections (`app.panels`), colours and fonts (`app.theme`).
Tests: ``tests/app/panels`` and ``tests/app/test_window.py``, through the panels that use them.
"""
