"""The virtual clock: the laws of its time, and the standard loop's order of events."""

import asyncio
import contextlib
import contextvars
import itertools
import signal

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


def ended(coro, **options):
    """Run it on a fresh clock, and give its result and the time at the end."""

    async def timed():
        return await coro, asyncio.get_running_loop().time()

    return run(timed(), **options)


async def fail(seconds=0.0, text="lost"):
    await asyncio.sleep(seconds)
    raise ValueError(text)


# Time


@pytest.mark.parametrize("seconds", [0, 0.5, 3600, 1e9, -5])
def test_sleep_moves_the_clock(seconds):
    """A sleep moves the clock by its seconds, however long, and a negative one by nothing."""
    assert ended(asyncio.sleep(seconds, "done")) == ("done", max(0, seconds))


def test_nan_is_refused():
    """A delay that is not a number is refused with a sentence, and breaks nothing."""
    with pytest.raises(ValueError, match="not a number"):
        run(asyncio.sleep(float("nan")))


def test_sleep_for_ever():
    """A sleep to infinity is passed by other timers, and alone it is a deadlock."""

    async def main():
        asyncio.create_task(asyncio.sleep(float("inf")))  # noqa: RUF006
        await asyncio.sleep(7)
        return asyncio.get_running_loop().time()

    assert run(main()) == 7
    with pytest.raises(Deadlock, match="an endless sleep"):
        run(asyncio.sleep(float("inf")))


@given(programs.st.lists(programs.st.sampled_from([-1.0, 0.0, 0.1, 0.5, 2.0]), max_size=30))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_order_of_timers(delays):
    """Timers run in the order of their times, and at one instant in the order of being set."""
    loop, ran = VirtualLoop(), []
    for number, delay in enumerate(delays):
        loop.call_at(delay, lambda number=number: ran.append((loop.time(), number)))
    loop.run_until_complete(asyncio.sleep(3))
    expected = sorted(range(len(delays)), key=lambda number: (delays[number], number))
    assert [number for _, number in ran] == expected
    assert [time for time, _ in ran] == sorted(max(0.0, delay) for delay in delays)


def test_a_cancelled_timer_does_not_move_the_clock():
    """The clock stays where the last live timer left it."""

    async def main():
        late = asyncio.get_running_loop().call_later(100, print)
        await asyncio.sleep(1)
        late.cancel()

    loop = VirtualLoop()
    loop.run_until_complete(main())
    with pytest.raises(Deadlock):
        loop.run_forever()
    assert loop.time() == 1


@pytest.mark.parametrize("step", [0, 0.001])
def test_time_outs_do_not_pile_up(step):
    """Of 100,000 time-outs that were not needed, at no time more than half are kept."""

    async def main():
        loop, most = asyncio.get_running_loop(), 0
        for number in range(100_000):
            async with asyncio.timeout(30):
                await asyncio.sleep(step)
            if number % 1_000 == 0:
                most = max(most, sum(map(len, loop._timers.values())))
        return most

    assert run(main()) < 50_000


def test_ten_runs_one_trace():
    """The same program gives the same trace in ten runs, and the clock never goes back."""

    async def main():
        trace = []

        async def worker(number):
            for _ in range(20):
                await asyncio.sleep(number * 0.37 % 1)
                trace.append((asyncio.get_running_loop().time(), number))

        await asyncio.gather(*map(worker, range(20)))
        return trace

    traces = [run(main()) for _ in range(10)]
    assert all(trace == traces[0] for trace in traces)
    assert [time for time, _ in traces[0]] == sorted(time for time, _ in traces[0])


# Context variables


def test_context_of_a_task():
    """A variable set in a task is still set after it has waited, and unknown outside."""
    var = contextvars.ContextVar("var", default="unset")

    async def main():
        var.set("mine")
        await asyncio.sleep(1)
        return var.get()

    assert contextvars.Context().run(run, main()) == "mine"
    assert var.get() == "unset"


def test_an_empty_context_is_a_context():
    """A task or callback with an empty context does not see the variables of its maker."""
    var = contextvars.ContextVar("var", default="unset")

    async def look():
        return var.get()

    async def main():
        var.set("maker's")
        seen = []
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: seen.append(var.get()), context=contextvars.Context())
        loop.call_later(1, lambda: seen.append(var.get()), context=contextvars.Context())
        seen.append(await asyncio.create_task(look(), context=contextvars.Context()))
        await asyncio.sleep(2)
        return seen

    assert run(main()) == ["unset", "unset", "unset"]


# Errors


def test_an_error_in_a_callback_is_raised():
    """It ends the run; what was ready besides it runs in the next run."""
    loop, ran = VirtualLoop(), []
    loop.call_soon(ran.append, "before")
    loop.call_soon(lambda: 1 / 0)
    loop.call_soon(ran.append, "after")
    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(asyncio.sleep(1))
    assert ran == ["before"]
    loop.run_until_complete(asyncio.sleep(1))
    assert ran == ["before", "after"]


