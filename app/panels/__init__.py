"""The side panel and its dialogs: one module for each section.

Here: what a section shows, and the commands that its widgets send. Not here: texts
(``assets/text/en.toml``), what is known (`app.state`), reusable widgets (`app.widgets`).
Tests: ``tests/app/panels``.
"""
