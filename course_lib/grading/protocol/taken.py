"""What arrives from a learner's process, taken in: exact types, plain values, nothing else.

Left out: whether it was asked for (see session).
"""

from collections.abc import Callable
from typing import Any

from course_lib.exercises.attempt import Fault
from course_lib.exercises.plain import NotPlain, plain
from course_lib.grading.protocol.channel import Violation
from course_lib.grading.protocol.values import NotSendable, decode
from course_lib.lab import ProcessDied

__all__ = ["FAULTS", "LONGEST", "answer", "decoded", "handed", "result"]

FAULTS = frozenset(
    (
        "async",
        "method",
        "not async",
        "not callable",
        "not plain",
        "not started",
        "parameters",
        "raised",
    )
)
"""Every kind of fault that `LocalAttempt` knows."""
LONGEST = 1_000  # characters of one sentence


def handed(argument: object) -> object:
    """Return a copy of a plain argument, and a handle as it is."""
    try:
        return plain(argument)
    except NotPlain:
        return argument


def decoded(form: Any, resolve: Callable[[Any], object] | None = None) -> Any:
    """Return the value of a form, or raise Violation; `resolve` finds handles that come back."""
    try:
        return decode(form, resolve)
    except NotSendable as what:
        raise Violation("protocol", f"A message held {what}.") from None


def answer(form: Any) -> object:
    """Return an answer, which must be a plain value, or raise Violation."""
    try:
        return plain(decoded(form))
    except NotPlain as what:
        raise Violation("protocol", f"An answer was {what}.") from None


def result(value: object) -> Any:
    """Return an answer, or raise the fault that came instead of one."""
    if isinstance(value, Fault | ProcessDied):
        raise value
    return value
