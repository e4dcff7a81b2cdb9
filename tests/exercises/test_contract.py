"""The contract that every exercise keeps; the exercises are found by themselves."""

import json
import re
from collections.abc import Callable

import pytest

from course_lib.exercises.attempt import LocalAttempt
from course_lib.exercises.chapters import CHAPTERS, START
from course_lib.exercises.examine import examine
from course_lib.exercises.exercise import Exercise, Mistake, define
from course_lib.exercises.notebook import LIMIT, check
from course_lib.exercises.outcome import Outcome, State, Verdict
from course_lib.exercises.registry import discover, find

ALL = discover()
MISTAKES = [(exercise, mistake) for exercise in ALL for mistake in exercise.mistakes]


def _id(value: object) -> str:
    return getattr(value, "id", None) or getattr(value, "name", None) or str(value)


every_exercise = pytest.mark.parametrize("exercise", ALL, ids=_id)


def verdict(exercise: Exercise, source: str, seeds: range = range(1, 4)) -> Verdict:
    """Examine source text as a learner's object."""
    target = define(source, exercise.name, "<cell>")
    return examine(exercise, LocalAttempt(target, exercise.name), seeds)


def test_found() -> None:
    """Chapter 12 has at least five exercises, one of them reversed."""
    found = [exercise for exercise in ALL if exercise.chapter == "rate_limiting"]
    assert len(found) >= 5
    assert any(exercise.reversed for exercise in found)


@every_exercise
def test_named(exercise: Exercise) -> None:
    """An id is the chapter's slug and a name, the stub defines the object, the title is no id."""
    assert exercise.chapter in {chapter.slug for chapter in (START, *CHAPTERS)}
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", exercise.id)
    assert find(exercise.id) is exercise
    assert callable(define(exercise.stub, exercise.name))


@every_exercise
def test_stub(exercise: Exercise) -> None:
    """The stub is not started."""
    assert verdict(exercise, exercise.stub).state is State.NOT_STARTED


@every_exercise
@pytest.mark.parametrize("nothing", [None, ...], ids=["None", "Ellipsis"])
def test_nothing(exercise: Exercise, nothing: object) -> None:
    """No object at all is not started."""
    assert shown(check(exercise.id, nothing)).state is State.NOT_STARTED


@every_exercise
def test_answer(exercise: Exercise) -> None:
    """The answer passes on twenty seeds that the learner's check does not use."""
    result = verdict(exercise, exercise.answer, range(1000, 1020))
    assert result.state is State.PASS, result.first


@every_exercise
def test_enough(exercise: Exercise) -> None:
    """Three mistakes and three hints at least; messages, names and hints are distinct and not
    empty.
    """
    messages = [mistake.message for mistake in exercise.mistakes]
    assert len(set(messages)) == len(messages) >= 3
    assert len({mistake.name for mistake in exercise.mistakes}) == len(messages)
    assert len(set(exercise.hints)) == len(exercise.hints) >= 3
    assert all([*messages, *exercise.hints])


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=_id)
def test_mistake(exercise: Exercise, mistake: Mistake) -> None:
    """An anticipated mistake fails on every seed, and reads its own message and no other's."""
    for seed in (1, 2026):
        result = verdict(exercise, mistake.source, range(seed, seed + 1))
        assert result.state is State.FAIL
        assert result.first.misconception == mistake.message, result.first


class Yes:
    """Equal to everything, true, and iterable without an end to its agreement."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True


class Number(int):
    """An int that agrees with everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


VACUOUS: dict[str, Callable[[], object]] = {
    "True": lambda: True,
    "False": lambda: False,
    "0": lambda: 0,
    "1": lambda: 1,
    "0.0": lambda: 0.0,
    "None": lambda: None,
    "[]": list,
    "{}": dict,
    "text": lambda: "True",
    "yes": Yes,
    "number": lambda: Number(1),
    "nan": lambda: float("nan"),
    "huge": lambda: 10**400,
    "...": lambda: ...,
    "range": lambda: list(range(1000)),
}


