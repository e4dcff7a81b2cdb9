"""The fields, as the draft and RFC 9651 want them."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.systems.rate_limiting import GCRA, Decision, FixedWindow, TokenBucket
from course_lib.systems.rate_limiting.headers import (
    legacy,
    policy_field,
    rate_limit_field,
    retry_after_field,
    string,
)
from tests.systems.rate_limiting.cases import algorithms, traces

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
STRING = r'"((?:[ !#-\[\]-~]|\\["\\])*)"'


@given(printable)
def test_strings_are_quoted(text: str) -> None:
    """Every printable text becomes a structured field's string that reads back as itself."""
    found = re.fullmatch(STRING, string(text))
    assert found
    assert re.sub(r"\\(.)", r"\1", found[1]) == text


@pytest.mark.parametrize("text", ["a\nb", "ü", "\x00", "a\r\nSet-Cookie: x=1"])
def test_no_other_strings(text: str) -> None:
    """What a string cannot hold is refused; a line break would forge a field."""
    with pytest.raises(ValueError, match="printable ASCII"):
        string(text)


@given(algorithms)
def test_policy_fields(algorithm: Any) -> None:
    """The quota is the limit, and the window is whole seconds from 1, or absent."""
    found = re.fullmatch(
        STRING + r";q=(\d{1,15})(?:;w=([1-9]\d{0,14}))?", policy_field("p", algorithm)
    )
    assert found
    assert int(found[2]) == algorithm.limit
    assert (found[3] is None) == (algorithm.span < 1)


@given(traces())
def test_rate_limit_fields(case: Any) -> None:
    """What is left and its time are whole numbers from 0; Retry-After is not before its end."""
    algorithm, trace = case
    state = algorithm.initial
    for now, cost in trace:
        state, decision = algorithm.decide(state, now, cost)
        found = re.fullmatch(
            STRING + r";r=(\d{1,15});t=(\d{1,15})", rate_limit_field("p", decision)
        )
        assert found
        assert int(found[2]) == decision.remaining
        retry_after = retry_after_field(decision.retry_after)
        if not decision.allowed and retry_after:
            assert int(retry_after) >= int(found[3])
            assert int(retry_after) >= decision.retry_after > int(retry_after) - 1


def test_the_drafts_examples() -> None:
    """The draft's own: 100 in 10 seconds; 50 left, for 30 seconds."""
    assert policy_field("default", FixedWindow(100, 10)) == '"default";q=100;w=10'
    assert policy_field("default", GCRA(rate=10, burst=100)) == '"default";q=100;w=10'
    assert rate_limit_field("default", Decision(True, 100, 50, 0.0, 29.5)) == '"default";r=50;t=30'


def test_retry_after_is_rounded_up() -> None:
    """A client that is told 0 seconds for 0.2 would come too early."""
    assert [retry_after_field(s) for s in (0.2, 1.0, 1.000001, math.inf)] == ["1", "1", "2", None]


def test_windows_below_a_second_are_left_out() -> None:
    """The draft knows no fraction of a second."""
    assert policy_field("p", TokenBucket(rate=100, burst=10)) == '"p";q=10'
    assert policy_field("p", TokenBucket(rate=3, burst=10)) == '"p";q=10;w=4'


def test_legacy() -> None:
    """The old names say the same, and the reset is in seconds from now."""
    assert legacy(Decision(True, 10, 9, 0.0, 0.1)) == {
        "X-RateLimit-Limit": "10",
        "X-RateLimit-Remaining": "9",
        "X-RateLimit-Reset": "1",
    }
