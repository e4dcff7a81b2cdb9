"""An effect: one thing that a node did to the outside, on its way and in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["Director", "Effect", "Failed", "Pending"]


@dataclass
class Effect:
    """One thing that a node did to the outside; times are virtual seconds.

    `time` is when it was applied. `keys` names what it touches on its target (None: everything),
    and `writes` is False for a pure read. `unheard`: nobody waited any more when it was applied.

    >>> print(Effect(1, "server 1", "redis", "INCR hits", sent=0.0, time=0.5, result=1))
    server 1: INCR hits -> 1
    """

    number: int
    who: str
    target: str
    what: str
    sent: float
    time: float | None = None
    answered: float | None = None
    result: object = None
    error: str | None = None
    keys: frozenset[str] | None = None
    writes: bool = True
    unheard: bool = False

    def __str__(self) -> str:
        outcome = self.error if self.error else _short(self.result)
        late = " (too late: nobody waits for it)" if self.unheard else ""
        return f"{self.who}: {self.what} -> {outcome}{late}"


def _short(value: object, longest: int = 60) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= longest else text[: longest - 3] + "..."


@dataclass(eq=False, slots=True)
class Pending:
    """An effect on its way, and what will happen when it arrives."""

    world: World
    effect: Effect
    apply: Callable[[], object]
    refuse: Callable[[str], Exception]
    shown: Callable[[object], object] | None
    answer: asyncio.Future[Any]
    turn: int

    def outcome(self) -> object:
        """Apply it; an error becomes a Failed, which travels back like any answer."""
        effect = self.effect
        try:
            if not self.world.is_up(effect.target):
                raise self.refuse(f"{effect.target} refuses the connection")
            result = self.apply()
            effect.result = self.shown(result) if self.shown else result
            return result
        except Exception as error:
            effect.error = f"{type(error).__name__}: {error}"
            return Failed(error)

    def give(self, outcome: object) -> None:
        """Let the sender have the answer, if it still waits."""
        if self.answer.done():
            return
        self.effect.answered = self.world.now_here()
        if isinstance(outcome, Failed):
            self.answer.set_exception(outcome.error)
        else:
            self.answer.set_result(outcome)

    def fail(self, error: BaseException) -> None:
        """End the waiting of the sender, who may not be there any more to look at the error."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()


@dataclass(frozen=True)
class Failed:
    """The answer of an effect that raised an error."""

    error: Exception


class Director(Protocol):
    """Whoever decides when a pending effect is applied, and whether its process lives to see it."""

    def take(self, pending: Pending) -> None: ...

    def fate(self, effect: Effect) -> str:
        """One of "lives", "before" (dies before it is applied), "after" (applied, then dies)."""
