"""What a virtual loop does besides running: its state, its surroundings, errors nobody took."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import weakref
from asyncio import events, tasks
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from course_lib.lab.errors import ProcessDied
from course_lib.lab.handles import Handle, TimerHandle
from course_lib.lab.inline_threads import threads_run_inline
from course_lib.lab.interrupt import interrupts_wait_in
from course_lib.lab.outside import NoOutsideWorld
from course_lib.lab.turn import TURN

__all__ = ["Upkeep", "calm_collector"]

# A sleeping task keeps a handful of objects alive. With the default of 700 the collector looks at
# all of them again and again and finds no garbage; with 10,000 tasks that costs a third of the
# speed.
GC_THRESHOLD = 20_000


@contextmanager
def calm_collector(threshold: int = GC_THRESHOLD) -> Iterator[None]:
    """Let the garbage collector look less often; `explore` does so once for all of its runs."""
    before = gc.get_threshold()
    if not 0 < before[0] < threshold:
        yield
        return
    gc.set_threshold(threshold, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Upkeep(NoOutsideWorld):
    """The state of a virtual loop, and all of its methods that are not on the hot path."""

    _file = ""
    """Where the code of the hot path is."""

    def __init__(self) -> None:
        self._now = 0.0
        self.kept: set[object] = set()
        """What must live as long as the loop; asyncio itself refers to tasks weakly."""
        self._ready: list[Handle] = []
        self._timers: dict[float, list[TimerHandle]] = {}
        self._instants: list[float] = []
        self._running = False
        self._stopping = False
        self._interrupted = False
        self._closed = False
        self._exception_handler: Callable[..., object] | None = None
        self._unhandled: list[BaseException] = []
        # A dictionary, because a set would close them in another order each time.
        self._asyncgens: weakref.WeakKeyDictionary[AsyncGenerator[Any, Any], None]
        self._asyncgens = weakref.WeakKeyDictionary()
        self._dropped: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    def __repr__(self) -> str:
        state = "running" if self._running else "closed" if self._closed else "idle"
        return f"<VirtualLoop {state} at {self._now:g} s>"

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        """Debug mode times callbacks with the wall clock, which has no place here."""

    def get_task_factory(self) -> None:
        return None

    def tasks_left(self) -> set[asyncio.Task[Any]]:
        """The tasks that are not done, save those that refused to end and were dropped."""
        return asyncio.all_tasks(self) - set(self._dropped)

    @contextmanager
    def _as_running_loop(self) -> Iterator[None]:
        """Be the running loop of this thread, even inside a notebook kernel's own running loop."""
        with TURN, self._in_place_of_another():
            yield

    @contextmanager
    def _in_place_of_another(self) -> Iterator[None]:
        outer = events._get_running_loop()
        outer_task = _swap_current_task(outer, None) if outer else None
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._keep_asyncgen, self._close_asyncgen)
        events._set_running_loop(self)
        self._running = True
        try:
            with calm_collector(), threads_run_inline(), self._interrupts():
                yield
        finally:
            self._running = self._stopping = False
            events._set_running_loop(outer)
            sys.set_asyncgen_hooks(*hooks)
            if outer:
                _swap_current_task(outer, outer_task)

    def _interrupts(self) -> AbstractContextManager[None]:
        return interrupts_wait_in(self._file, self._interrupt)

    def _interrupt(self) -> None:
        self._interrupted = self._stopping = True

    # Errors

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Stop the run and make it raise the error, so that nothing fails silently."""
        if self._exception_handler is not None:
            self._exception_handler(self, context)
        else:
            self.default_exception_handler(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep the error for the run to raise; a closed loop can only write it to the log."""
        message = context.get("message") or "an error in the event loop"
        error = context.get("exception")
        if isinstance(error, ProcessDied):
            return  # a dead process does not wait for its tasks
        if not isinstance(error, BaseException):
            error = RuntimeError(message)
        if self._closed:
            logging.getLogger("asyncio").error(message, exc_info=error)
            return
        if "never retrieved" in message:
            error.add_note("Nobody awaited the task or future that failed with this error.")
        self._unhandled.append(error)
        self._stopping = self._running

    def set_exception_handler(self, handler: Callable[..., object] | None) -> None:
        self._exception_handler = handler

    def get_exception_handler(self) -> Callable[..., object] | None:
        return self._exception_handler

    def _keep_asyncgen(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens[generator] = None

    def _close_asyncgen(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens.pop(generator, None)
        if not self._closed:
            self.call_soon(self.create_task, generator.aclose())


def _swap_current_task(
    loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any] | None
) -> asyncio.Task[Any] | None:
    """Python 3.12 and later keep one current task a thread, so a nested loop must put it aside."""
    swap = getattr(tasks, "_swap_current_task", None)
    return swap(loop, task) if swap else None
