"""One check, two places: through a jail the verdict is what it is in a notebook, to the byte."""

from typing import Any

import pytest

from course_lib.exercises.attempt import LocalAttempt
from course_lib.exercises.examine import examine
from course_lib.exercises.exercise import Exercise, Mistake, define
from course_lib.exercises.outcome import Verdict
from course_lib.exercises.registry import discover
from course_lib.grading.inside.cell import CELL
from course_lib.grading.judge.jails import Jails
from course_lib.grading.protocol.remote import RemoteAttempt
from course_lib.grading.protocol.session import Session

ALL = discover()
MISTAKES = [(exercise, mistake) for exercise in ALL for mistake in exercise.mistakes]
SEED = 77


def _id(value: object) -> str:
    return getattr(value, "id", None) or getattr(value, "name", None) or str(value)


def remote(jails: Jails, exercise: Exercise, source: str) -> Verdict:
    """Return the verdict on source text that runs in a jail."""
    session = Session(jails.channel())
    session.start({"prelude": [], "source": source, "name": exercise.name})
    verdict = examine(exercise, RemoteAttempt(session, exercise.name), [SEED])
    assert session.violation is None
    return verdict


def local(exercise: Exercise, source: str) -> Verdict:
    """Return the verdict on source text that runs here."""
    target = define(source, exercise.name, CELL)
    return examine(exercise, LocalAttempt(target, exercise.name), [SEED])


def told(verdict: Verdict) -> list[tuple[Any, ...]]:
    """Return all that a verdict says, schedules included."""
    return [
        (r.property, r.state, r.reason, r.counterexample, r.misconception, r.cases, effects(r))
        for r in verdict.results
    ]


def effects(result: Any) -> list[str]:
    """Return a schedule in words."""
    return [f"{effect.time} {effect}" for effect in result.effects]


@pytest.mark.parametrize("exercise", ALL, ids=_id)
def test_answer(jails: Jails, exercise: Exercise) -> None:
    """Each answer passes through the wire, and says the same."""
    assert told(remote(jails, exercise, exercise.answer)) == told(local(exercise, exercise.answer))


@pytest.mark.parametrize("exercise", ALL, ids=_id)
def test_stub(jails: Jails, exercise: Exercise) -> None:
    """Each stub is not started, through the wire too."""
    assert told(remote(jails, exercise, exercise.stub)) == told(local(exercise, exercise.stub))


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=_id)
def test_mistake(jails: Jails, exercise: Exercise, mistake: Mistake) -> None:
    """Each mistake fails with its own message, its counterexample and its schedule."""
    assert told(remote(jails, exercise, mistake.source)) == told(local(exercise, mistake.source))
