"""The learner's event loop: it runs until nothing is ready, then asks the judge what happens next.

Time is the judge's. Left out: everything that the lab's virtual loop already does.
"""

import heapq
import math
from collections.abc import Callable

from course_lib.lab import VirtualLoop

__all__ = ["LockstepLoop"]

STEPS = 20_000  # callbacks in one run, as in the learner's own check


class LockstepLoop(VirtualLoop):
    """A virtual loop whose clock does not move by itself; `quiet` is called when all wait."""

    def __init__(self, quiet: Callable[[], None]) -> None:
        super().__init__(step_budget=STEPS)
        self._quiet = quiet
        self._choose = self._report

    def _report(self) -> bool:
        self._quiet()
        return True

    def move_to(self, now: float) -> None:
        """Set the clock; timers that are due run next."""
        self._now = now

    @property
    def next_timer(self) -> float | None:
        """When the next timer is due, in virtual seconds; None without one."""
        while self._instants and self._is_cancelled(self._instants[0]):
            self._timers.pop(heapq.heappop(self._instants))
        due = self._instants[0] if self._instants else math.inf
        return due if due < math.inf else None

    def _is_cancelled(self, when: float) -> bool:
        return all(timer.callback is None for timer in self._timers[when])
