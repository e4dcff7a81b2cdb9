"""Plain values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.exercises.plain import NotPlain, fold, plain, same, shown

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
numbers = scalars | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    numbers,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
)


@given(values)
def test_json(value: Any) -> None:
    """A plain value is what comes back through JSON, types and all."""
    assert same(plain(value), value)
    assert same(json.loads(json.dumps(plain(value))), value)


@given(values, values)
def test_same_is_stricter(one: Any, other: Any) -> None:
    """What is the same has the same type."""
    if same(one, other):
        assert type(one) is type(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (1, 1.0),
        (0, False),
        ("1", 1),
        ([1], [True]),
        ({"a": 0}, {"a": False}),
        (1.0, 1.0001),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        (None, False),
    ],
)
def test_not_same(one: object, other: object) -> None:
    """Types are not confused, and numbers differ when they differ."""
    assert not same(one, other)
    assert not same(other, one)


class Sub(int):
    """An int that is not an int."""


def _deep() -> object:
    value: object = 1
    for _ in range(30):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (10**400, "64 bits"),
        (Sub(1), "Sub"),
        ({1: 2}, "key"),
        ({1, 2}, "set"),
        (b"", "bytes"),
        (_deep(), "deep"),
        ("x" * 200_000, "100,000"),
        (len, "function"),
        ([0] * 200_000, "100,000"),
        (object(), "object"),
    ],
    ids=[
        "nan",
        "inf",
        "huge",
        "sub",
        "key",
        "set",
        "bytes",
        "deep",
        "text",
        "function",
        "list",
        "object",
    ],
)
def test_not_plain(value: object, word: str) -> None:
    """What JSON cannot carry is refused in words."""
    with pytest.raises(NotPlain, match=word):
        plain(value)


def test_copies() -> None:
    """A plain value shares nothing with the original."""
    inner = [1]
    copy = plain({"a": inner})
    inner.append(2)
    assert copy == {"a": [1]}


def test_fold() -> None:
    """Whole numbers become floats, True and texts do not."""
    assert same(fold([1, {"a": 2}, True, "3"]), [1.0, {"a": 2.0}, True, "3"])


@given(values, st.integers(10, 80))
def test_shown_is_short(value: Any, width: int) -> None:
    """What is shown has at most the given width."""
    assert len(shown(value, width)) <= width


def test_shown() -> None:
    """Floats are shown without the noise of their last digits, and stay floats."""
    assert shown(0.1 + 0.2) == "0.3"
    assert shown(2.0) == "2.0"
    assert shown([1, 2.5]) == "[1, 2.5]"
