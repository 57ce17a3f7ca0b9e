"""Hypothesis strategies for any message of the protocol, from its types alone."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from core.base.text import Text

INTEGERS = st.one_of(st.integers(-2, 10), st.integers(-(2**63), 2**63 - 1))
FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1e-300, 1e300]),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of the type ``kind``: a struct, a dataclass, or what these are made of."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of([values(one) for one in arguments])
    if origin is tuple:
        if arguments[-1] is ...:
            return st.lists(values(arguments[0]), max_size=4).map(tuple)
        return st.tuples(*map(values, arguments))
    if origin is dict:
        return st.dictionaries(*map(values, arguments), max_size=4)
    if kind in _PRIMITIVES:
        return _PRIMITIVES[kind]
    hints = get_type_hints(kind)
    if is_dataclass(kind):
        return st.builds(kind, **{f.name: values(hints[f.name]) for f in fields(kind)})
    assert issubclass(kind, msgspec.Struct), kind
    return st.builds(kind, **{name: values(hints[name]) for name in kind.__struct_fields__})


TEMPLATES = st.sampled_from(["", "plain", "{a}", "{a} of {b}", "{n} photos"])


def _texts(parts: st.SearchStrategy[Text]) -> st.SearchStrategy[Text]:
    """Texts whose templates find all of their values, other texts among them."""
    part = st.one_of(TEXTS, INTEGERS, FLOATS, parts)
    values = st.fixed_dictionaries({"a": part, "b": part, "n": INTEGERS})
    return st.builds(Text, TEMPLATES, values, st.sampled_from(["", "{n} photos"]))


_PRIMITIVES: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: INTEGERS,
    float: FLOATS,
    str: TEXTS,
    bytes: st.binary(max_size=40),
    type(None): st.none(),
    Text: st.recursive(st.builds(Text, st.just("plain")), _texts, max_leaves=3),
}
