"""The functions that a notebook calls: check, hint, solution, reset.

Nothing here raises: whatever goes wrong is a sentence, for a learner sees the cell's output and
no more. Hints and the question before a solution start afresh with the kernel, so that a notebook
run from the top always reads the same.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from course_lib.exercises.attempt import LocalAttempt
from course_lib.exercises.examine import examine, unfinished
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.outcome import Outcome, State, Verdict
from course_lib.exercises.output import captured
from course_lib.exercises.progress import Progress
from course_lib.exercises.registry import find
from course_lib.exercises.text import prose
from course_lib.exercises.timebox import Overtime, limited

__all__ = ["Said", "check", "hint", "reset", "solution"]

LIMIT = 5.0  # seconds of real time for one check
_hints: Counter[str] = Counter()
_asked: set[str] = set()


@dataclass(frozen=True, repr=False)
class Said:
    """A sentence for the learner, and perhaps code of ours below it."""

    sentence: str
    code: str = ""

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.code}".strip()

    def _repr_markdown_(self) -> str:
        fence = f"\n\n```python\n{self.code.strip()}\n```" if self.code else ""
        return prose(self.sentence) + fence


def check(name: str, attempt: object, *, limit: float = LIMIT) -> Outcome | Said:
    """Check the learner's object for an exercise and keep the progress; `limit` in seconds of
    real time.
    """
    try:
        exercise = find(name)
    except LookupError as unknown:
        return Said(str(unknown.args[0]))
    with captured() as printed:
        verdict = _verdict(exercise, attempt, limit)
    note = _recorded(exercise, verdict.state)
    notes = tuple(filter(None, [note]))
    return Outcome(exercise.id, exercise.title, verdict, notes, printed.text())


def _verdict(exercise: Exercise, attempt: object, limit: float) -> Verdict:
    """Put the object to the check inside the time box, once per public seed."""
    if attempt is None or attempt is Ellipsis:
        return unfinished(State.NOT_STARTED, f"There is no `{exercise.name}` yet.")
    local = LocalAttempt(attempt, exercise.name)
    try:
        return limited(lambda: examine(exercise, local, exercise.seeds), limit)
    except Overtime as over:
        return unfinished(State.FAIL, _overtime(exercise, over))
    except KeyboardInterrupt:
        return unfinished(State.UNKNOWN, "Nothing was decided: you interrupted the check.")


def _overtime(exercise: Exercise, over: Overtime) -> str:
    if over.held:
        return (
            f"`{exercise.name}` took longer than {over.limit:g} s inside one call that runs in C, "
            "such as a sum over a "
            "huge range. Python cannot stop such a call; had it gone on, only a restart of the "
            "kernel would help."
        )
    return (
        f"`{exercise.name}` did not finish: it was stopped after {over.limit:g} s. "
        "Look for a loop whose end is never reached."
    )


def _recorded(exercise: Exercise, state: State) -> str:
    """Note the state; once passed stays passed."""

    def how(entry: dict[str, Any]) -> dict[str, Any]:
        passed = entry.get("passed") is True or state is State.PASS
        return {
            **entry,
            "state": str(state),
            "passed": passed,
            "checks": _number(entry, "checks") + 1,
        }

    return _saved(exercise, how)


def _number(entry: dict[str, Any], key: str) -> int:
    value = entry.get(key, 0)
    return value if type(value) is int else 0


def _saved(exercise: Exercise, how: Any) -> str:
    try:
        return Progress().change(exercise.id, how)
    except Exception as error:  # no home directory, no disk: a check must not fail for it
        return (
            f"Your progress could not be saved ({type(error).__name__}); the check is not affected."
        )


def hint(name: str) -> Said:
    """Return the exercise's next hint; after the last one, the last again."""
    try:
        exercise = find(name)
    except LookupError as unknown:
        return Said(str(unknown.args[0]))
    levels = len(exercise.hints)
    level = min(_hints[name] + 1, levels)
    _hints[name] = level
    _saved(exercise, lambda e: {**e, "hints": max(level, _number(e, "hints"))})
    last = " This is the last hint; `solution` shows an answer." if level == levels else ""
    return Said(f"Hint {level} of {levels}: {exercise.hints[level - 1]}{last}")


def solution(name: str) -> Said:
    """Ask once, then return an answer."""
    try:
        exercise = find(name)
    except LookupError as unknown:
        return Said(str(unknown.args[0]))
    if name not in _asked:
        _asked.add(name)
        return Said(
            f"An answer to {name} is here. Run this cell again to see it; `hint` helps without it."
        )
    _saved(exercise, lambda e: {**e, "solution": True})
    return Said(f"One answer to {name}:", exercise.answer)


def reset(name: str) -> Said:
    """Forget the progress on an exercise and return its stub's text."""
    try:
        exercise = find(name)
    except LookupError as unknown:
        return Said(str(unknown.args[0]))
    _hints.pop(name, None)
    _asked.discard(name)
    note = _saved(exercise, lambda e: None)
    return Said(f"{name} starts again. Paste this into its cell. {note}".strip(), exercise.stub)
