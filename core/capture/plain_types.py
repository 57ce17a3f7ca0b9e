"""Checks that readers return values of the types that the fields of a Scene declare.

A scalar of numpy behaves as a number does until the project is saved, which fails.
"""

# pyright: reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# Values may be of any type here.

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from core.capture.scene import Scene

_types_of = cache(get_type_hints)


def require_plain(scene: Scene) -> None:
    """Check that all values are of their fields' declared types.

    Raises:
        TypeError: names the kind of capture, the photo and the field.
    """
    for photo in (*scene.photos, *scene.held_out):
        _require(photo, f"{scene.kind}, {photo.name}")
        _require(photo.intrinsics, f"{scene.kind}, lens of {photo.name}")
    _require(scene, str(scene.kind))


def _require(of: object, where: str) -> None:
    for name, declared in _types_of(type(of)).items():
        value = getattr(of, name)
        if not _fits(value, declared):
            raise TypeError(f"{where}: {name}={value!r} is not of type {declared}")


def _fits(value: Any, declared: Any) -> bool:
    """Return whether ``value`` is of the ``declared`` type.

    Numbers and strings must be of exactly that type, but an int passes for a float.
    """
    kind, inner = get_origin(declared), get_args(declared)
    if kind in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if kind is Literal:
        return type(value) is str and value in inner
    if kind is frozenset:
        return type(value) is kind and all(_fits(item, inner[0]) for item in value)
    if kind is tuple:
        items = value if type(value) is kind else None
        wanted = inner[:1] * len(items or ()) if inner[-1] is Ellipsis else inner
        return items is not None and len(items) == len(wanted) and all(map(_fits, items, wanted))
    if declared is float:
        return type(value) in (int, float)
    if declared in (int, str, bool):
        return type(value) is declared
    return isinstance(value, declared)
