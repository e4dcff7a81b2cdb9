"""Doubles of a check's functions, objects, iterators and random generators."""

import random
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_lib.grading.inside.learner import Learner

__all__ = ["RandomDouble", "object_double", "parts_double", "promise_double"]


def object_double(learner: "Learner", number: int, options: dict[str, Any]) -> object:
    """Return a function, or an object with the methods of the judge's."""
    methods, enters = options["methods"], options["enters"]
    if list(methods) == [""] and not enters:
        return _method(learner, number, "", methods[""])
    kind = type("Double", (_Entered if enters else _Double,), {})
    double = kind(learner, number)
    for name, waits in methods.items():
        made = _method(learner, number, name, waits)
        setattr(kind, "__call__", staticmethod(made)) if not name else setattr(double, name, made)
    return double


def _method(learner: "Learner", number: int, name: str, waits: bool) -> Callable[..., Any]:
    async def asynchronous(*given: object, **named: object) -> Any:
        return await learner.effect(number, ["call", name, list(given), named])

    def plain(*given: object, **named: object) -> Any:
        return learner.ask(number, ["call", name, list(given), named])

    return asynchronous if waits else plain


class _Double:
    """An object of the judge's: its public values are asked for when they are read."""

    def __init__(self, learner: "Learner", number: int) -> None:
        self._learner, self._number = learner, number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._learner.ask(self._number, ["get", name])


class _Entered(_Double):
    """An object for `async with`, such as a lock."""

    async def __aenter__(self) -> Any:
        return await self._learner.effect(self._number, ["enter"])

    async def __aexit__(self, kind: object, error: object, *rest: object) -> bool:
        told = error if isinstance(error, Exception) or error is None else RuntimeError(str(error))
        return bool(await self._learner.effect(self._number, ["exit", told]))


def promise_double(
    learner: "Learner", number: int, options: dict[str, Any]
) -> Coroutine[Any, Any, Any]:
    """Return something to be awaited once."""
    return learner.effect(number, None)


def parts_double(learner: "Learner", number: int, options: dict[str, Any]) -> object:
    """Return an iterator over the judge's items."""
    return (_AsyncParts if options["waits"] else _Parts)(learner, number)


class _Parts:
    def __init__(self, learner: "Learner", number: int) -> None:
        self._learner, self._number = learner, number

    def __iter__(self) -> "_Parts":
        return self

    def __next__(self) -> Any:
        for item in self._learner.ask(self._number, None):
            return item
        raise StopIteration


class _AsyncParts:
    def __init__(self, learner: "Learner", number: int) -> None:
        self._learner, self._number = learner, number

    def __aiter__(self) -> "_AsyncParts":
        return self

    async def __anext__(self) -> Any:
        for item in await self._learner.effect(self._number, None):
            return item
        raise StopAsyncIteration


class RandomDouble(random.Random):
    """A generator whose every draw is the judge's."""

    def __init__(self, learner: "Learner", number: int, options: dict[str, Any]) -> None:
        self._learner, self._number = learner, number
        super().__init__(0)

    def random(self) -> float:
        value: float = self._learner.ask(self._number, ["random"])
        return value

    def getrandbits(self, k: int, /) -> int:
        return int(self._learner.ask(self._number, ["bits", k]), 16)
