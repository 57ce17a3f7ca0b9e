"""The few GLFW calls that Dear PyGui does not offer, through the symbols its library exports.

Where they are not exported (so far: anywhere but Linux), dropping folders is absent and waiting
is a short sleep.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable

_DROP = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p))


class Glfw:
    """Made on the thread of the window, after it is shown."""

    def __init__(self) -> None:
        self._library = _load()
        self._drop: object = None  # GLFW keeps no reference of its own

    def on_drop(self, callback: Callable[[list[str]], None]) -> bool:
        """Call ``callback`` with the paths of files dropped on the window; False if it cannot."""
        if self._library is None:
            return False
        window = self._library.glfwGetCurrentContext()
        if not window:
            return False

        def dropped(_window: int, count: int, paths: ctypes.Array[ctypes.c_char_p]) -> None:
            callback([(paths[i] or b"").decode("utf-8", "replace") for i in range(count)])

        self._drop = _DROP(dropped)
        self._library.glfwSetDropCallback(window, self._drop)
        return True

    def wait(self, seconds: float) -> bool:
        """Sleep until there is input or a `wake`, at most ``seconds``; whether it was cut short."""
        if self._library is None:
            time.sleep(min(seconds, 1 / 30))
            return False
        start = time.perf_counter()
        self._library.glfwWaitEventsTimeout(seconds)
        return time.perf_counter() - start < 0.95 * seconds

    def wake(self) -> None:
        """End a `wait` from any thread."""
        if self._library is not None:
            self._library.glfwPostEmptyEvent()


def _load() -> ctypes.CDLL | None:
    from dearpygui import _dearpygui

    try:
        library = ctypes.CDLL(_dearpygui.__file__)
        library.glfwGetCurrentContext.restype = ctypes.c_void_p
        library.glfwSetDropCallback.argtypes = [ctypes.c_void_p, _DROP]
        library.glfwSetDropCallback.restype = ctypes.c_void_p
        library.glfwWaitEventsTimeout.argtypes = [ctypes.c_double]
        library.glfwWaitEventsTimeout.restype = None
        library.glfwPostEmptyEvent.restype = None
    except (OSError, AttributeError):
        return None
    return library
