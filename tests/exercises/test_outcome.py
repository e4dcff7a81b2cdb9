"""What an outcome shows."""

import re
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from course_lib.exercises.outcome import Outcome, Result, State, Verdict, schedule
from course_lib.exercises.text import block, code, prose


@dataclass
class Step:
    """What an outcome reads of an effect."""

    who: str
    what: str
    result: object


def failed(told: str, effects: tuple[object, ...] = (), printed: str = "") -> Outcome:
    """Return a failure whose counterexample is the given text."""
    result = Result("p", State.FAIL, "it holds.", "", told, "An idea.", effects)
    return Outcome("a.b", "Title", Verdict(State.FAIL, (result,), 1), (), printed)


@given(st.text())
def test_nothing_acts(text: str) -> None:
    """No character of a learner's text is markup: tags and entities of ours are all there is."""
    for shown in (code(text), block(text), prose(text)):
        inner = re.sub(r"</?(code|pre)>|&#\d+;", "", shown)
        assert all(c.isalnum() or c in " \n" or c == "\\" or c.isprintable() for c in inner)
        assert not set(inner) & set("<>&`*_[]()#$!|~\\\"'")


def test_markdown() -> None:
    """A hostile counterexample, print and schedule are shown and do nothing."""
    bad = "<script>alert(1)</script> ![x](y) **b** $x$ `c`\n# h"
    shown = failed(bad, (Step(bad, bad, bad),), bad)._repr_markdown_()
    assert "<script" not in shown
    assert "![" not in shown
    assert "$" not in shown
    assert "\n# h" not in shown


def test_text() -> None:
    """The text says state, exercise, law, counterexample and idea, in one line."""
    assert repr(failed("It is 3.")) == "FAIL: a.b. What must hold: it holds. It is 3. An idea."


def test_schedule() -> None:
    """A schedule has one numbered line an effect."""
    steps = (Step("server 1", "GET k", None), Step("server 2", "GET\nk", "1"))
    assert schedule(steps) == "  1. server 1: GET k -> None\n  2. server 2: GET k -> 1"
    assert schedule(steps) in repr(failed("x", steps))


def test_effects_only_of_failures() -> None:
    """Without a failure there is no schedule and no picture."""
    passed = Outcome("a.b", "T", Verdict(State.PASS, (Result("p", State.PASS, "s.", cases=3),), 1))
    assert passed.effects == ()
    assert passed.picture() is None
    assert repr(passed) == "PASS: a.b. T: all 1 properties hold, 3 cases tried."
