"""Random asyncio programs, and the standard loop on a virtual clock to compare with.

A program is a list of steps; each writes (label, time) into a trace. Every delay of a program is
another power of two, so no two timers are ever due at one instant: for those the standard loop's
heap promises no order.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

MOST_STEPS = 40
PLAIN = [
    "give_way",
    "sleep",
    "set_event",
    "clear_event",
    "wait_event",
    "put",
    "get",
    "notify",
    "wait_condition",
    "call_soon",
    "call_later",
    "fail_later",
    "set_var",
    "fail",
    "generate",
]
AROUND_ONE = [
    "spawn",
    "spawn_apart",
    "timeout",
    "wait_for",
    "shield",
    "with_lock",
    "with_semaphore",
    "catch",
    "refuse_cancel",
    "finally_yield",
]
Step = tuple[Any, ...]


class Stuck(Exception):
    """The standard loop would wait for ever."""


class StandardLoop(asyncio.BaseEventLoop):
    """CPython's own `_run_once`, with a selector that moves the clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = self
        self._clock_resolution = 2.0**-50  # what is due now is due

    def time(self) -> float:
        return self.now

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stuck
        self.now += timeout
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """No sockets."""


def _steps() -> st.SearchStrategy[list[Step]]:
    index = st.integers(0, 5)
    plain = st.one_of(
        st.tuples(st.sampled_from(PLAIN)),
        st.tuples(st.sampled_from(["cancel", "join", "cancel_call", "cancel_main"]), index),
    )

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        body = st.lists(inner, max_size=4)
        return st.one_of(
            plain,
            st.tuples(
                st.sampled_from(AROUND_ONE),
                body,
            ),
            st.tuples(
                st.sampled_from(["gather", "gather_all", "group", "wait"]),
                st.lists(body, min_size=1, max_size=3),
            ),
        )

    return st.lists(st.recursive(plain, nested, max_leaves=12), max_size=8)


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[Step], list[float]]:
    """A program and its delays in seconds, all different."""
    return draw(_steps()), [2.0**-n for n in draw(st.permutations(range(MOST_STEPS)))]


