"""The virtual clock: the laws of its time, and the standard loop's order of events."""

import asyncio
import contextvars

import pytest
from hypothesis import given, settings

from course_lib.lab.clock import Deadlock, StepBudgetExceeded, VirtualLoop, run
from tests.lab import programs


@given(programs.programs())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_like_the_standard_loop(program):
    """Any program does the same things at the same times as on the standard loop."""
    ours, standard = VirtualLoop(), programs.StandardLoop()
    try:
        assert programs.trace(ours, program, Deadlock) == programs.trace(
            standard, program, programs.Stuck
        )
    finally:
        programs.end(ours, Deadlock)
        programs.end(standard, programs.Stuck)
