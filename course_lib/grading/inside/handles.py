"""Doubles of the world's handles, the learner's half: they look like the thing, and ask the judge.

See protocol.handles for the other half.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from course_lib.grading.inside.http_double import http_client
from course_lib.grading.inside.objects import (
    RandomDouble,
    object_double,
    parts_double,
    promise_double,
)
from course_lib.grading.inside.redis_double import redis_client
from course_lib.grading.inside.sql_double import SqlConnection
from course_lib.grading.protocol.values import NotSendable

if TYPE_CHECKING:
    from course_lib.grading.inside.learner import Learner

__all__ = ["Doubles"]


class Doubles:
    """All doubles of one process: the same handle always gets the same one."""

    def __init__(self, learner: "Learner") -> None:
        self._learner = learner
        self._known: dict[int, object] = {}
        self._numbers: dict[int, int] = {}

    def of(self, reference: list[Any]) -> object:
        """Return the double that a reference `[kind, number, options, spoken]` stands for."""
        kind, number, form, spoken = reference
        if number not in self._known:
            double: Any = _MAKERS[kind](self._learner, number, form)
            with suppress(AttributeError):  # a coroutine or a generator takes no name
                double.spoken = spoken
            self._known[number] = double
            self._numbers[id(double)] = number
        return self._known[number]

    def refer(self, value: object) -> int:
        """Return the number of a double that the learner hands back to the judge."""
        if id(value) not in self._numbers:
            raise NotSendable(f"an object of type {type(value).__name__}, which the judge has not")
        return self._numbers[id(value)]


_MAKERS: dict[str, Callable[["Learner", int, Any], object]] = {
    "redis": redis_client,
    "http": http_client,
    "sql": SqlConnection,
    "object": object_double,
    "parts": parts_double,
    "promise": promise_double,
    "random": RandomDouble,
}
