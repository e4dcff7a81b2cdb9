"""Virtual time in a notebook: every top-level `await` runs on one shared virtual clock.

IPython asks its `loop_runner` to run a cell that awaits. `open_lab` puts a virtual loop there, so
that cells follow each other on one clock, and no cell waits for real. A cell without `await` runs
as ever.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from course_lib.lab.clock import VirtualLoop

__all__ = ["Lab", "open_lab"]


class Lab:
    """The notebook's shared clock."""

    def __init__(self) -> None:
        self._loop = VirtualLoop()

    @property
    def now(self) -> float:
        """Virtual seconds since the lab was opened."""
        return self._loop.time()

    def run_cell(self, cell: Coroutine[Any, Any, Any]) -> Any:
        """Run one cell; tasks that it left behind go on when a later cell awaits."""
        return self._loop.run_until_complete(cell)

    def __repr__(self) -> str:
        return f"The lab is open. Virtual time: {self.now:g} s."


def open_lab() -> Lab:
    """Let this notebook's cells await on virtual time, from 0 s; called again, it starts afresh."""
    from IPython.core.getipython import get_ipython

    lab = Lab()
    shell = get_ipython()
    if shell is None:
        raise RuntimeError("open_lab works in a notebook; in a script use course_lib.lab.run")
    shell.loop_runner = lab.run_cell
    return lab
