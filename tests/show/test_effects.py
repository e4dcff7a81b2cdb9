"""Effect logs as sequence diagrams."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.show import sequence_of


@dataclass(frozen=True)
class Did:
    """The fields of an effect that a diagram reads."""

    who: str
    target: str = "redis"
    what: str = "GET n"
    result: object = "1"
    answered: float | None = 1.0
    error: str | None = None


def _track(*effects: Did) -> dict[str, list[object]]:
    track: dict[str, list[object]] = sequence_of(effects).payload()["tracks"][0]
    return track


def test_request_and_reply_in_log_order() -> None:
    """Each effect is a request and a reply, in the order of the log."""
    track = _track(Did("server 1"), Did("server 2", what="DECR n", result=0))
    assert track["text"] == ["GET n", "1", "DECR n", "0"]
    assert track["actors"] == ["server 1", "redis", "server 2"]
    assert list(zip(track["from"], track["to"], strict=True)) == [(0, 1), (1, 0), (2, 1), (1, 2)]


def test_unheard_answers_are_failed() -> None:
    """An effect without an answer ends in a failed reply, and the summary counts it."""
    trace = sequence_of([Did("a", answered=None)])
    assert trace.payload()["tracks"][0]["failed"] == [0, 1]
    assert trace.summary == "1 effect in order, 1 without an answer."


def test_errors_and_nothing_are_words() -> None:
    """An error is its own text, an empty answer is "nothing", a long one is cut."""
    track = _track(
        Did("a", error="ConnectionError: refused"), Did("a", result=None), Did("a", result="x" * 99)
    )
    assert track["text"][1] == "ConnectionError: refused"
    assert track["text"][3] == "nothing"
    assert str(track["text"][5]).endswith("…")


def test_own_steps_are_one_message() -> None:
    """What an actor does to itself is one message, not a request and a reply."""
    assert _track(Did("a", target="a"))["text"] == ["GET n"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["redis", "sql", "a"]))))
def test_any_log_makes_a_valid_trace(pairs: list[tuple[str, str]]) -> None:
    """Every log but the empty one gives a trace in which each message starts as the last ends."""
    effects = [Did(who, target) for who, target in pairs]
    if not effects:
        with pytest.raises(ValueError, match="empty"):
            sequence_of(effects)
        return
    track = sequence_of(effects).payload()["tracks"][0]
    assert track["sent"] == [0, *track["received"][:-1]]
    assert track["received"][-1] == len(effects)
