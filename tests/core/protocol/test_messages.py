"""Laws of the codec and of the queue, for every message with any content."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import protocol as m
from tests.messages import values

COMMANDS, EVENTS = get_args(m.Command), get_args(m.Event)
messages = st.lists(st.one_of([values(kind) for kind in (*COMMANDS, *EVENTS)]), max_size=12)


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_arrives_as_it_was_sent(kind):
    @given(values(kind))
    def arrives(command):
        assert m.decode_command(m.encode(command)) == command

    arrives()


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_arrives_as_it_was_sent(kind):
    @given(values(kind))
    def arrives(event):
        assert m.decode_event(m.encode(event)) == event

    arrives()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_finite_number_arrives_as_that(value):
    stats = m.TrainingStats(1, 0.1, 1.0, None, {}, 20.0, value, 1.0, 2, 1.0, 1.0)
    arrived = m.decode_event(m.encode(stats))
    assert repr(arrived) == repr(stats), "NaN is unequal to itself"


def test_every_command_with_an_action_has_its_own_and_every_action_one():
    actions = [kind.action for kind in COMMANDS if kind.action is not None]
    assert sorted(actions) == sorted(get_args(m.Action))


@given(messages)
def test_of_waiting_messages_only_the_newest_of_each_key_is_left_in_order(waiting):
    left = m.coalesce(waiting)
    rest = iter(waiting)
    assert all(any(one is other for other in rest) for one in left), "the order is kept"
    newest = {one.key: one for one in waiting if one.key is not None}
    assert [one for one in left if one.key is not None and newest[one.key] is not one] == []
    assert {one.key for one in left} == {one.key for one in waiting}
    keys = [one.key for one in left if one.key is not None]
    assert len(keys) == len(set(keys))
    without = [one for one in waiting if one.key is None]
    assert [one for one in left if one.key is None] == without


@given(messages, messages)
def test_it_does_not_matter_when_waiting_messages_are_coalesced(before, after):
    once = m.coalesce(before + after)
    assert m.coalesce(once) == once
    assert m.coalesce(m.coalesce(before) + after) == once
