"""Functions and objects of a check as handles: called by the learner, run by the judge.

What a learner can reach of an object is what it could reach in a notebook by fair means: its public
methods, its plain public values, `async with`, `async for`. Left out: callbacks the other way; a
learner's function cannot be handed to the judge.
"""

import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

from course_lib.grading.protocol.values import NotSendable, encode

__all__ = ["Object", "Parts", "Promise", "Random", "is_parts"]


class Object:
    """A function, or an object with public methods: `world.time`, a `charge` that may fail."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._methods = {} if isinstance(target, type) else _methods(target)

    def options(self) -> dict[str, object]:
        """Which methods there are and which of them are to be awaited; "" is the call itself."""
        itself = {"": _waits(self._target)} if callable(self._target) else {}
        return {"methods": itself | self._methods, "enters": hasattr(self._target, "__aenter__")}

    def ask(self, payload: Any) -> object:
        """Call something plain, or read a plain value."""
        match payload:
            case ["call", str(name), list(given), dict(named)] if not self._is_async(name):
                return self._method(name)(*given, **named)
            case ["get", str(name)] if not name.startswith("_"):
                return _plain(getattr(self._target, name))
        raise NotSendable("a plain call of no known form")

    async def effect(self, payload: Any) -> object:
        """Call something and wait; or enter and leave an `async with`."""
        match payload:
            case ["call", str(name), list(given), dict(named)] if self._is_async(name):
                return await self._method(name)(*given, **named)
            case ["enter"]:
                return await self._target.__aenter__()
            case ["exit", None]:
                return bool(await self._target.__aexit__(None, None, None))
            case ["exit", Exception() as error]:
                return bool(await self._target.__aexit__(type(error), error, None))
        raise NotSendable("a call of no known form")

    def _is_async(self, name: str) -> bool:
        return self._methods.get(name, False) if name else _waits(self._target)

    def _method(self, name: str) -> Any:
        if name and name not in self._methods:
            raise NotSendable("a method that is not handed out")
        return getattr(self._target, name) if name else self._target


class Promise:
    """What a plain function gave back to be awaited."""

    def __init__(self, target: Awaitable[object]) -> None:
        self._target = target

    def options(self) -> dict[str, object]:
        """Nothing to say."""
        return {}

    def ask(self, payload: Any) -> object:
        """It must be awaited."""
        raise NotSendable("an answer that is not awaited")

    async def effect(self, payload: Any) -> object:
        """Wait for it."""
        return await self._target


class Parts:
    """An iterator, plain or async, such as the parts of a file: one item at a time."""

    def __init__(self, target: Any) -> None:
        self._waits = hasattr(target, "__aiter__")
        self._items: Any = aiter(target) if self._waits else iter(target)

    def options(self) -> dict[str, object]:
        """Whether it is for `async for`."""
        return {"waits": self._waits}

    def ask(self, payload: Any) -> object:
        """Return the next item in a list, and an empty one at the end."""
        if self._waits:
            raise NotSendable("a plain look at an async iterator")
        item = next(self._items, _END)
        return [] if item is _END else [item]

    async def effect(self, payload: Any) -> object:
        """Wait for the next item."""
        if not self._waits:
            raise NotSendable("a wait for a plain iterator")
        item = await anext(self._items, _END)
        return [] if item is _END else [item]


_END = object()


class Random:
    """A random generator: every draw is the judge's."""

    def __init__(self, target: random.Random) -> None:
        self._target = target

    def options(self) -> dict[str, object]:
        """Nothing to say."""
        return {}

    def ask(self, payload: Any) -> object:
        """Draw a float, or a number of bits (at most 4,096)."""
        match payload:
            case ["random"]:
                return self._target.random()
            case ["bits", int(bits)] if 0 <= bits <= 4096:
                return f"{self._target.getrandbits(bits):x}"
        raise NotSendable("a draw of no known form")

    async def effect(self, payload: Any) -> object:
        """Draws do not wait."""
        raise NotSendable("a draw that waits")


def _plain(value: object) -> object:
    """Return a value that travels as plain data, or raise NotSendable."""
    encode(value)
    return value


def _waits(target: Any) -> bool:
    call = inspect.getattr_static(type(target), "__call__", None)
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(call)


def _methods(target: Any) -> dict[str, bool]:
    """The public methods by name, and whether each is to be awaited; nothing is called to see."""
    kinds = {n: inspect.getattr_static(target, n) for n in dir(type(target)) if n[0] != "_"}
    methods = {name for name, kind in kinds.items() if callable(kind) or isinstance(kind, _BOUND)}
    return {name: _waits(getattr(target, name)) for name in sorted(methods)}


_BOUND = (staticmethod, classmethod)


def is_parts(value: object) -> bool:
    """Whether a value is gone through item by item."""
    return isinstance(value, Iterator | AsyncIterator)
