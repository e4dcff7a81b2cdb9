"""Virtual time: an asyncio event loop whose clock jumps to the next timer instead of waiting.

Ordinary asyncio code runs on it unchanged: tasks, `gather`, `timeout`, `TaskGroup`, queues, context
variables. Callbacks run in the order of the standard loop; timers due at one instant run in the
order in which they were set. An error in a callback ends the run, unless a handler is set.

Left out, and refused with a sentence: sockets, subprocesses and signals, because the outside world
does not follow a virtual clock. `asyncio.to_thread` runs its function inline, for the same reason.

Source: `asyncio/base_events.py` of CPython, whose `_run_once` this mirrors.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
import math
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

from course_lib.lab.deadlock import describe_waiting_tasks
from course_lib.lab.ending import Ending
from course_lib.lab.errors import Deadlock, StepBudgetExceeded
from course_lib.lab.handles import Handle, TimerHandle

__all__ = ["Deadlock", "StepBudgetExceeded", "VirtualLoop", "run"]

T = TypeVar("T")
STEP_BUDGET = 5_000_000
LOOK_EVERY = 10_000

# Filling the slots of a bare object takes two thirds of the time of a class with an __init__, and
# the loop makes two handles for every sleep.
_new = object.__new__
# The callback of asyncio.sleep. It only sets a result, so it needs no context and no frame of its
# own.
_wake_sleeper = asyncio.futures._set_result_unless_cancelled  # type: ignore[attr-defined]


class VirtualLoop(Ending):
    """An event loop on virtual time, starting at 0.0 seconds.

    >>> loop = VirtualLoop()
    >>> loop.run_until_complete(asyncio.sleep(3600, "done"))
    'done'
    >>> loop.time()
    3600.0
    """

    _file = __file__

    def __init__(self, step_budget: int = STEP_BUDGET):
        super().__init__(step_budget)
        self._purge_above = 1_000
        self._choose: Callable[[], bool] | None = None
        self._main: asyncio.Future[Any] | None = None
        # A partial skips one Python frame for every future that asyncio.sleep makes.
        self.create_future = functools.partial(asyncio.Future, loop=self)  # type: ignore[method-assign]

    # Scheduling

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = _new(Handle)
        handle.callback = callback
        handle.args = args
        # An empty context is falsy, and it is not the current one.
        handle.context = copy_context() if context is None else context
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
        _at: float | None = None,
    ) -> TimerHandle:
        handle = _new(TimerHandle)
        handle.callback = callback
        handle.args = args
        if context is None and callback is not _wake_sleeper:
            context = copy_context()
        handle.context = context
        handle._when = when = self._now + delay if _at is None else _at
        due = self._timers.get(when)
        if due is not None:
            due.append(handle)
        elif when == when:
            self._timers[when] = [handle]
            heapq.heappush(self._instants, when)
        else:
            raise ValueError("a delay must be a number of seconds, and NaN is not a number")
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        return self.call_later(0.0, callback, *args, context=context, _at=when)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def has_timer(self) -> bool:
        """Whether a timer is set that is not cancelled and not at infinity."""
        return any(
            handle.callback is not None
            for when, due in self._timers.items()
            if when < math.inf
            for handle in due
        )

    # Running

    def run_until_complete(self, future: Any) -> Any:
        """Run until `future` is done, moving the clock as needed, and return its result.

        Raises Deadlock, StepBudgetExceeded, or the first exception that a callback raised.
        """
        self._check_idle()
        given = asyncio.isfuture(future)
        self._main = main = asyncio.ensure_future(future, loop=self)
        if not given:  # a run that fails says so itself
            main._log_destroy_pending = False
        main.add_done_callback(self._main_is_done)
        try:
            with self._as_running_loop():
                self._run_until_stopped()
        finally:
            self._main = None
            main.remove_done_callback(self._main_is_done)
            if main.done() and not main.cancelled():
                main.exception()  # marks it as seen: if we are raising, another error goes first
        if not main.done():
            raise RuntimeError("the virtual loop was stopped before its future was done")
        return main.result()

    def run_forever(self) -> None:
        """Run until `stop`; virtual time that has nothing left to do is a Deadlock."""
        self._check_idle()
        with self._as_running_loop():
            self._run_until_stopped()

    def stop(self) -> None:
        self._stopping = True

    def _main_is_done(self, main: asyncio.Future[Any]) -> None:
        if main is self._main:  # and not the future of an earlier run that was cut short
            self._stopping = True

    def _check_idle(self) -> None:
        if self._closed:
            raise RuntimeError("this virtual loop is closed")
        if self._running:
            raise RuntimeError("this virtual loop is already running")

    def _run_until_stopped(self) -> None:
        """The hot path, written flat: one more call a round would cost a tenth of the speed."""
        choose, timers, instants = self._choose, self._timers, self._instants
        steps, next_look = 0, min(self.step_budget, LOOK_EVERY)
        while True:
            if not self._ready:
                if self._stopping or (choose is not None and choose()):
                    pass
                elif instants and instants[0] < math.inf:
                    when = heapq.heappop(instants)
                    due = timers.pop(when)
                    if due[0].callback is None and not any(timer.callback for timer in due):
                        continue  # cancelled timers do not move the clock
                    if when > self._now:
                        self._now = when
                    self._ready = due  # type: ignore[assignment]
                else:
                    raise Deadlock(describe_waiting_tasks(self.tasks_left(), self._now))
            while instants and instants[0] <= self._now:
                self._ready += timers.pop(heapq.heappop(instants))
            # Exactly those that are ready now: what they schedule waits for the next round.
            batch = self._ready
            self._ready = []
            remaining = iter(batch)
            try:
                for handle in remaining:
                    callback = handle.callback
                    if callback is _wake_sleeper:
                        sleeper, result = handle.args
                        if not sleeper.cancelled():
                            sleeper.set_result(result)
                    elif callback is not None:
                        handle.context.run(callback, *handle.args)  # type: ignore[union-attr]
            except BaseException as error:
                self._ready[:0] = remaining
                self._callback_failed(error, handle)
            steps += len(batch)
            if steps > next_look:
                self._look_around(steps)
                next_look = min(self.step_budget, steps + LOOK_EVERY)
            if self._stopping:
                break
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt
        if self._unhandled:
            raise self._unhandled.pop(0)

    def _callback_failed(self, error: BaseException, handle: Handle) -> None:
        """Raise the error, or give it to the handler that the program has set."""
        if self._exception_handler is None or not isinstance(error, Exception):
            raise error
        message = f"Exception in callback {handle.callback!r}"
        self.call_exception_handler({"message": message, "exception": error, "handle": handle})

    def _look_around(self, steps: int) -> None:
        if steps > self.step_budget:
            raise StepBudgetExceeded(
                f"{steps:,} callbacks ran and the program has not finished; the virtual clock "
                f"shows {self._now:,.3f} s. Does a loop never end? A larger budget: step_budget=..."
            )
        # Counting all timers takes time, so it is done now and then; they may share one instant.
        count_all = steps // LOOK_EVERY % 4 == 0
        count = sum(map(len, self._timers.values())) if count_all else len(self._instants)
        if count > self._purge_above:
            self._forget_cancelled_timers()

    def _forget_cancelled_timers(self) -> None:
        """Each time-out that was not needed leaves a cancelled timer; they must not pile up."""
        alive = 0
        for when, due in list(self._timers.items()):
            due[:] = [handle for handle in due if handle.callback is not None]
            alive += len(due)
            if not due:
                del self._timers[when]
        self._instants[:] = self._timers
        heapq.heapify(self._instants)
        self._purge_above = 2 * alive + 1_000


def run(coro: Coroutine[Any, Any, T], *, step_budget: int = STEP_BUDGET) -> T:
    """Run `coro` on a fresh virtual clock that starts at 0.0 s; asyncio.run without the waiting.

    Unlike asyncio.run it also works while another loop runs in this thread, so a slider's callback
    can call it. Raises what `coro` raises, and else what a task that nobody awaited has raised.

    >>> run(asyncio.sleep(86_400, "a day later"))
    'a day later'
    """
    loop = VirtualLoop(step_budget)
    errors: list[BaseException] = []
    try:
        result: T = loop.run_until_complete(coro)
    finally:
        errors = loop.end()
    if errors:
        raise errors[0]
    return result
