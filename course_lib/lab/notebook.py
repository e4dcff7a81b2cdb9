"""Virtual time in a notebook: every top-level `await` runs on one shared virtual clock.

IPython asks its `loop_runner` to run a cell that awaits. `open_lab` puts a virtual loop there, so
that cells follow each other on one clock, and no cell waits for real. Cells without `await` run
there too: `asyncio.create_task` in such a cell would else go to the kernel's own loop.

A cell that names what no cell has made yet, because cells were run out of order, says what to do.

A cell that is cut short takes the tasks that it started with it; those of earlier cells stay,
unless the program never ended or was interrupted, which may have been their doing.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Collection, Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from course_lib.lab.clock import VirtualLoop
from course_lib.lab.errors import StepBudgetExceeded

__all__ = ["Lab", "open_lab"]


class Lab:
    """The notebook's shared clock."""

    def __init__(self, shell: Any = None) -> None:
        self._loop = VirtualLoop()
        self._shell = shell
        self._closing = False

    @property
    def now(self) -> float:
        """Virtual seconds since the lab was opened."""
        return self._loop.time()

    def run_cell(self, cell: Coroutine[Any, Any, Any]) -> Any:
        """Run one cell; tasks that it left behind go on when a later cell awaits."""
        # Weak: a lost task must be able to go, for its error to be heard.
        earlier = weakref.WeakSet(self._loop.tasks_left())
        try:
            return self._loop.run_until_complete(cell)
        except (StepBudgetExceeded, KeyboardInterrupt):
            self._abandon()
            raise
        except BaseException:
            self._abandon(keep=earlier)
            raise
        finally:
            if self._closing:
                self.close()

    def close(self) -> None:
        """End the tasks that are left, after the cell that is running; the clock stands still."""
        self._closing = True
        if not self._loop.is_running():
            with _no_tracebacks(self._shell):
                self._loop.end()

    def _abandon(self, keep: Collection[asyncio.Task[Any]] = ()) -> None:
        with _no_tracebacks(self._shell):
            self._loop.abandon_tasks(keep)

    def __repr__(self) -> str:
        return f"The lab is open. Virtual time: {self.now:g} s."


def _always(*args: Any, **kwargs: Any) -> bool:
    return True


@contextmanager
def _no_tracebacks(shell: Any) -> Iterator[None]:
    """IPython would show a CancelledError for the cell besides the error that ended it."""
    if shell is None:
        yield
        return
    shell.showtraceback = lambda *args, **kwargs: None
    try:
        yield
    finally:
        del shell.showtraceback


def _show_name_error(
    shell: Any,
    kind: type[NameError],
    error: NameError,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    while trace.tb_next is not None:
        trace = trace.tb_next
    if trace.tb_frame.f_locals is shell.user_ns:  # the cell itself, and no function that it calls
        print(
            f"If a cell further up makes `{error.name}`, run that one first: "
            "Run, Run All Above Selected Cell.",
            file=sys.stderr,
        )


def open_lab() -> Lab:
    """Let this notebook's cells await on virtual time, from 0 s; called again, it starts afresh."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("open_lab works in a notebook; in a script use course_lib.lab.run")
    before = getattr(shell.loop_runner, "__self__", None)
    if isinstance(before, Lab):
        before.close()
    lab = Lab(shell)
    shell.loop_runner = lab.run_cell
    shell.should_run_async = _always  # type: ignore[method-assign]
    shell.set_custom_exc((NameError,), _show_name_error)  # type: ignore[no-untyped-call]
    return lab
