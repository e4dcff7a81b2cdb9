"""Doubles of the world's handles, the learner's half: they look like the thing, and ask the judge.

See protocol.handles for the other half.
"""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from course_lib.grading.inside.http_double import http_client
from course_lib.grading.inside.redis_double import redis_client
from course_lib.grading.inside.sql_double import SqlConnection

if TYPE_CHECKING:
    from course_lib.grading.inside.learner import Learner

__all__ = ["Doubles"]


class Doubles:
    """All doubles of one process: the same handle always gets the same one."""

    def __init__(self, learner: "Learner") -> None:
        self._learner = learner
        self._known: dict[int, object] = {}

    def of(self, reference: list[Any]) -> object:
        """Return the double that a reference `[kind, number, options]` stands for."""
        kind, number, form = reference
        if number not in self._known:
            self._known[number] = _MAKERS[kind](self._learner, number, dict(form))
        return self._known[number]


def _function(learner: "Learner", number: int, options: dict[str, Any]) -> Callable[..., Any]:
    async def waits(*arguments: object) -> Any:
        return await learner.effect(number, list(arguments))

    def plain(*arguments: object) -> Any:
        return learner.ask(number, list(arguments))

    double: Any = waits if options["waits"] else plain
    double.spoken = options["spoken"]
    made: Callable[..., Any] = double
    return made


class _Random(random.Random):
    """A generator whose every draw is the judge's."""

    def __init__(self, learner: "Learner", number: int, options: dict[str, Any]) -> None:
        self._learner, self._number = learner, number
        super().__init__(0)

    def random(self) -> float:
        value: float = self._learner.ask(self._number, ["random"])
        return value

    def getrandbits(self, k: int, /) -> int:
        return int(self._learner.ask(self._number, ["bits", k]), 16)


_MAKERS: dict[str, Callable[["Learner", int, dict[str, Any]], object]] = {
    "redis": redis_client,
    "http": http_client,
    "sql": SqlConnection,
    "function": _function,
    "random": _Random,
}
