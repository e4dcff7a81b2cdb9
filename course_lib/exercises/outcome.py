"""What a check has to say: NOT STARTED, PASS, FAIL or UNKNOWN, and why.

A `Verdict` is data, the same for a learner's check and for a judge; `Outcome` shows it, as one
short paragraph of text and as Markdown in which nothing of the learner's acts as markup. Left
out: the drawing of a schedule, which `picture` asks course_lib.show for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from course_lib.exercises.text import block, code, printable, prose

__all__ = ["Outcome", "Result", "State", "Verdict", "schedule"]


class State(StrEnum):
    """The four things that a check can say."""

    NOT_STARTED = "NOT STARTED"
    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Result:
    """One property's verdict; `reason` reveals nothing of the draw, `counterexample` does."""

    property: str
    state: State
    sentence: str
    reason: str = ""
    counterexample: str = ""
    misconception: str = ""
    effects: tuple[Any, ...] = ()
    cases: int = 0


@dataclass(frozen=True)
class Verdict:
    """The verdict on one attempt: its state, a result per property, the one to show."""

    state: State
    results: tuple[Result, ...]
    seed: int | None = None

    @property
    def first(self) -> Result:
        """The first result that speaks for the state."""
        return next((r for r in self.results if r.state is self.state), self.results[0])


@dataclass(frozen=True, repr=False)
class Outcome:
    """A verdict with what a notebook shows of it; `notes` are our own sentences, `printed` the
    learner's output.
    """

    exercise: str
    title: str
    verdict: Verdict
    notes: tuple[str, ...] = ()
    printed: str = ""

    @property
    def state(self) -> State:
        """NOT STARTED, PASS, FAIL or UNKNOWN."""
        return self.verdict.state

    @property
    def effects(self) -> tuple[Any, ...]:
        """The schedule that shows the failure; empty when there is none."""
        return self.verdict.first.effects if self.state is State.FAIL else ()

    def sentences(self) -> list[str]:
        """What there is to say after the state, one sentence or two each."""
        first = self.verdict.first
        if self.state is State.NOT_STARTED:
            return [
                f"Fill the stub in, run its cell, then run this cell again. {first.reason}".strip()
            ]
        if self.state is State.PASS:
            return [f"{self.title}: {_count(self.verdict)}"]
        parts = [first.reason, first.counterexample, first.misconception]
        if self.state is State.FAIL and first.sentence:
            parts.insert(0, f"What must hold: {first.sentence}")
        return [part for part in parts if part]

    def __repr__(self) -> str:
        text = " ".join([f"{self.state}: {self.exercise}.", *self.sentences(), *self.notes])
        lines = [printable(text).replace("\n", " ")]
        if self.effects:
            lines += [schedule(self.effects)]
        if self.printed:
            lines += ["Printed by your code:", printable(self.printed)]
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        head = f"**{_SIGN[self.state]} {self.state}** · {code(self.exercise)}"
        parts = [head, *(prose(s) for s in self.sentences()), *(prose(note) for note in self.notes)]
        if self.effects:
            parts += ["The schedule:", block(schedule(self.effects))]
        if self.printed:
            parts += ["Printed by your code:", block(self.printed)]
        return "\n\n".join(parts)

    def picture(self) -> object:
        """Return the schedule of the failure as a sequence diagram, or None when there is none."""
        if not self.effects:
            return None
        from course_lib import show

        return show.play(show.sequence_of(list(self.effects), title=self.title))


_SIGN = {State.PASS: "●", State.FAIL: "▲", State.NOT_STARTED: "○", State.UNKNOWN: "◌"}


def _count(verdict: Verdict) -> str:
    cases = sum(result.cases for result in verdict.results)
    names = len({result.property for result in verdict.results})
    return f"all {names} properties hold, {cases:,} cases tried."


def schedule(effects: Sequence[object]) -> str:
    """Return effects as numbered lines: who, what, the answer; one line an effect."""
    return "\n".join(_effect_line(number, effect) for number, effect in enumerate(effects, 1))


def _effect_line(number: int, effect: object) -> str:
    who, what = getattr(effect, "who", "?"), getattr(effect, "what", effect)
    answer = str(getattr(effect, "result", ""))
    told = f"{who}: {what}"
    line = told if len(told) <= 100 else told[:96] + " ..."
    return f"{number:>3}. {line} -> {answer[:60]}".replace("\n", " ")
