"""Handles of the world, the judge's half: what is handed to a learner stays here, and its number
travels.

A handle answers questions that cannot wait (`ask`: the time, a random number) and performs effects
that can (`effect`: a Redis command, an SQL statement, an HTTP request). `KINDS` says how each type
is told apart; the learner's half has the same kinds (see inside.handles). A new kind of handle
belongs into both; a new exercise does not.
"""

import inspect
import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import aiosqlite
import httpx
import redis.asyncio

from course_lib.grading.protocol.http import Http
from course_lib.grading.protocol.objects import Object, Parts, Promise, Random, is_parts
from course_lib.grading.protocol.redis import Redis
from course_lib.grading.protocol.sql import Sql
from course_lib.grading.protocol.values import NotSendable

__all__ = ["Handles"]

KINDS: tuple[tuple[str, Callable[[object], bool], Callable[[Any], Any]], ...] = (
    ("redis", lambda value: isinstance(value, redis.asyncio.Redis), Redis),
    ("http", lambda value: isinstance(value, httpx.AsyncClient), Http),
    ("sql", lambda value: isinstance(value, aiosqlite.Connection), Sql),
    ("random", lambda value: isinstance(value, random.Random), Random),
    ("parts", is_parts, Parts),
    ("promise", inspect.isawaitable, Promise),
    ("object", lambda value: not isinstance(value, ModuleType), Object),
)


class Handles:
    """All handles of one session, by number."""

    def __init__(self) -> None:
        self._known: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []

    def refer(self, value: object) -> list[Any]:
        """Return what stands for a handle on the wire: kind, number, what its double needs, and how
        it shows in a call.
        """
        for kind, fits, make in KINDS:
            if fits(value):
                number = self._numbered(value, make)
                return [kind, number, self._known[number].options(), _spoken(value)]
        raise NotSendable(f"an object of type {type(value).__name__}, which no handle stands for")

    def resolve(self, number: Any) -> object:
        """Return the object of a handle that comes back, as an argument of a callback."""
        if type(number) is not int or not 0 <= number < len(self._kept):
            raise NotSendable("a handle that was never handed out")
        return self._kept[number]

    def _numbered(self, value: object, make: Callable[[Any], Any]) -> int:
        """The same object has the same number; it is kept, so that its identity stays its own."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._known)
            self._known.append(make(value))
            self._kept.append(value)
        return self._numbers[id(value)]

    def ask(self, number: int, payload: Any) -> object:
        """Answer at once."""
        return self._of(number).ask(payload)

    async def effect(self, number: int, payload: Any) -> object:
        """Perform an effect and return its answer."""
        return await self._of(number).effect(payload)

    def _of(self, number: int) -> Any:
        if not 0 <= number < len(self._known):
            raise NotSendable("a handle that was never handed out")
        return self._known[number]


def _spoken(value: object) -> str:
    return str(getattr(value, "spoken", type(value).__name__.lower()))
