"""What differs from one desktop to the next: screen, scaling, dialogs, GLFW, frame rate.

Not here: anything about the scene. Tests: ``tests/app/test_window.py`` on a virtual screen.
"""
