"""What an invariant said of a result, and the effect log that goes with it.

An invariant is a function of the scenario's result. It returns False or raises AssertionError when
it is broken; the AssertionError's text, if any, becomes the message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course_lib.lab.world import Effect

__all__ = ["Counterexample", "Invariant", "schedule", "violated"]

Invariant = Callable[[Any], bool | None]


@dataclass(frozen=True)
class Counterexample:
    """A run that broke the invariant: its effects in the order in which they were applied."""

    effects: list[Effect]
    result: object
    message: str
    switches: int = 0

    def __str__(self) -> str:
        return f"{schedule(self.effects)}\n{self.message}"

    __repr__ = __str__


def schedule(effects: list[Effect]) -> str:
    """The effects as numbered lines, one column a node: who asked, what, and the answer."""
    widest = max((len(effect.who) for effect in effects), default=0)
    lines = []
    for number, effect in enumerate(effects, start=1):
        what = str(effect).partition(": ")[2]
        lines.append(f"{number:>3}  {effect.who:<{widest}}  {what}")
    return "\n".join(lines)


def violated(invariant: Invariant, result: object, error: BaseException | None) -> str | None:
    """None while the invariant holds, else the sentence that says how it broke."""
    if error is not None:
        return f"The scenario raised {type(error).__name__}: {error}"
    try:
        verdict = invariant(result)
    except AssertionError as broken:
        return str(broken) or f"The invariant does not hold for {result!r}."
    return f"The invariant does not hold for {result!r}." if verdict is False else None
