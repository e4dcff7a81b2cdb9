"""Virtual time: an asyncio event loop whose clock jumps to the next timer instead of waiting.

Ordinary asyncio code runs on it unchanged: tasks, `gather`, `timeout`, `TaskGroup`, queues, context
variables. Callbacks run in the order of the standard loop; timers due at one instant run in the
order in which they were set.

Left out, and refused with a sentence: sockets, subprocesses and signals, because the outside world
does not follow a virtual clock. `asyncio.to_thread` runs its function inline, for the same reason.

Source: `asyncio/base_events.py` of CPython, whose `_run_once` this mirrors.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import heapq
import math
import sys
import weakref
from asyncio import events, tasks
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from typing import Any, TypeVar

from course_lib.lab.deadlock import describe_waiting_tasks
from course_lib.lab.handles import Handle, TimerHandle
from course_lib.lab.inline_threads import threads_run_inline
from course_lib.lab.outside import NoOutsideWorld

__all__ = ["Deadlock", "StepBudgetExceeded", "VirtualLoop", "run"]

T = TypeVar("T")
STEP_BUDGET = 5_000_000
LOOK_EVERY = 10_000
# A sleeping task keeps a handful of objects alive. With the default of 700 the collector looks at
# all of them again and again and finds no garbage; with 10,000 tasks that costs a third of the
# speed.
GC_THRESHOLD = 20_000


class Deadlock(RuntimeError):
    """Every task waits, and no timer is left that could wake one of them."""


class StepBudgetExceeded(RuntimeError):
    """More callbacks ran than the loop allows: most often a loop that never ends."""


# Filling the slots of a bare object takes two thirds of the time of a class with an __init__, and
# the loop makes two handles for every sleep.
_new = object.__new__
# The callback of asyncio.sleep. It only sets a result, so it needs no context and no frame of its
# own.
_wake_sleeper = asyncio.futures._set_result_unless_cancelled  # type: ignore[attr-defined]


class VirtualLoop(NoOutsideWorld):
    """An event loop on virtual time, starting at 0.0 seconds.

    'done'
    3600.0
    """

    def __init__(self, step_budget: int = STEP_BUDGET):
        self.step_budget = step_budget
        self._now = 0.0
        self._ready: list[Handle] = []
        self._timers: dict[float, list[TimerHandle]] = {}
        self._instants: list[float] = []
        self._purge_above = 1_000
        self._running = False
        self._stopping = False
        self._closed = False
        self._choose: Callable[[], bool] | None = None
        self._exception_handler: Callable[..., object] | None = None
        self._unhandled: list[BaseException] = []
        self._asyncgens: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        # A partial skips one Python frame for every future that asyncio.sleep makes.
        self.create_future = functools.partial(asyncio.Future, loop=self)  # type: ignore[method-assign]

    def __repr__(self) -> str:
        state = "running" if self._running else "closed" if self._closed else "idle"
        return f"<VirtualLoop {state} at {self._now:g} s>"

    # Scheduling

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = _new(Handle)
        handle.callback = callback
        handle.args = args
        handle.context = context or copy_context()
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
        handle.context = context or (None if callback is _wake_sleeper else copy_context())
        handle._when = when = self._now + delay if _at is None else _at
        due = self._timers.get(when)
        if due is None:
            self._timers[when] = [handle]
            heapq.heappush(self._instants, when)
        else:
            due.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        return self.call_later(0.0, callback, *args, context=context, _at=when)

    def _forget_cancelled_timers(self) -> None:
        """Each time-out that was not needed leaves a cancelled timer; they must not pile up."""
        for when, due in list(self._timers.items()):
            if all(handle.callback is None for handle in due):
                del self._timers[when]
        self._instants[:] = self._timers
        heapq.heapify(self._instants)
        self._purge_above = 2 * len(self._instants) + 1_000

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    # Running

    def run_until_complete(self, future: Any) -> Any:
        """Run until `future` is done, moving the clock as needed, and return its result.

        Raises Deadlock, StepBudgetExceeded, or the first exception that a callback raised.
        """
        if self._closed:
            raise RuntimeError("this virtual loop is closed")
        if self._running:
            raise RuntimeError("this virtual loop is already running")
        main = asyncio.ensure_future(future, loop=self)
        main.add_done_callback(self._stop)
        try:
            with self._as_running_loop():
                self._run_until_stopped()
        except KeyboardInterrupt:
            self.abandon_tasks()
            raise
        finally:
            main.remove_done_callback(self._stop)
            if main.done() and not main.cancelled():
                main.exception()  # marks it as seen: if we are raising, another error goes first
        return main.result()

    def run_forever(self) -> None:
        """Run until `stop`; virtual time that has nothing left to do is a Deadlock."""
        with self._as_running_loop():
            self._run_until_stopped()

    def stop(self) -> None:
        self._stopping = True

    def _stop(self, main: asyncio.Future[Any]) -> None:
        self._stopping = True

    def _run_until_stopped(self) -> None:
        """The hot path, written flat: one more call a round would cost a tenth of the speed."""
        choose, timers, instants = self._choose, self._timers, self._instants
        steps, next_look = 0, min(self.step_budget, LOOK_EVERY)
        self._stopping = False
        while not self._stopping:
            if not self._ready:
                if choose is not None and choose():
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
                    raise Deadlock(describe_waiting_tasks(asyncio.all_tasks(self), self._now))
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
            except BaseException:
                self._ready[:0] = remaining
                raise
            steps += len(batch)
            if steps > next_look:
                self._look_around(steps)
                next_look = min(self.step_budget, steps + LOOK_EVERY)
        if self._unhandled:
            raise self._unhandled.pop(0)

    def _look_around(self, steps: int) -> None:
        if steps > self.step_budget:
            raise StepBudgetExceeded(
                f"{steps:,} callbacks ran and the program has not finished; the virtual clock "
                f"shows {self._now:,.3f} s. Does a loop never end? A larger budget: step_budget=..."
            )
        if len(self._instants) > self._purge_above:
            self._forget_cancelled_timers()

    @contextmanager
    def _as_running_loop(self) -> Iterator[None]:
        """Be the running loop of this thread, even inside a notebook kernel's own running loop."""
        outer = events._get_running_loop()
        outer_task = _swap_current_task(outer, None) if outer else None
        hooks, gc_threshold = sys.get_asyncgen_hooks(), gc.get_threshold()
        sys.set_asyncgen_hooks(self._asyncgens.add, self._close_asyncgen)
        gc.set_threshold(max(GC_THRESHOLD, gc_threshold[0]), *gc_threshold[1:])
        events._set_running_loop(self)
        self._running = True
        try:
            with threads_run_inline():
                yield
        finally:
            self._running = False
            events._set_running_loop(outer)
            sys.set_asyncgen_hooks(*hooks)
            gc.set_threshold(*gc_threshold)
            if outer:
                _swap_current_task(outer, outer_task)

    # Errors

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Stop the run and make it raise the error, so that nothing fails silently."""
        if self._exception_handler is not None:
            self._exception_handler(self, context)
            return
        error = context.get("exception")
        self._unhandled.append(
            error if isinstance(error, BaseException) else RuntimeError(context["message"])
        )
        self._stopping = True

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        handler, self._exception_handler = self._exception_handler, None
        self.call_exception_handler(context)
        self._exception_handler = handler

    def set_exception_handler(self, handler: Callable[..., object] | None) -> None:
        self._exception_handler = handler

    def get_exception_handler(self) -> Callable[..., object] | None:
        return self._exception_handler

    # Ending

    def abandon_tasks(self) -> None:
        """Cancel what is left and let it clean up; what refuses to end is dropped."""
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        try:
            if left:
                self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        except (Deadlock, StepBudgetExceeded):
            for task in left:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._ready.clear()
        self._timers.clear()
        self._instants.clear()

    def has_timer(self) -> bool:
        """Whether a timer is set that is not cancelled and not at infinity."""
        return any(
            handle.callback is not None
            for when, due in self._timers.items()
            if when < math.inf
            for handle in due
        )

    async def shutdown_asyncgens(self) -> None:
        open_generators = list(self._asyncgens)
        self._asyncgens.clear()
        await asyncio.gather(*[g.aclose() for g in open_generators], return_exceptions=True)

    def _close_asyncgen(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens.discard(generator)
        if not self._closed:
            self.create_task(_aclose(generator))

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Nothing to shut down: there are no threads."""

    def close(self) -> None:
        if self._running:
            raise RuntimeError("a running virtual loop cannot be closed")
        self._closed = True
        self._ready.clear()
        self._timers.clear()
        self._instants.clear()

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


async def _aclose(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()


def _swap_current_task(
    loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any] | None
) -> asyncio.Task[Any] | None:
    """Python 3.12 and later keep one current task a thread, so a nested loop must put it aside."""
    swap = getattr(tasks, "_swap_current_task", None)
    return swap(loop, task) if swap else None


def run(coro: Coroutine[Any, Any, T], *, step_budget: int = STEP_BUDGET) -> T:
    """Run `coro` on a fresh virtual clock that starts at 0.0 s; asyncio.run without the waiting.

    Unlike asyncio.run it also works while another loop runs in this thread, so a slider's callback
    can call it.

    'a day later'
    """
    loop = VirtualLoop(step_budget)
    try:
        return loop.run_until_complete(coro)  # type: ignore[no-any-return]
    finally:
        loop.abandon_tasks()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
