"""Values on the wire: what goes in comes out, and nothing else does."""

from typing import Any

import pytest
import redis.exceptions
from hypothesis import given
from hypothesis import strategies as st

from course_lib.grading.protocol.values import NotSendable, decode, encode

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_round_trip(value: Any) -> None:
    """A value comes back equal, in type too."""
    back = decode(encode(value))
    assert back == value
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"d": 1},
        {"d": [[1]]},
        {"d": [[[], 1]]},
        {"d": [["a", 1], ["a", 2]]},
        {"b": "\u0100"},
        {"e": ["os", "system", "x"]},
        {"e": ["builtins", "eval", "x"]},
        {"e": ["builtins", "SystemExit", "x"]},
        {"h": ["redis", 0, {}]},
        {"x": 1},
        {"d": [], "b": ""},
    ],
    ids=str,
)
def test_refused(form: Any) -> None:
    """A form that nobody sends is refused, and no name in it is looked up elsewhere."""
    with pytest.raises(NotSendable):
        decode(form)


def test_deep() -> None:
    """Nesting has an end."""
    form: Any = []
    for _ in range(50):
        form = [form]
    with pytest.raises(NotSendable):
        decode(form)


def test_errors() -> None:
    """An error arrives as the nearest class that both sides know."""

    class Own(redis.exceptions.TimeoutError):
        """A class of somebody's own."""

    error = decode(encode(Own("late")))
    assert type(error) is redis.exceptions.TimeoutError
    assert str(error) == "late"
