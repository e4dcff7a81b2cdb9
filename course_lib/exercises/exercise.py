"""An exercise: a stub to fill, the properties its check looks for, an answer, mistakes with their
messages, hints.

A property draws all its parameters from the random generator that it is given, so a seed is all
that a judge has to hide. It returns how many cases it exercised, and raises `Counterexample` for
the first thing that is wrong. Left out: running (see examine), the learner's progress (see
progress).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from course_lib.exercises.attempt import Attempt

__all__ = ["Counterexample", "Exercise", "Mistake", "Property", "Unfinished", "changed", "define"]


class Counterexample(Exception):
    """A property does not hold: `sentence` says how, `effects` is the schedule, `misconception`
    what may be behind it.
    """

    def __init__(
        self, sentence: str, effects: Sequence[object] = (), misconception: str = ""
    ) -> None:
        super().__init__(sentence)
        self.sentence, self.effects, self.misconception = sentence, tuple(effects), misconception


class Unfinished(Exception):
    """The learner's code came to no end in the lab; no other property is tried."""


@dataclass(frozen=True)
class Property:
    """One law, all or nothing: `holds(attempt, draw)` returns the number of cases exercised."""

    name: str
    sentence: str
    holds: Callable[[Attempt, random.Random], int]
    symptom: str = ""


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer: its source, and what a learner with this idea should read."""

    name: str
    source: str
    message: str


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise of a chapter; `name` is the function or class that the learner defines."""

    id: str
    place: int
    title: str
    name: str
    stub: str
    answer: str
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    properties: tuple[Property, ...]
    reversed: bool = False
    seeds: tuple[int, ...] = field(default=(1, 2, 3))

    @property
    def chapter(self) -> str:
        """The chapter's slug: `rate_limiting` for `rate_limiting.retry_after`."""
        return self.id.partition(".")[0]

    @cached_property
    def models(self) -> dict[str, object]:
        """What code with each anticipated mistake would do: the objects, by the mistake's name."""
        return {m.name: define(m.source, self.name, f"<{self.id} {m.name}>") for m in self.mistakes}


def define(source: str, name: str, file: str = "<exercise>") -> object:
    """Run trusted source text and return the object it defines: `define("def f(): ...", "f")`."""
    scope: dict[str, object] = {"__name__": "__exercise__"}
    exec(compile(source, file, "exec"), scope)
    return scope[name]


def changed(source: str, *changes: tuple[str, str]) -> str:
    """Return source text with one thought replaced: `changed("a < b", ("<", "<="))` -> `"a <=
    b"`.

    A mistake made so differs from the answer in that thought alone. Raises ValueError when it is
    not there.
    """
    for old, new in changes:
        if old not in source:
            raise ValueError(f"the source has no {old!r}")
        source = source.replace(old, new)
    return source.lstrip("\n")
