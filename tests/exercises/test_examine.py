"""Running a check."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from course_lib.exercises.attempt import Attempt, LocalAttempt
from course_lib.exercises.cases import Case, pure
from course_lib.exercises.examine import examine
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, define
from course_lib.exercises.outcome import State, Verdict


def _pairs(draw: random.Random) -> Iterator[Case]:
    for _ in range(3):
        yield draw.randint(10, 20), draw.randint(1, 9)


MINUS = Exercise(
    id="sample.minus",
    place=1,
    title="The difference",
    name="minus",
    stub="def minus(a, b):\n    raise NotImplementedError\n",
    answer="def minus(a, b):\n    return a - b\n",
    properties=(
        pure("difference", "minus(a, b) is a - b.", _pairs, lambda a, b: a - b, ("a", "b")),
    ),
    mistakes=(
        Mistake("wrong way round", "def minus(a, b):\n    return b - a\n", "It is b - a."),
        Mistake("adds", "def minus(a, b):\n    return a + b\n", "That is the sum."),
        Mistake("divides", "def minus(a, b):\n    return a / b\n", "That is the quotient."),
    ),
    hints=("one", "two", "three"),
)


def with_property(item: Property) -> Exercise:
    """Return the sample with one property of the test's own."""
    return replace(MINUS, properties=(item,))


def verdict(source: str, exercise: Exercise = MINUS) -> Verdict:
    """Examine source text on three seeds."""
    return examine(exercise, LocalAttempt(define(source, "minus"), "minus"), (1, 2, 3))


def test_states() -> None:
    """The answer passes, the stub is not started, a mistake fails with its message."""
    assert verdict(MINUS.answer).state is State.PASS
    assert verdict(MINUS.stub).state is State.NOT_STARTED
    assert verdict(MINUS.mistakes[1].source).first.misconception == "That is the sum."


def test_recognised_by_behaviour() -> None:
    """Other code with the same thought reads the same message, and other wrong code reads none."""
    assert verdict("def minus(x, y): return -1 * (x - y)").first.misconception == "It is b - a."
    assert verdict("def minus(a, b): return 7").first.misconception == ""


def _quiet(attempt: Attempt, draw: random.Random) -> int:
    return 0


def _broken(attempt: Attempt, draw: random.Random) -> int:
    raise RuntimeError("a bug of ours")


@pytest.mark.parametrize(
    ("holds", "words"), [(_quiet, "exercised nothing"), (_broken, "RuntimeError")]
)
def test_unknown(holds: object, words: str) -> None:
    """A check that exercised nothing, or broke by itself, is never a pass."""
    result = verdict(MINUS.answer, with_property(Property("p", "s.", holds)))  # type: ignore[arg-type]
    assert result.state is State.UNKNOWN
    assert words in result.first.reason


def test_no_seeds() -> None:
    """Without a seed nothing was decided."""
    result = examine(MINUS, LocalAttempt(define(MINUS.answer, "minus"), "minus"), ())
    assert result.state is State.UNKNOWN


def test_no_properties() -> None:
    """Without a property nothing was decided."""
    assert verdict(MINUS.answer, replace(MINUS, properties=())).state is State.UNKNOWN


def test_half_done_is_a_failure() -> None:
    """NotImplementedError after a first answer is a failure, not an exercise that was not
    started.
    """
    source = "def minus(a, b):\n  if b > 1: raise NotImplementedError\n  return a - b"

    def small(attempt: Attempt, draw: random.Random) -> int:
        attempt.call(2, 1)
        return 1

    def large(attempt: Attempt, draw: random.Random) -> int:
        attempt.call(9, 5)
        return 1

    both = replace(MINUS, properties=(Property("s", "s.", small), Property("l", "l.", large)))
    assert verdict(source, both).state is State.FAIL


def test_all_properties_are_tried() -> None:
    """A failure does not hide the other properties' verdicts: a judge grades each."""

    def wrong(attempt: Attempt, draw: random.Random) -> int:
        raise Counterexample("no.")

    both = replace(MINUS, properties=(Property("w", "w.", wrong), *MINUS.properties))
    assert [r.state for r in verdict(MINUS.answer, both).results] == [State.FAIL, State.PASS]


def test_reason_hides_the_draw() -> None:
    """The drawn parameters are in the counterexample alone, which a judge keeps to itself."""
    result = verdict("def minus(a, b): return 1 / 0").first
    assert "minus(" not in result.reason + result.misconception
    assert "minus(" in result.counterexample


def test_drawn_per_property() -> None:
    """A property's draws depend on the seed and its name alone."""
    seen: list[float] = []

    def look(attempt: Attempt, draw: random.Random) -> int:
        seen.append(draw.random())
        return 1

    first, second = Property("p", "p.", look), Property("q", "q.", look)
    verdict(MINUS.answer, replace(MINUS, properties=(first, second)))
    forward = sorted(seen)
    seen.clear()
    verdict(MINUS.answer, replace(MINUS, properties=(second, first)))
    assert sorted(seen) == forward
    assert len(set(seen)) == 6
