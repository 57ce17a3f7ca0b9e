"""Drops files on an X window as a file manager does: the XDND protocol, version 5, by Xlib."""

from __future__ import annotations

import ctypes
import ctypes.util
import time
from pathlib import Path

_CLIENT_MESSAGE, _SELECTION_REQUEST, _SELECTION_NOTIFY = 33, 30, 31
_Long, _ULong, _Int = ctypes.c_long, ctypes.c_ulong, ctypes.c_int


class _ClientMessage(ctypes.Structure):
    _fields_ = (
        ("type", _Int),
        ("serial", _ULong),
        ("send_event", _Int),
        ("display", ctypes.c_void_p),
        ("window", _ULong),
        ("message_type", _ULong),
        ("format", _Int),
        ("data", _Long * 5),
    )


class _Selection(ctypes.Structure):
    """A request has an owner before the requestor, a notification has not."""

    _fields_ = (
        ("type", _Int),
        ("serial", _ULong),
        ("send_event", _Int),
        ("display", ctypes.c_void_p),
        ("windows_and_atoms", _ULong * 6),
    )


class _Event(ctypes.Union):
    _fields_ = (
        ("type", _Int),
        ("client", _ClientMessage),
        ("selection", _Selection),
        ("room", _Long * 24),
    )


def drop(display_name: str, target: int, paths: list[Path], timeout_s: float = 20.0) -> None:
    """Drop ``paths`` on the window ``target``. Raises AssertionError if it is not taken."""
    x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
    for name, result in (
        ("XOpenDisplay", ctypes.c_void_p),
        ("XDefaultRootWindow", _ULong),
        ("XCreateSimpleWindow", _ULong),
        ("XInternAtom", _ULong),
    ):
        getattr(x11, name).restype = result
    display = ctypes.c_void_p(x11.XOpenDisplay(display_name.encode()))
    assert display.value

    def atom(name: str) -> int:
        return x11.XInternAtom(display, name.encode(), 0)

    root = _ULong(x11.XDefaultRootWindow(display))
    source = x11.XCreateSimpleWindow(display, root, 0, 0, 1, 1, 0, 0, 0)
    x11.XSetSelectionOwner(display, _ULong(atom("XdndSelection")), _ULong(source), _ULong(0))
    data = "".join(f"{path.as_uri()}\r\n" for path in paths).encode()

    def tell(message: str, *words: int) -> None:
        event = _Event()
        event.client.type, event.client.window = _CLIENT_MESSAGE, target
        event.client.message_type, event.client.format = atom(message), 32
        for i, word in enumerate((source, *words)):
            event.client.data[i] = word
        x11.XSendEvent(display, _ULong(target), 0, _Long(0), ctypes.byref(event))
        x11.XFlush(display)

    def hand_over(request: list[int]) -> None:
        _owner, requestor, selection, kind, where, when = request
        x11.XChangeProperty(
            display, _ULong(requestor), _ULong(where), _ULong(kind), 8, 0, data, len(data)
        )
        event = _Event()
        event.selection.type = _SELECTION_NOTIFY
        event.selection.windows_and_atoms[:5] = [requestor, selection, kind, where, when]
        x11.XSendEvent(display, _ULong(requestor), 0, _Long(0), ctypes.byref(event))
        x11.XFlush(display)

    def until(message: str) -> _Event:
        deadline = time.monotonic() + timeout_s
        event = _Event()
        while time.monotonic() < deadline:
            while x11.XPending(display):
                x11.XNextEvent(display, ctypes.byref(event))
                if event.type == _SELECTION_REQUEST:
                    hand_over(list(event.selection.windows_and_atoms))
                elif event.type == _CLIENT_MESSAGE and event.client.message_type == atom(message):
                    return event
            time.sleep(0.01)
        raise AssertionError(f"no {message} came")

    try:
        tell("XdndEnter", 5 << 24, atom("text/uri-list"), 0, 0)
        tell("XdndPosition", 0, 300 << 16 | 300, 0, atom("XdndActionCopy"))
        assert until("XdndStatus").client.data[1] & 1, "the window takes no drops"
        tell("XdndDrop", 0, 0)
        until("XdndFinished")
    finally:
        x11.XCloseDisplay(display)
