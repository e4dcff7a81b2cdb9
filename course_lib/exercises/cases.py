"""Properties of plain functions: draw cases, ask, compare with the truth, report the shortest
case that is wrong.

Left out: functions that wait for a world; their properties are written by hand.
"""

import random
from collections.abc import Callable, Iterable

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Property
from course_lib.exercises.plain import fold, plain, same, shown

__all__ = ["Case", "pure"]

Case = tuple[object, ...]


def pure(
    name: str,
    sentence: str,
    draw: Callable[[random.Random], Iterable[Case]],
    truth: Callable[..., object],
    names: tuple[str, ...] = (),
) -> Property:
    """Return a property: for all drawn cases the answer is `truth(*case)`; 2 and 2.0 are both
    right.
    """

    def holds(attempt: Attempt, random: random.Random) -> int:
        cases = list(draw(random))
        wrong = [
            _wrong(attempt.name, names, case, attempt.call(*case), truth(*case)) for case in cases
        ]
        found = sorted(filter(None, wrong), key=lambda text: (len(text), text))
        if found:
            raise Counterexample(found[0])
        return len(cases)

    return Property(name, sentence, holds)


def _wrong(name: str, names: tuple[str, ...], case: Case, answer: object, right: object) -> str:
    """Return the counterexample in words, empty when the answer is right."""
    wanted = plain(right)
    if same(fold(answer), fold(wanted)):
        return ""
    got = f"{shown(answer)}{_kind(answer, wanted)}"
    return f"`{name}({_told(names, case)})` answered `{got}`; right is `{shown(wanted)}`."


def _told(names: tuple[str, ...], case: Case) -> str:
    texts = [shown(plain(value)) for value in case]
    named = zip(names, texts, strict=True) if names else [("", text) for text in texts]
    return ", ".join(f"{key}={text}" if key else text for key, text in named)


def _kind(answer: object, wanted: object) -> str:
    """Name the type where it explains the difference: 1 for True, "2" for 2."""
    if answer is None or type(answer) is type(wanted) or wanted is None:
        return ""
    return f" ({type(answer).__name__})"
