"""Exercise: what to undo, and in which order, when a saga cannot go on.

A plain function of the steps and of what became of them. Left out: doing it (see recovery).
"""

import random
from collections.abc import Iterable

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed

__all__ = ["COMPENSATION"]

NAMES = ("hold seat", "hold room", "reserve", "charge", "hold car", "lock price", "add points")
Steps = list[list[str]]


def to_undo(steps: Steps, outcomes: list[str]) -> list[str]:
    """The undos, last step first: of what was done, and of what may have been done."""
    tried = list(zip(steps, outcomes, strict=False))
    if any(kind == "pivot" and outcome == "done" for (_, kind, _), outcome in tried):
        return []
    return [
        undo
        for (_, kind, undo), outcome in reversed(tried)
        if kind == "compensatable" and outcome != "refused"
    ]


def _steps(draw: random.Random, undoable: int) -> Steps:
    """Compensatable steps with a nonsense-free undo each, a pivot, and one retriable step."""
    names = draw.sample(NAMES, undoable)
    first = [[name, "compensatable", f"undo {name}"] for name in names]
    return [*first, ["ship", "pivot", ""], ["notify", "retriable", ""]]


def _cases(draw: random.Random, last: str) -> Iterable[Case]:
    """Sagas of two to four compensatable steps that got stuck at each of their steps."""
    for undoable in (2, 3, 4):
        steps = _steps(draw, undoable)
        for stuck in range(1, undoable + 1):
            yield steps, [*["done"] * stuck, last]


def refused(draw: random.Random) -> Iterable[Case]:
    """Somebody said no, up to and with the pivot."""
    return _cases(draw, "refused")


def unknown(draw: random.Random) -> Iterable[Case]:
    """A compensatable step did not answer."""
    for steps, outcomes in _cases(draw, "unknown"):
        assert isinstance(outcomes, list)
        yield steps, outcomes[1:]


def decided(draw: random.Random) -> Iterable[Case]:
    """The pivot is done: there is no way back."""
    for undoable in (1, 2, 3):
        steps = _steps(draw, undoable)
        for last in ([], ["unknown"]):
            yield steps, [*["done"] * (undoable + 1), *last]


def nothing(draw: random.Random) -> Iterable[Case]:
    """Nothing was tried, or the first step was refused."""
    return [(_steps(draw, 2), []), (_steps(draw, 3), ["refused"])]


STUB = '''
def to_undo(steps, outcomes):
    """The undos to ask for, in order, when a saga cannot go on.

    steps: [[action, kind, undo], ...] in order; kind is "compensatable", "pivot" or "retriable",
    and only a compensatable step has an undo. outcomes: what became of the first steps, in
    order: "done", "refused" (nothing happened) or "unknown" (nobody answered: it may have
    happened). Undoing what never happened does no harm. After the pivot nothing is undone.
    """
    raise NotImplementedError
'''

ANSWER = """
def to_undo(steps, outcomes):
    undos = []
    for (action, kind, undo), outcome in zip(steps, outcomes):
        if kind == "pivot" and outcome == "done":
            return []
        if kind == "compensatable" and outcome != "refused":
            undos.insert(0, undo)
    return undos
"""

NAMED = ("steps", "outcomes")

COMPENSATION = Exercise(
    id="sagas.compensation",
    place=1,
    title="What to undo, and in which order",
    name="to_undo",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("refused", "what was done is undone, last one first.", refused, to_undo, NAMED),
        pure(
            "unknown",
            "a step that may have happened is undone as well.",
            unknown,
            to_undo,
            NAMED,
        ),
        pure("decided", "after the pivot nothing is undone.", decided, to_undo, NAMED),
        pure("nothing", "where nothing was done, nothing is undone.", nothing, to_undo, NAMED),
    ),
    mistakes=(
        Mistake(
            "in the order of doing",
            changed(ANSWER, ("undos.insert(0, undo)", "undos.append(undo)")),
            "You undo in the order in which it was done. Later steps stand on earlier ones, so the "
            "last one is taken back first: T1 T2, then C2 C1.",
        ),
        Mistake(
            "a time-out is a no",
            changed(ANSWER, ('outcome != "refused"', 'outcome == "done"')),
            "You take a step without an answer for one that did not happen. A time-out says "
            "nothing: the money may be gone. Undo it too; undoing nothing does no harm.",
        ),
        Mistake(
            "undoes the refused",
            changed(ANSWER, (' and outcome != "refused"', "")),
            "You undo the step that was refused. It changed nothing, and a refund for it may be "
            "real money. Undo what was done or may have been.",
        ),
        Mistake(
            "back over the pivot",
            changed(
                ANSWER,
                (
                    '        if kind == "pivot" and outcome == "done":\n            return []\n',
                    "",
                ),
            ),
            "You go back over the pivot: the parcel is on its way and you return the money. "
            "After the pivot a saga only goes forward.",
        ),
    ),
    hints=(
        "Write down T1 T2 T3 for a saga whose fourth step is refused. Which undos, in which order?",
        "Walk through steps and outcomes together: `zip(steps, outcomes)` stops at the shorter.",
        'Put each undo in front of the others; leave out "refused"; return [] once a pivot '
        'is "done".',
    ),
)
