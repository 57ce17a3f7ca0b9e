"""The engine: from photos to a mesh, without a window.

Rooms, lowest first; each imports only those below it (the contracts in ``pyproject.toml``):

- ``base`` helpers without a domain; ``config`` the numbers of a run; ``geometry`` cameras and boxes
- ``kernels`` the costly functions, per device; ``capture`` photos and their poses become a scene;
  ``field`` what is learnt about a scene
- ``rendering`` fields and meshes become images; ``training`` fields are fitted; ``meshing`` fields
  become mesh files
- ``sample`` the embedded capture; ``output`` images and videos of a trained scene
- ``project`` saved work; ``evaluation`` measures of quality
- ``protocol`` messages to and from the window; ``session`` all of it behind commands and events
- ``engine`` the worker process; ``api`` the same without a window; ``cli`` the command line

``api`` is the only loose module. Tests: ``tests/core``, in the same folders.
"""
