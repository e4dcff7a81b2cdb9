"""Running a check: every property of an exercise, on every seed, against one attempt.

An anticipated mistake is recognised by behaviour: the mistaken code is put through the same
property with the same draws, and when all its answers are the learner's, the learner reads that
mistake's message. Left out: the time box and the display (see `check` in the package), the
sandbox of a judge.
"""

import random
from collections.abc import Iterable
from dataclasses import replace

from course_lib.exercises.attempt import Attempt, Fault, LocalAttempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property
from course_lib.exercises.outcome import Result, State, Verdict
from course_lib.exercises.recorder import Recorder, Unlike

__all__ = ["examine", "unfinished"]


def examine(exercise: Exercise, attempt: Attempt, seeds: Iterable[int]) -> Verdict:
    """Return the verdict on an attempt; the first seed on which it is not a PASS decides."""
    verdict = Verdict(State.UNKNOWN, (_nothing("no seed was given"),))
    passed: list[Result] = []
    for seed in seeds:
        verdict = _one_seed(exercise, attempt, seed)
        if verdict.state is not State.PASS:
            return verdict
        passed += verdict.results
        verdict = Verdict(State.PASS, tuple(passed), seed)
    return verdict


def unfinished(state: State, reason: str) -> Verdict:
    """Return a verdict for a check that did not come to its end."""
    return Verdict(state, (Result("", state, "", reason),))


def _nothing(reason: str) -> Result:
    return Result("", State.UNKNOWN, "", f"Nothing was decided: {reason}.")


def _one_seed(exercise: Exercise, attempt: Attempt, seed: int) -> Verdict:
    results: list[Result] = []
    heard: list[Recorder] = []
    for item in exercise.properties:
        recorder = Recorder(attempt)
        result = _one(item, recorder, seed)
        if result.state is State.NOT_STARTED and any(map(_answered, heard)):
            result = replace(result, state=State.FAIL)
        results.append(result)
        heard.append(recorder)
        if result.state is State.NOT_STARTED or result.reason in _SIGNALS.values():
            break
    return Verdict(_worst(results), tuple(_explained(exercise, results, heard, seed)), seed)


def _answered(recorder: Recorder) -> bool:
    """Whether the attempt gave at least one answer that is not a fault."""
    return any(not isinstance(a, list) or a[:1] != ["fault"] for a in recorder.answers)


def _worst(results: list[Result]) -> State:
    """NOT STARTED before FAIL before UNKNOWN before PASS; no result at all is UNKNOWN."""
    states = {result.state for result in results}
    order = (State.NOT_STARTED, State.FAIL, State.UNKNOWN, State.PASS)
    return next((state for state in order if state in states), State.UNKNOWN)


def _draw(item: Property, seed: int) -> random.Random:
    """Each property has its own generator, so that no property's draws depend on another's
    answers.
    """
    return random.Random(f"{seed} {item.name}")


def _one(item: Property, recorder: Recorder, seed: int) -> Result:
    try:
        cases = item.holds(recorder, _draw(item, seed))
    except Counterexample as wrong:
        idea = wrong.misconception or item.symptom
        return _failed(item, "", wrong.sentence, idea, wrong.effects)
    except Exception as error:
        return _broken(item, recorder, error)
    if type(cases) is not int or cases < 1:
        nothing = "It exercised nothing, so it proves nothing."
        return Result(item.name, State.UNKNOWN, item.sentence, nothing)
    return Result(item.name, State.PASS, item.sentence, cases=cases)


def _failed(
    item: Property, reason: str, told: str = "", idea: str = "", effects: tuple[object, ...] = ()
) -> Result:
    return Result(item.name, State.FAIL, item.sentence, reason, told, idea, effects)


def _broken(item: Property, recorder: Recorder, error: Exception) -> Result:
    """No verdict: a fault of the attempt, a signal of the lab, or a bug of ours."""
    fault = error if isinstance(error, Fault) else recorder.fault
    if fault is not None and fault.kind == "not started":
        return Result(item.name, State.NOT_STARTED, item.sentence, fault.sentence)
    if fault is not None:
        asked = fault.call and fault.call not in fault.sentence
        return _failed(item, fault.sentence, f"It was asked `{fault.call}`." if asked else "")
    signal = _SIGNALS.get(type(error).__name__)
    if signal is not None:
        return _failed(item, signal)
    reason = f"The check itself broke ({type(error).__name__}: {error}). Please report it."
    return Result(item.name, State.UNKNOWN, item.sentence, reason)


_SIGNALS = {
    "StepBudgetExceeded": "It never finished: it waited again and again, until the lab gave up. "
    "Look for a loop whose end is never reached.",
    "Unfinished": "It never finished: it kept on waiting, or waits for something that never comes.",
    "Deadlock": "It never finishes: it waits for something that never comes.",
    "CancelledError": "It was cancelled and did not finish.",
}


def _explained(
    exercise: Exercise, results: list[Result], heard: list[Recorder], seed: int
) -> list[Result]:
    """Give the first failure the message of the mistake behind it, when there is one to be seen."""
    place = next((n for n, result in enumerate(results) if result.state is State.FAIL), None)
    if place is None:
        return results
    idea = _recognised(exercise, heard, place, seed, results[place].misconception)
    return [replace(r, misconception=idea) if n == place else r for n, r in enumerate(results)]


def _recognised(
    exercise: Exercise, heard: list[Recorder], place: int, seed: int, symptom: str
) -> str:
    """Return the message of the mistake that answers like the attempt everywhere.

    Without one: what the failure itself shows, or the only mistake that fails in the same way.
    """

    def alike(mistake: Mistake, n: int) -> bool:
        return _alike(exercise, mistake, heard[n].answers, n, seed)

    near = [mistake for mistake in exercise.mistakes if alike(mistake, place)]
    for mistake in near:
        if all(alike(mistake, n) for n in range(len(heard)) if n != place):
            return mistake.message
    return symptom or (near[0].message if len(near) == 1 else "")


def _alike(
    exercise: Exercise, mistake: Mistake, answers: list[object], place: int, seed: int
) -> bool:
    """Put mistaken code through a property with the same draws, up to the first other answer."""
    item = exercise.properties[place]
    model = LocalAttempt(exercise.models[mistake.name], exercise.name)
    twin = Recorder(model, answers)
    try:
        item.holds(twin, _draw(item, seed))
    except Unlike:
        return False
    except Exception:
        pass  # the mistaken code is as wrong as the attempt; its answers are what counts
    return bool(answers) and len(twin.answers) == len(answers)