def _sync(value: Callable[[], object]) -> object:
    return lambda *given: value()


def _async(value: Callable[[], object]) -> object:
    async def answer(*given: object) -> object:
        return value()

    return answer


def _class(value: Callable[[], object]) -> object:
    class Answer:
        def __init__(self, *given: object) -> None: ...
        def __getattr__(self, name: str) -> object:
            return _async(value)

    return Answer


@every_exercise
@pytest.mark.parametrize("value", VACUOUS.values(), ids=VACUOUS.keys())
@pytest.mark.parametrize("form", [_sync, _async, _class], ids=["def", "async def", "class"])
def test_vacuous(
    exercise: Exercise, form: Callable[[Callable[[], object]], object], value: Callable[[], object]
) -> None:
    """An answer that does not depend on the question never passes, in whatever form."""
    attempt = LocalAttempt(form(value), exercise.name)
    result = examine(exercise, attempt, [5])
    assert result.state is State.FAIL
    assert "check itself broke" not in result.first.reason


@every_exercise
def test_hostile_forms(exercise: Exercise) -> None:
    """Values, calls instead of functions, and exceptions give one sentence each, never a
    traceback.
    """
    for target in (
        3.0,
        "text",
        [],
        {},
        object(),
        Yes(),
        int,
        print,
        exercise,
        _raise(SystemExit),
        _raise(GeneratorExit),
        _raise(RecursionError),
        _raise(MemoryError),
    ):
        said = repr(check(exercise.id, target))
        assert "Traceback" not in said
        assert "check itself broke" not in said
        assert said.startswith(("FAIL", "NOT STARTED"))


def _raise(kind: type[BaseException]) -> object:
    def raising(*given: object) -> object:
        raise kind

    return raising


@every_exercise
@pytest.mark.parametrize("seed", [7])
def test_deterministic(exercise: Exercise, seed: int) -> None:
    """The same seed gives the same bytes, for the answer and for mistakes."""
    for source in (exercise.answer, *(mistake.source for mistake in exercise.mistakes[:2])):
        first, second = (text(exercise, source, seed) for _ in range(2))
        assert first == second
        assert "0x" not in first


def text(exercise: Exercise, source: str, seed: int) -> str:
    """Return everything that an outcome shows."""
    outcome = Outcome(exercise.id, exercise.title, verdict(exercise, source, range(seed, seed + 1)))
    return json.dumps([repr(outcome), outcome._repr_markdown_()])


LOOPS = {
    "loop": "while True: pass",
    "bare except": "while True:\n{0}    try:\n{0}        while True: pass\n{0}    except: pass",
}


@every_exercise
@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_time_box(exercise: Exercise, loop: str) -> None:
    """A loop without an end is stopped with a sentence."""
    said = repr(check(exercise.id, define(filled(exercise, loop), exercise.name), limit=0.15))
    assert "did not finish: it was stopped after 0.15 s" in said


@every_exercise
def test_step_budget(exercise: Exercise) -> None:
    """An async loop that waits for ever is stopped with a sentence, whatever the virtual time."""
    if "async def" not in exercise.stub:
        return
    source = "import asyncio\n" + filled(exercise, "while True: await asyncio.sleep(1)")
    said = repr(check(exercise.id, define(source, exercise.name)))
    assert "never" in said
    assert said.startswith("FAIL")


def filled(exercise: Exercise, body: str) -> str:
    """Return the stub with its `raise NotImplementedError` replaced."""
    blanks = re.findall(r"^( *)raise NotImplementedError", exercise.stub, re.MULTILINE)
    return exercise.stub.replace("raise NotImplementedError", body.format(blanks[-1]))


@every_exercise
def test_in_time(exercise: Exercise) -> None:
    """The learner's own check of the answer is done well within its limit."""
    import time

    began = time.process_time()
    assert shown(check(exercise.id, define(exercise.answer, exercise.name))).state is State.PASS
    assert time.process_time() - began < LIMIT / 2


def shown(outcome: object) -> Outcome:
    """Narrow the type."""
    assert isinstance(outcome, Outcome)
    return outcome
