"""One exercise of one submission: drive the learner's code in a jail, and say what it did.

What is said has no time of day and no duration, so that the same submission gives the same bytes.
The graded seeds decide; what a learner may read comes from a draw that is not graded. Left out:
points.
"""

from collections.abc import Callable
from typing import Any

from course_lib.exercises.examine import examine
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.outcome import Result, State, Verdict
from course_lib.exercises.registry import find
from course_lib.exercises.text import printable
from course_lib.grading.errors import VIOLATION
from course_lib.grading.judge.twins import shape
from course_lib.grading.protocol.channel import Channel, Violation
from course_lib.grading.protocol.remote import RemoteAttempt
from course_lib.grading.protocol.session import Session

__all__ = ["judge"]

Said = dict[str, Any]
Open = Callable[[], Channel]
LONGEST = 400  # characters of one text
MOST = 60  # effects of one schedule


def judge(task: Said, open_channel: Open) -> Said:
    """Return what there is to say about one exercise: its state, a line per property, an example.

    `task` holds the exercise's id, the learner's source, the prelude, the graded seeds and the
    seed of the example; `open_channel` starts a jail.
    """
    exercise = find(task["exercise"])
    seen = shape(task["source"])
    twin = {} if seen in ("", shape(exercise.stub)) else {"shape": seen}
    return {**_judged(exercise, task, open_channel), **twin}


def _judged(exercise: Exercise, task: Said, open_channel: Open) -> Said:
    try:
        graded, told = _examined(exercise, task, task["seeds"], open_channel)
    except Violation as violation:
        return _violated(exercise, violation)
    said: Said = {"exercise": exercise.id, "state": str(graded.state)}
    said |= {"cell": _cell(exercise, told), "properties": _lines(exercise, graded)}
    if graded.state in (State.FAIL, State.UNKNOWN) and _defined(told):
        said["example"] = _example(exercise, task, open_channel)
    return said


def _examined(
    exercise: Exercise, task: Said, seeds: list[int], open_channel: Open
) -> tuple[Verdict, Said]:
    """Put the learner's code to the check in a fresh jail; raise Violation when it broke a rule."""
    session = Session(open_channel())
    hello = {key: task[key] for key in ("prelude", "source")}
    told = session.start({**hello, "name": exercise.name})
    verdict = examine(exercise, RemoteAttempt(session, exercise.name), seeds)
    if session.violation is not None:
        raise session.violation
    return verdict, told


def _defined(told: Said) -> bool:
    return told.get("found") is True


def _cell(exercise: Exercise, told: Said) -> str:
    """What running the cell showed, in our own words."""
    failed = printable(str(told.get("failed", "")))[:80]
    if not _defined(told):
        reason = f"; the cell ended with {failed}" if failed else ""
        return f"The cell does not define `{exercise.name}`{reason}."
    return f"The cell ended with {failed}." if failed else ""


def _violated(exercise: Exercise, violation: Violation) -> Said:
    return {
        "exercise": exercise.id,
        "state": VIOLATION,
        "kind": violation.kind,
        "cell": violation.sentence,
        "properties": [],
    }


def _lines(exercise: Exercise, verdict: Verdict) -> list[Said]:
    """One line per property of the exercise, in its order; what was not reached is UNKNOWN."""
    found = {result.property: result for result in verdict.results}
    return [_line(item.name, item.sentence, found.get(item.name)) for item in exercise.properties]


def _line(name: str, sentence: str, result: Result | None) -> Said:
    state = str(result.state if result else State.UNKNOWN)
    line = {"property": name, "sentence": sentence, "state": state}
    if result and result.state is State.FAIL:
        line["misconception"] = result.misconception
    return line


def _example(exercise: Exercise, task: Said, open_channel: Open) -> Said:
    """Fail once more on a draw that is not graded, and say how; empty when it does not fail."""
    try:
        verdict, _ = _examined(exercise, task, [task["example"]], open_channel)
    except Violation:
        return {}
    if verdict.state is State.PASS:
        return {}
    first = verdict.first
    return {
        "property": first.property,
        "reason": _text(first.reason),
        "counterexample": _text(first.counterexample),
        "effects": [_effect(effect) for effect in first.effects[:MOST]],
    }


def _text(text: object, longest: int = LONGEST) -> str:
    shown = printable(str(text)).replace("\n", " ")
    return shown if len(shown) <= longest else shown[: longest - 4] + " ..."


def _effect(effect: Any) -> Said:
    return {
        "who": _text(effect.who, 40),
        "target": _text(effect.target, 40),
        "what": _text(effect.what, 100),
        "result": _text(effect.error or effect.result, 60),
        "time": effect.time,
    }
