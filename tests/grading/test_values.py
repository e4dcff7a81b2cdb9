"""Values on the wire: what goes in comes out, and nothing else does."""

import asyncio
import sys
from types import ModuleType
from typing import Any

import httpx
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
        {"e": ["os", "system", ["x"], "system"]},
        {"e": ["builtins", "eval", ["x"], "eval"]},
        {"e": ["builtins", "SystemExit", ["x"], "SystemExit"]},
        {"e": ["builtins", "ValueError", [["x"]], "ValueError"]},
        {"e": ["builtins", "ValueError", "x"]},
        {"e": ["course_lib.systems.no_such", "Error", [], "Error"]},
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
    """An error of a class that only one side knows arrives as a namesake below the next known."""

    class Own(redis.exceptions.TimeoutError):
        """A class of somebody's own."""

    error = decode(encode(Own("late", 2)))
    assert isinstance(error, redis.exceptions.TimeoutError)
    assert (type(error).__name__, error.args) == ("Own", ("late", 2))


@pytest.mark.parametrize(
    "error",
    [KeyError("a"), FileNotFoundError(2, "none"), httpx.ConnectError("down"), asyncio.QueueFull()],
    ids=repr,
)
def test_known_errors(error: Exception) -> None:
    """A known class arrives as itself, with its arguments."""
    back = decode(encode(error))
    assert type(back) is type(error)
    assert back.args == error.args


def test_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of the course's systems is known where its module is loaded, and not otherwise."""
    name = "course_lib.systems.made_up"
    module = ModuleType(name)
    kind = type("Refused", (Exception,), {"__module__": name})
    module.Refused = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, module)
    form = encode(kind("no", 1))
    assert type(decode(form)) is kind
    monkeypatch.delitem(sys.modules, name)
    with pytest.raises(NotSendable):
        decode(form)
