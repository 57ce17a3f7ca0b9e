"""The window: Dear PyGui in a process of its own, which never imports torch.

- ``window`` the frame loop; ``state`` what is known and how events change it; ``worker_client`` the
  worker's process and pipe; ``projects`` new, open, save and close
- ``panels`` the side panel; ``viewport`` the view of the scene; ``gl`` its drawing by OpenGL;
  ``widgets`` small pieces of both
- ``text`` what is said, in the chosen language; ``store`` what is remembered; ``platform`` screen,
  dialogs, frame rate; ``theme``, ``palette`` and ``keys`` looks and shortcuts

Not here: any work on the scene, which the worker does (`core.protocol`).
Tests: ``tests/app``, in the same folders.
"""
