"""The instruments: a world on virtual time, and what searches and measures it."""

from course_lib.lab.clock import Deadlock, StepBudgetExceeded, VirtualLoop, run
from course_lib.lab.crash import CrashReport, crash_everywhere
from course_lib.lab.explore import Exploration, explore
from course_lib.lab.notebook import Lab, open_lab
from course_lib.lab.world import EPOCH, Effect, ProcessDied, World

__all__ = [
    "EPOCH",
    "CrashReport",
    "Deadlock",
    "Effect",
    "Exploration",
    "Lab",
    "ProcessDied",
    "StepBudgetExceeded",
    "VirtualLoop",
    "World",
    "crash_everywhere",
    "explore",
    "open_lab",
    "run",
]
