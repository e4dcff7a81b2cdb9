"""A check drives an object over a wire as it drives one in its own process."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis.asyncio

from course_lib.exercises.attempt import LocalAttempt, Made
from course_lib.exercises.examine import examine
from course_lib.exercises.exercise import Exercise, define
from course_lib.exercises.registry import discover


class Wire:
    """Carries JSON and nothing else; a handle of the world travels as a number."""

    def __init__(self) -> None:
        self.handles: list[object] = []

    def over(self, arguments: tuple[object, ...]) -> list[Any]:
        """Return the arguments as they arrive at the other end."""
        text = json.dumps(arguments, default=self._number, allow_nan=False)
        return [self._handle(argument) for argument in json.loads(text)]

    def _number(self, handle: object) -> dict[str, int]:
        assert isinstance(handle, redis.asyncio.Redis) or callable(handle), type(handle)
        self.handles.append(handle)
        return {"$handle": len(self.handles) - 1}

    def _handle(self, argument: object) -> object:
        if isinstance(argument, dict) and argument.keys() == {"$handle"}:
            return self.handles[argument["$handle"]]
        return argument

    def back(self, answer: object) -> object:
        """Return an answer as it arrives back."""
        return json.loads(json.dumps(answer, allow_nan=False))


class Remote:
    """An attempt, or an object it made, at the other end of a wire."""

    def __init__(self, far: Any, name: str, wire: Wire) -> None:
        self._far, self.name, self._wire = far, name, wire

    def call(self, *arguments: object) -> object:
        """Call over the wire."""
        return self._wire.back(self._far.call(*self._wire.over(arguments)))

    async def wait(self, *arguments: object) -> object:
        """Call over the wire, and wait."""
        return self._wire.back(await self._far.wait(*self._wire.over(arguments)))

    def make(self, *arguments: object) -> Made:
        """Make an object at the other end."""
        return Remote(self._far.make(*self._wire.over(arguments)), "", self._wire)


def _sources(exercise: Exercise) -> list[str]:
    return [exercise.answer, *(mistake.source for mistake in exercise.mistakes[:1])]


@pytest.mark.parametrize("exercise", discover(), ids=lambda exercise: exercise.id)
def test_same_verdict(exercise: Exercise) -> None:
    """Only plain values and handles cross, and the verdict is the same to the byte."""
    wrap: Callable[[LocalAttempt], Remote] = lambda near: Remote(near, near.name, Wire())  # noqa: E731
    for source in _sources(exercise):
        near = LocalAttempt(define(source, exercise.name, "<cell>"), exercise.name)
        here, there = examine(exercise, near, [11]), examine(exercise, wrap(near), [11])
        assert _told(here) == _told(there)


def _told(verdict: Any) -> list[tuple[object, ...]]:
    return [
        (r.property, r.state, r.reason, r.counterexample, r.misconception, r.cases)
        for r in verdict.results
    ]
