"""Untyped: the stubs of the library declare context managers as plain numbers."""

from typing import Any

def __getattr__(name: str) -> Any: ...
