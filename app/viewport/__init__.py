"""The view of the scene: its camera, mouse and keys, the preview and what is drawn over it.

Not here: OpenGL (`app.gl`), how the preview is rendered (`core.rendering.preview`), the panel
about the view (`app.panels.view`). Tests: ``tests/app/viewport``.
"""
