"""Traces: what is sent is the run, and what is wrong is said in a sentence."""

import json
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.show import Cells, Histogram, Lanes, Level, Sequence, Series, States, Trace

TIMES = st.lists(st.floats(0, 100), min_size=1, max_size=30).map(sorted)
TRACKS = [
    Lanes("Requests", ["a", "b"], [(0.5, 1, "denied", "retry after 1 s"), (1, 0, "admitted", "")]),
    Level("Tokens", [(0, 8), (1.5, 2.25)], maximum=8, unit="tokens", shape="ramp", limit=4),
    Series("Load", {"x": [(0, 1)], "y": []}, limit=3),
    Histogram("Wait", [(0.1, 3)], edges=[0, 2, 4], unit="ms"),
    Sequence("Log", ["a", "b"], [(0, 1, 0, 1, "GET", "ok"), (1, 2, 1, 0, "1", "failed")]),
    States("Door", {("shut", "open"): "open", ("open", "shut"): "shut"}, {"front": [(1, "open")]}),
    Cells(
        "Slots", ["a", "b"], ["empty", "full"], [(0.5, 1, "full", "user:7"), (1, 1, "empty", "")]
    ),
]


def test_payload_is_json() -> None:
    """A payload of every track survives JSON unchanged."""
    payload = Trace(end=2, tracks=TRACKS, title="All", summary="Six tracks.").payload()
    assert json.loads(json.dumps(payload)) == payload
    assert [t["kind"] for t in payload["tracks"]] == [
        "lanes",
        "level",
        "series",
        "histogram",
        "sequence",
        "states",
        "cells",
    ]


@given(TIMES)
def test_times_keep_their_order_and_their_microseconds(times: list[float]) -> None:
    """Rounding moves no time by more than half a microsecond and keeps the order."""
    sent = Lanes("L", ["a"], [(t, 0, "admitted", "") for t in times]).payload()["t"]
    assert all(abs(a - b) <= 5.1e-7 for a, b in zip(times, sent, strict=True))
    assert sent == sorted(sent)


def test_columns_hold_the_run() -> None:
    """Lane, outcome and note of each event are at the same index."""
    sent = TRACKS[0].payload()
    assert (sent["lane"], sent["outcome"], sent["notes"]) == (
        [1, 0],
        [1, 0],
        {"0": "retry after 1 s"},
    )


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Lanes("L", ["a"], [(2, 0, "admitted", ""), (1, 0, "admitted", "")]), "sorted"),
        (lambda: Lanes("L", ["a"], [(1, 1, "admitted", "")]), "names lane 1; there are 1"),
        (lambda: Lanes("L", ["a"], [(-1, 0, "admitted", "")]), "before the start"),
        (lambda: Lanes("L", [], []), "at least one lane"),
        (lambda: Lanes("L", ["a"], [], ["done", "undone"]), "each of 3 outcomes"),
        (lambda: Level("L", [(nan, 1)], maximum=1), "finite"),
        (lambda: Level("L", [(0, nan)], maximum=1), "finite"),
        (lambda: Level("L", [], maximum=0), "above 0"),
        (lambda: Series("S", {}), "at least one line"),
        (lambda: Histogram("H", [], edges=[1, 1]), "must rise"),
        (lambda: Histogram("H", [], edges=[1]), "two or more"),
        (lambda: Sequence("S", ["a"], [(1, 0, 0, 0, "x", "ok")]), "before it is sent"),
        (lambda: Sequence("S", ["a"], [(0, 1, 0, 1, "x", "ok")]), "does not exist"),
        (lambda: Cells("C", 2, ["a"], [(0, 2, "a", "")]), "names cell 2; there are 2"),
        (
            lambda: Cells("C", 2, ["a"], [(0, 0, "b", "")]),
            '"b" is no state of the cells "C"; use a',
        ),
        (lambda: Cells("C", 2, ["a"], [(1, 0, "a", ""), (0, 0, "a", "")]), "sorted"),
        (lambda: Cells("C", 0, ["a"], []), "1 to 1,000"),
        (lambda: Cells("C", 1, ["a", "a"], []), "each named once"),
        (lambda: Cells("C", 1, list("abcdefg"), []), "one to six states"),
        (lambda: Trace(end=0, tracks=TRACKS), "longer than 0"),
        (lambda: Trace(end=1, tracks=[]), "at least one track"),
        (lambda: Trace(end=1, tracks=TRACKS), "after the end of the trace"),
    ],
)
def test_what_is_wrong_is_said(make: Any, sentence: str) -> None:
    """An impossible track or trace is refused with a sentence that names the fault."""
    with pytest.raises(ValueError, match=sentence):
        make()


def test_outcomes_have_words_of_their_own() -> None:
    """Lanes may call the outcomes by other words; by default nothing more is sent."""
    events = [(1.0, 0, "failed", "")]
    words = ("delivered", "dropped", "missed")
    assert Lanes("Notices", ["ann"], events, words).payload()["names"] == list(words)
    assert "names" not in Lanes("Requests", ["ann"], events).payload()


def test_wrong_outcomes_are_named() -> None:
    """A misspelt outcome is refused, with the words that may be used."""
    wrong: Any = "allowed"
    with pytest.raises(ValueError, match='"allowed" is no outcome; use admitted, denied, failed'):
        Lanes("L", ["a"], [(0, 0, wrong, "")])


def test_cells_hold_the_run() -> None:
    """Cell, state and note of each event are at the same index; a number of cells has no names."""
    sent = TRACKS[-1].payload()
    assert (sent["cell"], sent["state"], sent["notes"]) == ([1, 1], [1, 0], {"0": "user:7"})
    assert (sent["count"], sent["names"]) == (2, ["a", "b"])
    assert Cells("C", 9, ["a"], []).payload()["names"] == []


def test_repr_is_the_result() -> None:
    """The repr says the summary, and it is the same for equal runs."""
    one, two = (Trace(2, TRACKS, summary="8 passed.") for _ in range(2))
    assert repr(one) == repr(two)
    assert repr(one).endswith("8 passed.")
