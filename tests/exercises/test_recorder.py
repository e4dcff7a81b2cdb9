"""Answers written down."""

import pytest

from course_lib.exercises.attempt import LocalAttempt
from course_lib.exercises.exercise import define
from course_lib.exercises.recorder import Recorder, Unlike


def _answers(source: str, wanted: list[object] | None = None) -> list[object]:
    recorder = Recorder(LocalAttempt(define(source, "f"), "f"), wanted)
    for given in (1.0, 2.0, 4):
        recorder.call(given)
    return recorder.answers


def test_recorder_follows() -> None:
    """With wanted answers it goes along with equal ones, and stops at the first other one."""
    wanted = _answers("def f(a): return 1 / a")
    assert _answers("def f(b): return b ** -1", wanted) == wanted
    for wanted_less in (wanted[:2], [*wanted[:2], True], [1]):
        with pytest.raises(Unlike):
            _answers("def f(a): return 1 / a", wanted_less)