class Play:
    """One run of a program on a loop, and its trace."""

    def __init__(self, loop: asyncio.AbstractEventLoop, delays: list[float]):
        self.loop, self.trace, self.over = loop, [], False
        self.delays: Iterator[float] = iter(delays)
        self.tasks: list[asyncio.Task[Any]] = []
        self.calls: list[Any] = []
        self.var = contextvars.ContextVar("var", default=0)
        self.owner = contextvars.ContextVar("owner", default=0)
        self.count = 0
        loop.set_exception_handler(self.on_error)

    def log(self, what: object) -> None:
        if not self.over:
            self.trace.append((what, self.var.get(), self.loop.time()))

    def on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "callback" in context["message"]:
            self.log(("handled", repr(context["exception"])))

    def delay(self) -> float:
        return next(self.delays, 0.0)

    def number(self) -> int:
        self.count += 1
        return self.count

    async def main(self, steps: list[Step]) -> None:
        self.lock, self.event = asyncio.Lock(), asyncio.Event()
        self.queue: asyncio.Queue[int] = asyncio.Queue(2)
        self.semaphore, self.condition = asyncio.Semaphore(2), asyncio.Condition()
        self.tasks.append(asyncio.current_task())
        await self.body(steps)

    async def body(self, steps: list[Step]) -> int:
        me = self.number()
        try:
            for kind, *rest in steps:
                self.log((me, kind))
                result = await getattr(self, kind)(*rest)
                self.log((me, kind, result))
        except BaseException as error:
            self.log((me, "raises", type(error).__name__))
            raise
        return me

    # Steps without others inside

    async def give_way(self) -> None:
        await asyncio.sleep(0)

    async def sleep(self) -> object:
        return await asyncio.sleep(self.delay(), "slept")

    async def set_event(self) -> None:
        self.event.set()

    async def clear_event(self) -> None:
        self.event.clear()

    async def wait_event(self) -> None:
        await self.event.wait()

    async def put(self) -> None:
        await self.queue.put(self.number())

    async def get(self) -> int:
        return await self.queue.get()

    async def notify(self) -> None:
        async with self.condition:
            self.condition.notify()

    async def wait_condition(self) -> None:
        async with self.condition:
            await self.condition.wait()

    async def call_soon(self) -> None:
        self.calls.append(self.loop.call_soon(self.log, ("called", self.number())))

    async def call_later(self) -> None:
        call = self.loop.call_later(self.delay(), self.log, ("called later", self.number()))
        self.calls.append(call)

    async def fail_later(self) -> None:
        self.calls.append(self.loop.call_later(self.delay(), self.fail_now))

    def fail_now(self) -> None:
        raise KeyError(self.number())

    async def set_var(self) -> None:
        self.var.set(self.number())

    async def fail(self) -> None:
        raise ValueError(self.number())

    async def generate(self) -> list[int]:
        async def numbers() -> Any:
            try:
                yield self.number()
                await asyncio.sleep(0)
                yield self.number()
            finally:
                self.log("generator closed")

        return [number async for number in numbers() if number % 2]

    async def cancel(self, index: int) -> bool | None:
        return self.tasks[index].cancel() if index < len(self.tasks) else None

    async def cancel_main(self, index: int) -> None:
        if index == 0:
            self.tasks[0].cancel("from inside")

    async def cancel_call(self, index: int) -> None:
        if index < len(self.calls):
            self.calls[index].cancel()

    async def join(self, index: int) -> object:
        """Only for younger tasks: asyncio cannot cancel tasks that wait for each other."""
        if self.owner.get() < index < len(self.tasks):
            return await self.tasks[index]
        return None

    # Steps with others inside

    async def owned(self, index: int, steps: list[Step]) -> int:
        self.owner.set(index)
        return await self.body(steps)

    async def spawn(self, steps: list[Step]) -> None:
        self.tasks.append(asyncio.create_task(self.owned(len(self.tasks), steps)))

    async def spawn_apart(self, steps: list[Step]) -> None:
        context = contextvars.Context()
        made = asyncio.create_task(self.owned(len(self.tasks), steps), context=context)
        self.tasks.append(made)

    async def timeout(self, steps: list[Step]) -> object:
        async with asyncio.timeout(self.delay()) as deadline:
            await self.body(steps)
        return deadline.expired()

    async def wait_for(self, steps: list[Step]) -> object:
        return await asyncio.wait_for(self.body(steps), self.delay())

    async def shield(self, steps: list[Step]) -> object:
        return await asyncio.shield(self.body(steps))

    async def with_lock(self, steps: list[Step]) -> None:
        async with self.lock:
            await self.body(steps)

    async def with_semaphore(self, steps: list[Step]) -> None:
        async with self.semaphore:
            await self.body(steps)

    async def catch(self, steps: list[Step]) -> object:
        try:
            return await self.body(steps)
        except (Exception, asyncio.CancelledError) as error:
            return repr(error)

    async def refuse_cancel(self, steps: list[Step]) -> object:
        try:
            return await self.body(steps)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return asyncio.current_task().uncancel()

    async def finally_yield(self, steps: list[Step]) -> None:
        try:
            await self.body(steps)
        finally:
            await asyncio.sleep(self.delay())

    async def gather(self, bodies: list[list[Step]]) -> object:
        return await asyncio.gather(*(self.body(steps) for steps in bodies))

    async def gather_all(self, bodies: list[list[Step]]) -> object:
        found = await asyncio.gather(*(self.body(b) for b in bodies), return_exceptions=True)
        return repr(found)

    async def group(self, bodies: list[list[Step]]) -> object:
        async with asyncio.TaskGroup() as group:
            made = [group.create_task(self.body(steps)) for steps in bodies]
        return [task.result() for task in made]

    async def wait(self, bodies: list[list[Step]]) -> object:
        made = [asyncio.create_task(self.body(steps)) for steps in bodies]
        done, left = await asyncio.wait(
            made, timeout=self.delay(), return_when=asyncio.FIRST_COMPLETED
        )
        return len(done), len(left)


def trace(
    loop: asyncio.AbstractEventLoop,
    program: tuple[list[Step], list[float]],
    stuck: type[Exception],
) -> list[Any]:
    """Everything that the program did on this loop, in order, with its times and its end."""
    steps, delays = program
    play = Play(loop, delays)
    try:
        loop.run_until_complete(play.main(steps))
        play.log("done")
    except stuck:
        play.log("stuck")
    except (Exception, asyncio.CancelledError) as error:
        play.log(("ended by", repr(error)))
    play.over = True
    return play.trace


def end(loop: asyncio.AbstractEventLoop, stuck: type[Exception]) -> None:
    """Cancel what is left, quietly, and close the loop."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task._log_destroy_pending = False
        task.cancel()
    with suppress(stuck):
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
