"""What ends a run on virtual time that would never end by itself, and what ends a process.

In a notebook the first two show their sentence only: the frames would be those of the loop, not the
learner's.
"""

from __future__ import annotations

__all__ = ["Deadlock", "ProcessDied", "StepBudgetExceeded"]


class _PlainlyShown(RuntimeError):
    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class Deadlock(_PlainlyShown):
    """Every task waits, and no timer is left that could wake one of them."""


class StepBudgetExceeded(_PlainlyShown):
    """More callbacks ran than the loop allows: most often a loop that never ends."""


class ProcessDied(BaseException):
    """Raised into a killed node; no Exception, so `except Exception` does not survive it."""
