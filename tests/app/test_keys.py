"""The table of keys, from which the list of shortcuts is drawn."""

import pytest

from app.keys import KEYS, MOUSE_ACTIONS
from app.text.catalog import tr


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.name}-{key.action}")
def test_every_key_has_words_for_itself_and_what_it_does(key):
    assert key.label
    assert key.effect


@pytest.mark.parametrize("name", MOUSE_ACTIONS)
def test_everything_the_mouse_does_has_words(name):
    assert tr(f"mouse.{name}.input")
    assert tr(f"mouse.{name}.effect")
