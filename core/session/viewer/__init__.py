"""What a person looks at while a scene is open.

Here: when previews, the live mesh, photos and thumbnails are made, and how large. Not here: how
they are rendered (`core.rendering`), and how the window shows them (`app.viewport`).
Tests: ``tests/core/session/viewer``.
"""