def test_an_old_future_does_not_stop_a_new_run():
    """A run that an error cut short leaves nothing that would end the next one early."""
    loop = VirtualLoop()

    async def main():
        loop.call_soon(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(main())
    assert loop.run_until_complete(asyncio.sleep(5, "whole")) == "whole"


def test_a_handler_gets_the_errors():
    """With an exception handler set, errors in callbacks go there and the run goes on."""
    loop, seen = VirtualLoop(), []
    loop.set_exception_handler(lambda loop, context: seen.append(context["exception"]))
    loop.call_soon(lambda: 1 / 0)
    assert loop.run_until_complete(asyncio.sleep(1, "done")) == "done"
    assert [type(error) for error in seen] == [ZeroDivisionError]


def test_the_error_of_a_lost_task_is_raised():
    """The error of a task that nobody awaits ends the run, with a note; none is swallowed."""

    async def main():
        asyncio.create_task(fail(1))  # noqa: RUF006
        await asyncio.sleep(100)

    with pytest.raises(ValueError, match="lost") as caught:
        run(main())
    assert caught.value.__notes__ == [
        "Nobody awaited the task or future that failed with this error."
    ]


@pytest.mark.parametrize("kept", [True, False])
def test_a_late_error_is_raised(kept):
    """So is one that comes to light only when the program is over."""

    async def main():
        task = asyncio.create_task(fail())
        if not kept:
            del task
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "fine otherwise"

    with pytest.raises(ValueError, match="lost"):
        run(main())


async def fail_in_the_end():
    try:
        await asyncio.sleep(100)
    finally:
        raise ValueError("clean-up")


def test_an_error_while_cleaning_up_is_raised():
    """A background task that fails while it is cancelled at the end is heard."""

    async def main():
        task = asyncio.create_task(fail_in_the_end())
        await asyncio.sleep(1)
        return task

    with pytest.raises(ValueError, match="clean-up"):
        run(main())


def test_the_first_error_wins():
    """What main raises is not hidden by what the clean-up raises."""

    async def main():
        task = asyncio.create_task(fail_in_the_end())
        await asyncio.sleep(1)
        raise KeyError("first", task)

    with pytest.raises(KeyError, match="first"):
        run(main())


@pytest.mark.parametrize("where", ["task", "callback"])
def test_keyboard_interrupt(where):
    """It ends the run at once, and the loop can run again."""

    def press():
        raise KeyboardInterrupt

    async def main():
        if where == "task":
            press()
        asyncio.get_running_loop().call_soon(press)
        await asyncio.sleep(1)

    loop = VirtualLoop()
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(main())
    loop.abandon_tasks()
    assert not loop.tasks_left()
    assert loop.run_until_complete(asyncio.sleep(2, "again")) == "again"


@pytest.fixture
def ctrl_c():
    """Python's own answer to Ctrl-C, which a process that was started in the background lacks."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_loses_no_callback(ctrl_c):
    """One that comes in the loop's own code waits for the round's end, so nothing is lost."""

    async def main():
        try:
            loop.call_soon(signal.raise_signal, signal.SIGINT)
            loop.call_soon(ran.append, "same round")
            await asyncio.sleep(0)
            loop.call_soon(ran.append, "next round")
            await asyncio.sleep(1)
        finally:
            ran.append("cleaned")

    loop, ran = VirtualLoop(), []
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(main())
    assert ran == ["same round"]
    loop.abandon_tasks()
    assert ran == ["same round", "next round", "cleaned"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_step_budget():
    """A loop that never ends is stopped with a sentence, and its clean-up runs."""
    cleaned = []

    async def main():
        try:
            for _ in itertools.repeat(None):
                await asyncio.sleep(1)
        finally:
            cleaned.append(True)

    with pytest.raises(StepBudgetExceeded, match="Does a loop never end"):
        run(main(), step_budget=5_000)
    assert cleaned == [True]


def test_a_task_that_refuses_to_end():
    """It is dropped after a while; the run ends all the same, and without noise."""

    async def stubborn():
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1)

    async def main():
        return asyncio.create_task(stubborn()).get_name()

    assert run(main()).startswith("Task-")


# Ending


def test_everything_is_put_back(monkeypatch):
    """After a run, also a failed one, the process is as before: hooks, collector, anyio, loop."""
    import gc
    import sys

    from anyio._backends._asyncio import AsyncIOBackend

    def state():
        thread = vars(AsyncIOBackend)["run_sync_in_worker_thread"]
        return gc.get_threshold(), sys.get_asyncgen_hooks(), thread, asyncio._get_running_loop()

    async def changed():
        return state()

    before = state()
    during = run(changed())
    assert all(a != b for a, b in zip(before, during, strict=True))
    for failing in (fail(1), asyncio.Event().wait()):
        with pytest.raises((ValueError, Deadlock)):
            run(failing)
        assert state() == before


def test_async_generators_are_closed():
    """One that was left open is closed at the end of the run, and its clean-up may wait."""
    closed = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            closed.append(asyncio.get_running_loop().time())

    async def main():
        generator = numbers()
        async for _ in generator:
            break
        kept.append(generator)

    kept = []
    run(main())
    assert closed == [1.0]


def test_async_generators_that_fail():
    """They are closed in the order in which they began, and an error of one is raised."""
    closed = []

    async def numbers(name):
        try:
            yield 1
        finally:
            closed.append(name)
            if name == 3:
                raise ValueError("closing")

    async def main():
        for name in range(20):
            kept.append(numbers(name))
            await anext(kept[-1])

    kept = []
    with pytest.raises(ValueError, match="closing"):
        run(main())
    assert closed == list(range(20))


def test_errors_while_everything_ends():
    """An error that comes up while others clean up does not keep them from it."""
    cleaned = []

    async def careful():
        try:
            await asyncio.sleep(100)
        finally:
            asyncio.create_task(fail())  # noqa: RUF006
            await asyncio.sleep(1)
            cleaned.append(True)

    async def main():
        tasks = [asyncio.create_task(careful()) for _ in range(3)]
        await asyncio.sleep(1)
        del tasks

    with pytest.raises(ValueError, match="lost"):
        run(main())
    assert cleaned == [True] * 3


def test_a_closed_loop_takes_nothing():
    """A closed loop refuses callbacks and runs, and closing it again is fine."""
    loop = VirtualLoop()
    loop.close()
    loop.close()
    for refused in (lambda: loop.call_soon(print), lambda: loop.call_later(1, print)):
        with pytest.raises(RuntimeError, match="closed"):
            refused()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_forever()


def test_stop():
    """`stop` ends the round; a future that is not done by then is an error, not a result."""
    loop = VirtualLoop()
    loop.call_later(5, loop.stop)
    with pytest.raises(RuntimeError, match="stopped before"):
        loop.run_until_complete(asyncio.sleep(10))
    assert loop.time() == 5
    loop.abandon_tasks()
    loop.stop()
    loop.run_forever()
    assert loop.time() == 5


def test_asyncio_runner():
    """asyncio.Runner takes the loop as its factory, and several runs share its clock."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(asyncio.sleep(3600))
        runner.run(asyncio.sleep(1))
        assert runner.get_loop().time() == 3601


# Inside and outside


def test_inside_a_real_loop():
    """`run` works while a real loop runs in this thread, which goes on afterwards."""

    async def outer():
        task = asyncio.current_task()
        inner = run(asyncio.sleep(3600, "inner"))
        await asyncio.sleep(0)
        return inner, asyncio.current_task() is task

    assert asyncio.run(outer()) == ("inner", True)


def test_inside_a_virtual_loop():
    """A run inside a run has a clock of its own."""

    async def outer():
        await asyncio.sleep(5)
        inner = ended(asyncio.sleep(3600, "inner"))
        await asyncio.sleep(1)
        return inner, asyncio.get_running_loop().time()

    assert run(outer()) == (("inner", 3600), 6)


@pytest.mark.parametrize(
    "ask",
    [
        lambda loop: asyncio.open_connection("localhost", 80),
        lambda loop: asyncio.create_subprocess_exec("ls"),
        lambda loop: asyncio.start_server(print, "localhost", 80),
        lambda loop: loop.add_signal_handler(2, print),
        lambda loop: loop.sock_recv(None, 1),
        lambda loop: loop.getaddrinfo("localhost", 80),
    ],
)
def test_the_outside_is_refused(ask):
    """Sockets, processes and signals are refused with a sentence that says what to use."""

    async def main():
        await ask(asyncio.get_running_loop())

    with pytest.raises(NotImplementedError, match="Use what a World hands out"):
        run(main())


def test_threads_run_inline():
    """What is meant for a thread runs in the loop's own thread, errors included."""
    import threading

    async def main():
        return await asyncio.to_thread(threading.get_ident)

    assert run(main()) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        run(asyncio.to_thread(lambda: 1 / 0))


def test_anyio():
    """Task groups, cancel scopes and worker threads of anyio follow the virtual clock."""
    import threading

    import anyio

    async def main():
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 10)
            with anyio.move_on_after(5) as scope:
                await anyio.sleep(60)
            thread = await anyio.to_thread.run_sync(threading.get_ident)
            times = anyio.current_time()
        return scope.cancelled_caught, times, anyio.current_time(), thread

    assert run(main()) == (True, 5, 10, threading.get_ident())
