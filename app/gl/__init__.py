"""Drawing by OpenGL, off the screen: frames as plain arrays, and the painter of them.

Not here: what a frame consists of (`app.viewport`), the shaders (``shaders/*.glsl``), the calls in
the window's own context (`app.platform.window_gl`). Tests: ``tests/app/gl``.
"""
