"""Functions and random generators as handles: called by the learner, run by the judge."""

import inspect
import random
from typing import Any

from course_lib.grading.protocol.values import NotSendable

__all__ = ["Function", "Random"]


class Function:
    """A function of the check, plain or async: `world.time`, or a `send` that fails on purpose."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self._waits = inspect.iscoroutinefunction(target)

    def options(self) -> dict[str, object]:
        """Whether it is to be awaited, and how it shows in a call."""
        return {"waits": self._waits, "spoken": type(self._target).__name__.lower()}

    def ask(self, payload: Any) -> object:
        """Call it with positional arguments."""
        if self._waits:
            raise NotSendable("a plain call of an async function")
        return self._target(*_arguments(payload))

    async def effect(self, payload: Any) -> object:
        """Call it and wait."""
        if not self._waits:
            raise NotSendable("an await of a plain function")
        return await self._target(*_arguments(payload))


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
            case ["bits", int(bits)] if 0 < bits <= 4096:
                return f"{self._target.getrandbits(bits):x}"
        raise NotSendable("a draw of no known form")

    async def effect(self, payload: Any) -> object:
        """Draws do not wait."""
        raise NotSendable("a draw that waits")


def _arguments(payload: Any) -> list[object]:
    if type(payload) is not list:
        raise NotSendable("arguments that are no list")
    return payload
